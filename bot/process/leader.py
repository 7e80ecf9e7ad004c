"""Leader election: of several bot processes, the one that holds the Redis lease works; the others stand by."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from bot.process.stop import Stop
from tasks.errors import StoreUnavailable
from tasks.outage import Outage

log = logging.getLogger("cohort.bot")


class Lease(Protocol):
    """A lease in Redis, one for each bot."""

    async def acquire(self, bot: int, holder: str, ttl: timedelta) -> bool:
        """Acquire or renew it. Returns whether ``holder`` has it."""
        ...

    async def release(self, bot: int, holder: str) -> None:
        """Release it, if ``holder`` has it."""
        ...


@dataclass(frozen=True, slots=True)
class LeaseTimes:
    """A dead holder is replaced within ``ttl`` + ``renew``: 15 s. Three renewals may fail before it is lost."""

    ttl: timedelta = timedelta(seconds=12)
    renew: timedelta = timedelta(seconds=3)


class LeaderLoop:
    """Runs its work while this process holds the lease.

    Two processes may believe for a moment that they hold it, if one was paused. That is harmless: both accept updates,
    each update counts once, and Telegram lets only one of them poll.
    """

    def __init__(
        self,
        lease: Lease,
        bot: int,
        holder: str,
        *,
        times: LeaseTimes | None = None,
        leads: Callable[[bool], None] = lambda _: None,
    ) -> None:
        """Prepare the loop; ``leads`` is called when a term begins (True) and when it ends."""
        self._lease = lease
        self._bot = bot
        self._holder = holder
        self._times = times or LeaseTimes()
        self._leads = leads
        self._away = Outage()

    async def run(self, work: Callable[[Stop], Awaitable[None]], stop: Stop) -> None:
        """Until ``stop``: acquire the lease, and run ``work`` until it is lost, which sets the work's own stop."""
        standing_by = False
        while not stop.is_set:
            if await self._acquired():
                log.info("lease.held", extra={"holder": self._holder})
                standing_by = False
                await self._term(work, stop)
            elif not standing_by:
                standing_by = True
                log.info("lease.standing_by", extra={"holder": self._holder})
            await stop.pause(self._times.renew.total_seconds())

    async def _term(self, work: Callable[[Stop], Awaitable[None]], stop: Stop) -> None:
        with stop.child() as term:
            self._leads(True)
            try:
                async with asyncio.TaskGroup() as group:
                    renewing = group.create_task(self._renew(term), name="lease")
                    await work(term)
                    renewing.cancel()
            finally:
                self._leads(False)
                # The next process may begin at once. If the lease is no longer ours, this changes nothing.
                with suppress(StoreUnavailable):
                    await self._lease.release(self._bot, self._holder)

    async def _renew(self, term: Stop) -> None:
        while True:
            await asyncio.sleep(self._times.renew.total_seconds())
            if await self._acquired() is False:
                log.warning("lease.lost", extra={"holder": self._holder})
                term.set()
                return

    async def _acquired(self) -> bool | None:
        """Whether the lease is ours. None: Redis is away, and without Redis no process accepts updates anyway."""
        try:
            acquired = await self._lease.acquire(self._bot, self._holder, self._times.ttl)
        except StoreUnavailable as problem:
            if self._away.began():
                log.warning("store.unavailable", extra={"problem": str(problem)})
            return None
        if (lasted := self._away.ended()) is not None:
            log.warning("store.back", extra={"after_s": lasted})
        return acquired
