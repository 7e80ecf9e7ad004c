"""On duty or standing by: of several bot processes, the holder of the Redis lease works."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from bot.stop import Stop
from tasks.errors import StoreUnavailable

log = logging.getLogger("cohort.bot")


class Lease(Protocol):
    """A lease in Redis, one for each bot."""

    async def acquire(self, bot: int, holder: str, ttl: timedelta) -> bool:
        """Take or renew it."""
        ...

    async def release(self, bot: int, holder: str) -> None:
        """Give it back."""
        ...


@dataclass(frozen=True, slots=True)
class LeaseTimes:
    """A dead holder is replaced within ``ttl`` + ``renew``: 15 s. Three renewals may fail before it is lost."""

    ttl: timedelta = timedelta(seconds=12)
    renew: timedelta = timedelta(seconds=3)


class LeaderLoop:
    """Works while it holds the lease.

    Nothing breaks when two hold it for a moment (a holder that was paused): both accept, each update counts once, and
    Telegram lets one of them poll.
    """

    def __init__(self, lease: Lease, bot: int, holder: str, *, times: LeaseTimes | None = None) -> None:
        self._lease = lease
        self._bot = bot
        self._holder = holder
        self._times = times or LeaseTimes()

    async def run(self, work: Callable[[Stop], Awaitable[None]], stop: Stop) -> None:
        """Until ``stop``: stand by, and do ``work`` for as long as the lease is ours (its own stop tells it)."""
        standing_by = False
        while not stop.is_set:
            if await self._acquired():
                log.info("lease.held", extra={"holder": self._holder})
                standing_by = False
                await self._stint(work, stop)
            elif not standing_by:
                standing_by = True
                log.info("lease.standing_by", extra={"holder": self._holder})
            await stop.pause(self._times.renew.total_seconds())

    async def _stint(self, work: Callable[[Stop], Awaitable[None]], stop: Stop) -> None:
        with stop.child() as term:
            try:
                async with asyncio.TaskGroup() as group:
                    keeper = group.create_task(self._keep(term), name="lease")
                    await work(term)
                    keeper.cancel()
            finally:
                # Another may begin at once; if it is not ours any more, this does nothing.
                with suppress(StoreUnavailable):
                    await self._lease.release(self._bot, self._holder)

    async def _keep(self, term: Stop) -> None:
        while True:
            await asyncio.sleep(self._times.renew.total_seconds())
            if await self._acquired() is False:
                log.warning("lease.lost", extra={"holder": self._holder})
                term.set()
                return

    async def _acquired(self) -> bool | None:
        """Whether it is ours; None: Redis cannot tell, and without Redis nobody accepts anything anyway."""
        try:
            return await self._lease.acquire(self._bot, self._holder, self._times.ttl)
        except StoreUnavailable as problem:
            log.warning("store.unavailable", extra={"problem": str(problem)})
            return None
