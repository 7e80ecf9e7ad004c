"""Sends a broadcast: chat after chat, within the limits that the bot and the workers share."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import blake2s
from pathlib import Path
from secrets import token_hex

from botapi.calls import Calls
from botapi.client import connected
from botapi.errors import ChatMigrated, TelegramAway, Undeliverable
from botapi.pacing import Pacing
from botapi.refusals import errors_as_ours
from botapi.reply_delivery import deliver
from tasks.backoff import Backoff
from tasks.chats.access import OperatorsWord, access_by
from tasks.clock import Clock
from tasks.config.settings import Settings
from tasks.envelope import Reply
from tasks.errors import CohortError, Misconfigured, StoreUnavailable
from tasks.session import SessionKey
from tasks.store import Store
from tasks.store.chats.broadcasts import LEASE, BroadcastProgress
from tasks.store.listing import SessionFacts
from tasks.text import is_digits
from workers.telegram.render import render

_DAY_S = 86_400
_PAGE = 1_000
_TELL_EVERY_S = 5.0
_LEAD_EVERY_S = LEASE.total_seconds() / 6
_LONGEST = 64 * 1024
"""Bytes of a file: a message holds 4,096 characters."""


@dataclass(frozen=True, slots=True)
class Text:
    """What is sent."""

    ident: str
    """Of this text to these chats: the same command goes on with the same broadcast."""
    reply: Reply


def read_text(file: Path, bot: int, to: Sequence[str]) -> Text:
    """The file's Markdown as one message.

    Raises:
        Misconfigured: it cannot be read, or is more than one message.
    """
    try:
        raw = file.read_bytes()[: _LONGEST + 1]
        text = raw.decode().strip()
    except (OSError, UnicodeDecodeError) as problem:
        why = problem.strerror if isinstance(problem, OSError) else "it is not UTF-8"
        raise Misconfigured(f"{file}: cannot be read ({why})") from None
    replies = render(text) if text else ()
    if len(raw) > _LONGEST or len(replies) != 1:
        raise Misconfigured(f"{file}: has to be one message (1 to 4,096 characters as Telegram counts them)")
    return Text(blake2s("\0".join([str(bot), text, *sorted(to)]).encode(), digest_size=8).hexdigest(), replies[0])


async def chats_of(store: Store, to: Sequence[str], bot: int, now: float) -> list[int]:
    """The chats that ``to`` names: ``all``, ``active:DAYS``, or their numbers.

    Raises:
        Misconfigured: it names something else.
    """
    chats: dict[int, None] = {}
    for one in to:
        word, _, days = one.partition(":")
        if is_digits(one.removeprefix("-")):
            chats[int(one)] = None
        elif one == "all" or (word == "active" and is_digits(days)):
            since = now - int(days) * _DAY_S if days else 0.0
            chats.update(dict.fromkeys(await _known(store, bot, since)))
        else:
            raise Misconfigured(f"--to {one}: expected all, active:DAYS or a chat's number")
    return list(chats)


async def _known(store: Store, bot: int, since: float) -> list[int]:
    """Chats with a session that had its last turn since then, without those that an admin keeps out.

    A chat that Telegram moved counts by its new number.
    """

    def wanted(facts: SessionFacts) -> bool:
        key = facts.session
        return key.bot == bot and not key.business and not facts.moved and (facts.touched or 0.0) >= since

    people = await store.people.look(bot)
    access = access_by(people.operator or OperatorsWord(), people)
    chats: dict[int, None] = {}
    after: str = ""
    while page := await store.listing.page(_PAGE, after=after, wanted=wanted):
        known = (facts.session.chat for facts in page)
        chats.update(dict.fromkeys(chat for chat in known if not access.denied(chat, chat)))
        after = str(page[-1].session)
    return list(chats)


class Broadcast:
    """One run of the sender, which goes on where the run before it ended."""

    def __init__(self, store: Store, settings: Settings, clock: Clock, say: Callable[[str], None]) -> None:
        """Prepare it; ``say`` tells the operator a line."""
        self._store = store
        self._settings = settings
        self._clock = clock
        self._say = say
        self._backoff = Backoff()
        self._holder = token_hex(8)
        self._ident = ""

    async def send(self, text: Text) -> BroadcastProgress | None:
        """Send to the chats that are left, until none is left or it is stopped.

        Raises:
            Misconfigured: another process sends it, or the token is wrong.
            StoreUnavailable: Redis is away; it goes on later.
        """
        self._ident = text.ident
        broadcasts, settings = self._store.broadcasts, self._settings
        if not await broadcasts.lead(text.ident, self._holder):
            self._say(f"waiting {LEASE.total_seconds():.0f} s: another process was sending it")
            await asyncio.sleep(LEASE.total_seconds())
            await self._keep_lead()
        # A refused message is counted; it needs no line of a log besides.
        logging.getLogger("cohort").addHandler(logging.NullHandler())
        pacing = Pacing(self._store.pace, settings.bot_id, self._clock, self._sleep)
        try:
            async with connected(settings.token, settings.telegram_base_url, connections=1) as telegram:
                await self._send(text, Calls(telegram.bot(pacing)))
        finally:
            with suppress(StoreUnavailable):
                await broadcasts.leave(text.ident, self._holder)
        return await broadcasts.progress(text.ident)

    async def _send(self, text: Text, calls: Calls) -> None:
        broadcasts = self._store.broadcasts
        told_at = led_at = self._clock.monotonic()
        while (chat := await broadcasts.first(text.ident)) is not None:
            if self._clock.monotonic() - led_at > _LEAD_EVERY_S:
                led_at = self._clock.monotonic()
                await self._keep_lead()
            try:
                await self._to(calls, SessionKey(self._settings.bot_id, chat), text.reply)
            except Undeliverable:
                await broadcasts.told(text.ident, chat, "blocked")
            else:
                await broadcasts.told(text.ident, chat, "sent")
            self._backoff.reset()
            if self._clock.monotonic() - told_at > _TELL_EVERY_S:
                told_at = self._clock.monotonic()
                if (now := await broadcasts.progress(text.ident)) is not None:
                    self._say(line(now))

    async def _keep_lead(self) -> None:
        if not await self._store.broadcasts.lead(self._ident, self._holder):
            raise Misconfigured("another process sends this broadcast")

    async def _sleep(self, seconds: float) -> None:
        """Telegram may hold the bot for longer than the lease."""
        until = self._clock.monotonic() + seconds
        while (left := until - self._clock.monotonic()) > 0:
            await asyncio.sleep(min(left, _LEAD_EVERY_S))
            if left > _LEAD_EVERY_S:
                await self._keep_lead()

    async def _to(self, calls: Calls, session: SessionKey, reply: Reply) -> None:
        with errors_as_ours():
            try:
                await deliver(calls, session, reply, wait=self._wait)
            except ChatMigrated as moved:
                await deliver(calls, SessionKey(session.bot, moved.chat), reply, wait=self._wait)

    async def _wait(self, problem: CohortError) -> None:
        if not isinstance(problem, TelegramAway):
            raise problem from None
        await self._sleep(self._backoff.next(problem.wait))


def line(now: BroadcastProgress) -> str:
    """How far it is, for the operator."""
    blocked = f", {now.blocked} cannot get it (blocked, or gone)" if now.blocked else ""
    left = f", {now.left} left" if now.left else ""
    return f"{now.sent} of {now.total} chats have it{blocked}{left}"
