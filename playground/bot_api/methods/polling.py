"""getUpdates: offsets that confirm, long polling, and one caller at a time."""

import asyncio
from typing import Any

from playground.bot_api.call import Call
from playground.errors import ApiError
from playground.state.updates import Update

type Json = dict[str, Any]

MAX_TIMEOUT = 50
"""Seconds a long poll lasts at most; more is taken as this much (telegram-bot-api source)."""
CONFLICT_PAUSE = 3.0
"""Conflicts closer together than this many seconds are answered this much later (telegram-bot-api source)."""
_WEBHOOK_ACTIVE = (
    "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"
)
_WEBHOOK_SET = "Conflict: terminated by setWebhook request"
_OTHER = "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"


async def _conflict(call: Call, description: str) -> ApiError:
    now = call.state.clock.monotonic()
    if now < call.bot.next_conflict:
        await asyncio.sleep(CONFLICT_PAUSE)
    else:
        call.bot.next_conflict = now + CONFLICT_PAUSE
    return ApiError(409, description)


def allow(call: Call) -> None:
    """Take over ``allowed_updates`` when it is given; an empty list is the default again."""
    wanted = call.params.get("allowed_updates")
    if isinstance(wanted, list):
        call.bot.queue.allowed = frozenset(str(kind) for kind in wanted) or None


def at_once(call: Call) -> list[Update] | None:
    """What can be answered without waiting; None if the call has to wait.

    Confirms by offset and ends an older call that waits.

    Raises:
        ApiError: a webhook is set.
    """
    bot, queue = call.bot, call.bot.queue
    if bot.webhook.url:
        raise ApiError(409, _WEBHOOK_ACTIVE)
    allow(call)
    bot.poll += 1
    queue.bell.ring()
    offset = call.number("offset")
    # An offset from the future is one of another life of the queue: it confirms nothing.
    if offset and offset <= queue.next_id:
        queue.confirm_before(offset)
        bot.looked.ring()
    updates = queue.peek(call.number("limit", 100, 1, 100))
    return updates if updates or call.number("timeout", 0, 0, MAX_TIMEOUT) == 0 else None


async def waited(call: Call) -> list[Update]:
    """What comes within the call's timeout.

    Raises:
        ApiError: another getUpdates or setWebhook came in between.
    """
    bot, queue, clock = call.bot, call.bot.queue, call.state.clock
    mine = bot.poll
    deadline = clock.monotonic() + call.number("timeout", 0, 0, MAX_TIMEOUT)
    while not call.gone:
        left = deadline - clock.monotonic()
        if left <= 0:
            break
        bot.waiting += 1
        bot.looked.ring()
        try:
            await queue.bell.wait(left)
        finally:
            bot.waiting -= 1
        if bot.webhook.url:
            raise await _conflict(call, _WEBHOOK_SET)
        if bot.poll != mine:
            raise await _conflict(call, _OTHER)
        if not call.gone and (updates := queue.peek(call.number("limit", 100, 1, 100))):
            return updates
    return []
