"""Delivers the bot's own replies, which are as durable as the messages they answer: read, deliver, drop."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta

from bot.process.stop import Stop, Stopped
from botapi.calls import Calls
from botapi.errors import ChatMigrated, Flooded, Refused, TelegramAway
from botapi.pacing import RateLimited
from botapi.refusals import errors_as_ours
from botapi.reply_delivery import deliver
from tasks.backoff import Backoff
from tasks.clock import Clock
from tasks.envelope import Reply
from tasks.errors import CohortError, StoreUnavailable
from tasks.outage import Outage
from tasks.pointing import elsewhere
from tasks.session import SessionKey
from tasks.store.intake import IntakeStore
from tasks.waiting import came_within

log = logging.getLogger("cohort.bot")

LOOK_EVERY = timedelta(seconds=2)
"""The bot process that held the lease before may have left replies."""

_AT_ONCE = 20

_STRANGERS_EVERY_S = 1.0
"""Lines to strangers take no more than this of what the bot may send: answers come first."""

_LEAST_S = 0.01
"""A chat that may be written to now is looked at in the next round."""

_LAPS = 10
"""So many times in a row the replies of slow chats move behind the others before the sender pauses."""


class Replies:
    """One process at a time runs it: the one that holds the lease."""

    def __init__(  # noqa: PLR0913 - its collaborators, which have no other user in common
        self,
        bot: int,
        *,
        store: IntakeStore,
        calls: Calls,
        clock: Clock,
        told_in: Callable[[SessionKey, int], Awaitable[None]] | None = None,
        backoff: Backoff | None = None,
        look_every: timedelta = LOOK_EVERY,
    ) -> None:
        self._bot = bot
        self._store = store
        self._calls = calls
        self._clock = clock
        self._told_in = told_in
        self._backoff = backoff or Backoff()
        self._look_every = look_every.total_seconds()
        self._woken = asyncio.Event()
        self._not_before: dict[int, float] = {}
        """Chats that have to wait, and until when (monotonic)."""
        self._strangers_from = 0.0
        self._strangers = False
        """Whether lines to strangers waited at the last look."""
        self._away = Outage()

    def wake(self) -> None:
        """There is a reply to send now."""
        self._woken.set()

    async def run(self, stop: Stop) -> None:
        """Until ``stop``; replies that were not sent stay in the store."""
        laps = 0
        while not stop.is_set:
            self._woken.clear()
            try:
                seen, done = await self._drain(stop)
                if not done:
                    await self._tell_stranger()
                laps = 0 if done else laps + 1
                if not done and (seen < _AT_ONCE or laps >= _LAPS):
                    laps = 0
                    await self._idle(stop)
                self._backoff.reset()
                if (lasted := self._away.ended()) is not None:
                    log.warning("replies.resumed", extra={"after_s": lasted})
            except (StoreUnavailable, TelegramAway) as problem:
                if self._away.began():
                    log.warning("replies.waiting", extra={"problem": str(problem)})
                await stop.pause(self._backoff.next())

    async def _idle(self, stop: Stop) -> None:
        with suppress(Stopped):
            async with stop.cuts():
                await came_within(self._woken, self._due_in())

    def _due_in(self) -> float:
        """Seconds until a chat may be written to again, or until it is time to look."""
        now = self._clock.monotonic()
        soonest = min(self._not_before.values(), default=now + self._look_every)
        return min(max(soonest - now, _LEAST_S), self._look_every)

    async def _drain(self, stop: Stop) -> tuple[int, int]:
        """Send the oldest replies. Returns how many there were, and how many of them are done with."""
        found, self._strangers = await self._store.lines(self._bot, _AT_ONCE)
        now = self._clock.monotonic()
        self._not_before = {chat: until for chat, until in self._not_before.items() if until > now}
        done = 0
        for raw, reply in found:
            if stop.is_set:
                break
            if await self._done(reply):
                done += 1
            else:
                # Behind the others, so that one slow chat does not hold them up. If the process dies between these two
                # calls, the reply is in the list twice and shows twice; the other order could lose it.
                await self._store.push_replies(self._bot, [reply])
            await self._store.replied(self._bot, raw)
        return len(found), done

    async def _tell_stranger(self) -> None:
        """Send one line while there is no reply to send. A chat that has to wait does not get it later."""
        now = self._clock.monotonic()
        if not self._strangers or now < self._strangers_from:
            return
        reply = await self._store.pop_stranger(self._bot)
        if reply is not None:
            self._strangers_from = now + _STRANGERS_EVERY_S
            await self._done(reply)

    async def _done(self, reply: Reply) -> bool:
        """Deliver a reply. Returns False when its chat has to wait.

        Raises:
            TelegramAway: all chats have to wait.
            StoreUnavailable: the budget cannot be asked; all chats have to wait.
        """
        try:
            session = SessionKey.parse(reply.session or "")
        except ValueError:
            log.error("reply.unreadable")  # noqa: TRY400 - the text of the error would quote the reply
            return True
        if session.chat in self._not_before:
            return False
        try:
            await self._deliver(session, reply)
        except RateLimited as problem:
            return self._later(session, problem.seconds)
        except Flooded as problem:
            log.info("reply.slowed", extra={"session": str(session), "seconds": problem.wait})
            return self._later(session, problem.wait)
        except Refused as problem:
            log.warning("reply.undeliverable", extra={"session": str(session), "problem": str(problem)})
        return True

    def _later(self, session: SessionKey, seconds: float) -> bool:
        self._not_before[session.chat] = self._clock.monotonic() + seconds
        return False

    async def _deliver(self, session: SessionKey, reply: Reply) -> None:
        """Once; a group that became a supergroup gets the reply under its new id."""
        with errors_as_ours():
            try:
                ids = await deliver(self._calls, session, reply, wait=_come_back)
            except ChatMigrated as moved:
                supergroup = SessionKey(session.bot, moved.chat, session.topic, session.business)
                await deliver(self._calls, supergroup, elsewhere(reply), wait=_come_back)
                return
        if reply.id and ids and self._told_in is not None:
            try:
                await self._told_in(session, ids[0])
            except CohortError as problem:
                # It was said: the words of a draft come below it.
                log.warning("store.unavailable", extra={"session": str(session), "problem": str(problem)})


async def _come_back(problem: CohortError) -> None:
    """Replies to other chats are sent meanwhile."""
    raise problem from None
