"""getUpdates: offsets that confirm, long polling, and one caller at a time."""

import asyncio

from playground.bot_api.call import ApiCall
from playground.errors import ApiError
from playground.state.updates import Update

MAX_TIMEOUT = 50
"""Seconds a long poll lasts at most; more is taken as this much (telegram-bot-api source)."""
CONFLICT_PAUSE = 3.0
"""Conflicts closer together than this many seconds are answered this much later (telegram-bot-api source)."""
_WEBHOOK_ACTIVE = (
    "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"
)
_WEBHOOK_SET = "Conflict: terminated by setWebhook request"
_OTHER = "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"


async def _conflict(call: ApiCall, description: str) -> ApiError:
    now = call.state.clock.monotonic()
    if now < call.bot.next_conflict:
        await asyncio.sleep(CONFLICT_PAUSE)
    else:
        call.bot.next_conflict = now + CONFLICT_PAUSE
    return ApiError(409, description)


def allow(call: ApiCall) -> None:
    """Store ``allowed_updates`` when it is given; an empty list restores the default."""
    wanted = call.params.get("allowed_updates")
    if isinstance(wanted, list):
        call.bot.queue.allowed = frozenset(str(kind) for kind in wanted) or None


def at_once(call: ApiCall) -> list[Update] | None:
    """The answer without waiting; None if the call has to wait.

    Confirms by offset and ends an older call that waits.

    Raises:
        ApiError: a webhook is set.
    """
    bot, queue = call.bot, call.bot.queue
    if bot.webhook.url:
        raise ApiError(409, _WEBHOOK_ACTIVE)
    allow(call)
    bot.poll += 1
    queue.wakeup.wake_all()
    offset = call.number("offset")
    # An offset above the next id belongs to an earlier queue: it confirms nothing.
    if offset and offset <= queue.next_id:
        queue.confirm_before(offset)
        bot.looked.wake_all()
    updates = queue.peek(call.number("limit", 100, 1, 100))
    return updates if updates or call.number("timeout", 0, 0, MAX_TIMEOUT) == 0 else None


async def waited(call: ApiCall) -> list[Update]:
    """The updates that come within the call's timeout.

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
        bot.looked.wake_all()
        try:
            await queue.wakeup.wait(left)
        finally:
            bot.waiting -= 1
        if bot.webhook.url:
            raise await _conflict(call, _WEBHOOK_SET)
        if bot.poll != mine:
            raise await _conflict(call, _OTHER)
        if not call.gone and (updates := queue.peek(call.number("limit", 100, 1, 100))):
            return updates
    return []
