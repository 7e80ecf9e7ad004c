"""Delivers the bot's own replies, which are as durable as the messages they answer: read, sent, then dropped."""

import asyncio
import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol

from bot.api import Refused, TelegramAway
from bot.stop import Stop, Stopped
from tasks.backoff import Backoff
from tasks.clock import Clock
from tasks.envelope import Reply
from tasks.errors import StoreUnavailable
from tasks.session import SessionKey
from tasks.store.pacing import Taken

log = logging.getLogger("cohort.bot")

LOOK_EVERY = timedelta(seconds=2)
"""Somebody else may have left replies: the bot process that held the lease before."""

_AT_ONCE = 20

_STRANGERS_EVERY_S = 1.0
"""Lines to strangers take no more of what the bot may send: answers come first."""

_LAPS = 10
"""So many times in a row the replies of slow chats are put behind the others before everybody waits a little."""


class ReplyStore(Protocol):
    """The bot's own replies in the store (``tasks.store.intake``)."""

    async def replies(self, bot: int, limit: int = 20) -> list[tuple[bytes, Reply]]:
        """The oldest ones, as stored and as read."""
        ...

    async def replied(self, bot: int, raw: bytes) -> None:
        """Drop the oldest, if it is this one."""
        ...

    async def push_replies(self, bot: int, replies: Sequence[Reply]) -> None:
        """Add some behind the others."""
        ...

    async def pop_stranger(self, bot: int) -> Reply | None:
        """The next line to a stranger."""
        ...


class Sender(Protocol):
    """Telegram as this module uses it."""

    async def send(self, session: SessionKey, reply: Reply) -> None:
        """Send one message."""
        ...


class Pace(Protocol):
    """How fast the bot may send, with the workers (``tasks.store.pacing``)."""

    async def reserve(self, bot: int, chat: int, *, chat_taken: bool = False) -> Taken:
        """A turn to send, after a wait."""
        ...

    async def punish(self, bot: int, chat: int | None, seconds: float) -> None:
        """Nobody sends for so long."""
        ...


class Replies:
    """One sender at a time: whoever is on duty runs it."""

    def __init__(  # noqa: PLR0913 - its collaborators, which have no other user in common
        self,
        bot: int,
        *,
        store: ReplyStore,
        sender: Sender,
        pace: Pace,
        clock: Clock,
        backoff: Backoff | None = None,
        look_every: timedelta = LOOK_EVERY,
    ) -> None:
        self._bot = bot
        self._store = store
        self._sender = sender
        self._pace = pace
        self._clock = clock
        self._backoff = backoff or Backoff()
        self._look_every = look_every.total_seconds()
        self._woken = asyncio.Event()
        self._not_before: dict[int, float] = {}
        self._chats_taken: set[int] = set()
        self._strangers_from = 0.0

    def wake(self) -> None:
        """There is something to send now."""
        self._woken.set()

    async def run(self, stop: Stop) -> None:
        """Until ``stop``; what was not sent stays."""
        laps = 0
        while not stop.is_set:
            self._woken.clear()
            try:
                seen, sent = await self._drain(stop)
                if not sent:
                    await self._tell_stranger(stop)
                laps = 0 if sent else laps + 1
                if not sent and (seen < _AT_ONCE or laps >= _LAPS):
                    laps = 0
                    await self._idle(stop)
                self._backoff.reset()
            except (StoreUnavailable, TelegramAway) as problem:
                log.warning("replies.waiting", extra={"problem": str(problem)})
                await stop.pause(self._backoff.next())

    async def _idle(self, stop: Stop) -> None:
        try:
            async with stop.cuts(), asyncio.timeout(self._look_every):
                await self._woken.wait()
        except (TimeoutError, Stopped):
            return

    async def _drain(self, stop: Stop) -> tuple[int, int]:
        """Send the oldest replies. Returns how many there were, and how many of them are done with."""
        found = await self._store.replies(self._bot, _AT_ONCE)
        now = self._clock.monotonic()
        self._not_before = {chat: until for chat, until in self._not_before.items() if until > now}
        sent = 0
        for raw, reply in found:
            if stop.is_set:
                break
            session = _session(reply)
            if session is None or await self._sent(session, reply, stop):
                sent += 1
            else:
                # Behind the others, so that one slow chat does not hold them up. Twice in the list, if we die between
                # these two calls, is twice on the screen; not at all would be worse.
                await self._store.push_replies(self._bot, [reply])
            await self._store.replied(self._bot, raw)
        return len(found), sent

    async def _tell_stranger(self, stop: Stop) -> None:
        """One line, when nothing else is to be sent; a chat that has to wait does not get it later."""
        now = self._clock.monotonic()
        if now < self._strangers_from:
            return
        reply = await self._store.pop_stranger(self._bot)
        session = _session(reply) if reply is not None else None
        if reply is not None and session is not None:
            self._strangers_from = now + _STRANGERS_EVERY_S
            await self._sent(session, reply, stop)

    async def _may_send(self, chat: int, stop: Stop) -> bool:
        """Wait for the bot's turn. Returns False when the chat's has not come."""
        if chat in self._not_before:
            return False
        taken = await self._pace.reserve(self._bot, chat, chat_taken=chat in self._chats_taken)
        if taken.what == "all":
            self._chats_taken.discard(chat)
            await stop.pause(taken.seconds)
            return not stop.is_set
        if taken.what == "chat":
            self._chats_taken.add(chat)
        self._not_before[chat] = self._clock.monotonic() + taken.seconds
        return False

    async def _sent(self, session: SessionKey, reply: Reply, stop: Stop) -> bool:
        """Send it. Returns False when its chat has to wait.

        Raises:
            TelegramAway: everybody has to wait.
            StoreUnavailable: likewise.
        """
        if not await self._may_send(session.chat, stop):
            return False
        try:
            await self._sender.send(session, reply)
        except TelegramAway as problem:
            if not problem.wait:
                raise
            log.info("reply.slowed", extra={"session": str(session), "seconds": problem.wait})
            self._not_before[session.chat] = self._clock.monotonic() + problem.wait
            await self._pace.punish(self._bot, session.chat, problem.wait)
            return False
        except Refused as problem:
            log.warning("reply.undeliverable", extra={"session": str(session), "problem": str(problem)})
        return True


def _session(reply: Reply) -> SessionKey | None:
    try:
        return SessionKey.parse(reply.session or "")
    except ValueError:
        log.error("reply.unreadable")  # noqa: TRY400 - the text of the error would quote the reply
        return None
