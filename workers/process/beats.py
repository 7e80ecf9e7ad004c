"""Heartbeats of a worker process, and what goes out with each: the turns that ended since the last one.

The loop sends them itself, so that a worker whose loop stands still is taken for dead. A heartbeat takes several rounds
of the loop. Among many turns on a busy machine it may come later than the last one lives, and other workers would take
the chats of a worker that is well: their turns would begin again, each counted as tried, and what it had just sent
would be sent twice. So a thread has the last heartbeat live on while the loop makes rounds (``Keepalive``).
"""

import asyncio
import logging
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable
from concurrent.futures import CancelledError, Future
from contextlib import asynccontextmanager, suppress
from typing import Protocol

from tasks.config.settings import Settings
from tasks.errors import CohortError, StoreUnavailable
from tasks.outage import OnceAMinute, Outage
from tasks.status.worker import WorkerStatus
from tasks.store import Store
from tasks.store.connection.redis import connection
from tasks.store.processes.membership import Membership
from tasks.waiting import came_within
from workers.sessions.dependencies import Dependencies
from workers.sessions.heartbeat import Heartbeat
from workers.sessions.scheduler import SessionScheduler

log = logging.getLogger("cohort.members")

BEATS_PER_TTL = 5
"""Heartbeats sent within one time to live: some may be lost or late without the worker being taken for dead."""

_MOST = 12
"""Times to live for which a heartbeat lives on. What holds the next one up for longer holds up its worker, too."""

_LEAVES_S = 1.0
"""How long the end of the thread is waited for. It may stand in a call to a Redis that hangs."""

_LEAST = 0.2
"""The part of the time between two that is left at least, when one has taken long."""


def pause_s(every_s: float, took_s: float) -> float:
    """How long to wait for the next heartbeat after one that took so long, with what goes along.

    Among many turns that is long, and claims are certain for two heartbeats only: each late one asks Redis for all.
    """
    return max(every_s - took_s, every_s * _LEAST)


class Beats:
    """Sends heartbeats, and has the turns end that another worker may have taken while one came late."""

    def __init__(
        self, deps: Dependencies, store: Store, scheduler: SessionScheduler, status: Callable[[], WorkerStatus]
    ) -> None:
        self._deps = deps
        self._members = store.members
        self._trail = store.trail
        self._scheduler = scheduler
        self._status = status
        self._ttl = deps.settings.heartbeat_ttl
        self._late = OnceAMinute()
        self._every_s = self._ttl.total_seconds() / BEATS_PER_TTL
        self.now = asyncio.Event()
        """Set: the next one goes out at once."""

    async def run(self, beat: Callable[[], Awaitable[None]]) -> None:
        """Send them until cancelled; without Redis, keep trying. ``beat`` sends one, and does what goes with it."""
        async with kept_alive(self._deps.settings, self._deps.incarnation, self._deps.heartbeat):
            await self._send(beat)

    async def _send(self, beat: Callable[[], Awaitable[None]]) -> None:
        away = Outage()
        while True:
            # Cleared before the read, so that an announcement during it causes another one.
            self.now.clear()
            began = self._deps.heartbeat.now()
            try:
                await beat()
                if (lasted := away.ended()) is not None:
                    log.warning("heartbeat.resumed", extra={"after_s": lasted})
            except StoreUnavailable as problem:
                if away.began():
                    log.warning("heartbeat.missed", extra={"problem": str(problem)})
            await self.write_trail()
            await came_within(self.now, pause_s(self._every_s, self._deps.heartbeat.now() - began))

    async def beat(self, *, member: bool, drains: bool = False) -> None:
        """Send one; a ``member`` takes slots, and one that ``drains`` did before.

        Raises:
            StoreUnavailable: Redis is away.
        """
        heartbeat = self._deps.heartbeat
        before = heartbeat.now()
        named = self._deps.incarnation, self._status(), self._ttl
        was_there = await self._members.beat(*named, member=member, drains=drains)
        if (silent := heartbeat.renewed(before, was_there=was_there)) is not None:
            # One that came too late may have cost turns, so each is told. Where only the key is gone again and again,
            # that is the store's, and one line a minute.
            if (others := {} if silent > self._ttl.total_seconds() else self._late.told()) is not None:
                log.warning("heartbeat.late", extra={"seconds": round(silent, 1), **others})
            await self._scheduler.revalidate_claims()

    async def write_trail(self) -> None:
        """Write the turns that ended since. They are for operators, so what fails is tried again, or forgotten."""
        if records := self._deps.trail.take():
            try:
                await self._trail.append(records)
            except CohortError:
                self._deps.trail.add(records)


class RoundLoop(Protocol):
    """The loop that is looked at."""

    def call_soon_threadsafe(self, call: Callable[[], None], /) -> object:
        """Have the loop call this in its next round; raises RuntimeError when it has ended."""
        ...


class Keepalive:
    """Looks five times in a heartbeat's time to live; where two heartbeats have not come, it prolongs the last one."""

    def __init__(self, settings: Settings, incarnation: str, heartbeat: Heartbeat, loop: RoundLoop) -> None:
        self._redis = settings.redis
        self._ttl = settings.heartbeat_ttl
        self._ttl_s = self._ttl.total_seconds()
        self._incarnation = incarnation
        self._heartbeat = heartbeat
        self._loop = loop
        self._round_at = heartbeat.now()
        """When the loop was last seen to make a round."""

    async def run(self, ended: asyncio.Event, every_s: float | None = None) -> None:
        """Look until ``ended``, every so many seconds; without Redis, keep trying. In a loop of its own."""
        every = self._ttl_s / BEATS_PER_TTL if every_s is None else every_s
        async with connection(self._redis, connections=1) as redis:
            members = Membership(redis)
            while not await came_within(ended, every):
                if self._goes_round():
                    with suppress(StoreUnavailable):
                        await members.prolong(self._incarnation, self._ttl)

    def _goes_round(self) -> bool:
        """Whether heartbeats are late though the loop made a round within one's time to live."""
        if not (late := self._heartbeat.late_s):
            self._seen()
            return False
        with suppress(RuntimeError):  # it has ended
            self._loop.call_soon_threadsafe(self._seen)
        return late < self._ttl_s * _MOST and self._heartbeat.now() - self._round_at < self._ttl_s

    def _seen(self) -> None:
        self._round_at = self._heartbeat.now()


@asynccontextmanager
async def kept_alive(settings: Settings, incarnation: str, heartbeat: Heartbeat) -> AsyncGenerator[None]:
    """Keep the heartbeat of this loop's worker alive inside this block."""
    keepalive = Keepalive(settings, incarnation, heartbeat, asyncio.get_running_loop())
    inside, ended = Future[asyncio.AbstractEventLoop](), asyncio.Event()

    async def look() -> None:
        inside.set_result(asyncio.get_running_loop())
        await keepalive.run(ended)

    def run() -> None:
        try:
            asyncio.run(look())
        finally:
            inside.cancel()  # Without room for another loop there is none.

    thread = threading.Thread(target=run, name="cohort-keepalive", daemon=True)
    thread.start()
    try:
        yield
    finally:
        with suppress(RuntimeError, CancelledError):  # it has ended
            inside.result().call_soon_threadsafe(ended.set)
        await asyncio.to_thread(thread.join, _LEAVES_S)
