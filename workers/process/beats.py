"""One heartbeat of a worker process, and what goes out with it: the turns that ended since the last one."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from tasks.errors import CohortError, StoreUnavailable
from tasks.outage import OnceAMinute, Outage
from tasks.status.worker import WorkerStatus
from tasks.store import Store
from tasks.waiting import came_within
from workers.sessions.dependencies import Dependencies
from workers.sessions.scheduler import SessionScheduler

log = logging.getLogger("cohort.members")

BEATS_PER_TTL = 5
"""Heartbeats sent within one time to live: some may be lost or late without the worker being taken for dead."""

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
