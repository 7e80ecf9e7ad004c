"""The host of sessions' own processes (``isolation: process``): starts them on demand, and makes room for others.

A worker that finds such a session asks in Redis (``tasks.store.processes.own``); any host may take the order, by the
lease of the session's place. The processes end by themselves when their sessions rest, and are not started again: the
next message asks for another one.
"""

import asyncio
import logging
import os
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from math import inf
from uuid import uuid4

from ops.up.managed import ManagedProcess, describe
from ops.up.process import Spec
from ops.up.supervisor import Supervisor
from tasks.backoff import Backoff
from tasks.bounded_dict import BoundedDict
from tasks.clock import Clock
from tasks.errors import CohortError
from tasks.session import SessionKey
from tasks.status.worker import OwnHostStatus
from tasks.store import Store
from tasks.store.processes.own import BEAT, LEAVE, PREFIX, STARTING, YIELD
from tasks.waiting import came_within

log = logging.getLogger("cohort.supervisor")

SESSION = "OWN_SESSION"
"""The variable by which a process learns whose it is (``workers.process.own``)."""
_SETTLED_S = 30.0
"""A process that fails sooner is not started again at once a second time."""
_ASKED_TO_LEAVE_S = 2.0
"""A process that was asked to leave, and has not, works: another one may be asked then."""
_MAY_START_S = 90.0
"""A process that has not reported by then never will; another one is tried."""
_REMEMBERED = 1000
"""Sessions whose processes failed, at most."""


@dataclass(slots=True)
class _OwnPlace:
    """One process."""

    number: int
    session: SessionKey
    incarnation: str
    process: ManagedProcess
    began: float
    reported: bool = False
    """Its first heartbeat was seen; from then on it keeps its place itself."""
    asked_to_leave: float = -inf
    yields: bool = False
    """It was asked to leave as soon as it rests."""


@dataclass(slots=True)
class _Failures:
    """Of one session's processes."""

    backoff: Backoff
    not_before: float = 0.0


class OwnProcesses:
    """The processes of this host."""

    def __init__(  # noqa: PLR0913 - what one host is made of
        self,
        supervisor: Supervisor,
        store: Store,
        clock: Clock,
        *,
        most: int,
        make: Callable[[int], Spec],
        at_once: int | None = None,
    ) -> None:
        """Prepare the host.

        Args:
            supervisor: Keeps the processes, and ends them with all others.
            store: Redis.
            clock: Tells the time.
            most: How many run at a time at most.
            make: How the process in the place of that number is started.
            at_once: How many may be starting at a time; default: twice the processors. More would only slow each other,
                and the processes that work, until heartbeats come too late.
        """
        self._supervisor = supervisor
        self._store = store
        self._clock = clock
        self._most = most
        self._make = make
        self._at_once = at_once or 2 * (os.cpu_count() or 1)
        self._host = f"{socket.gethostname()}-{uuid4().hex[:8]}"
        self._places: dict[str, _OwnPlace] = {}
        """By incarnation: a session whose process stands still has a second one."""
        self._failures: BoundedDict[SessionKey, _Failures] = BoundedDict(_REMEMBERED)
        self._look = asyncio.Event()
        self._starts = self._evictions = self._failures_seen = 0

    async def run(self) -> None:
        """Start what is asked for, until cancelled; without Redis, keep trying."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._listen(), name="own requests")
                group.create_task(self._beat_loop(), name="own host")
                while True:
                    await came_within(self._look, 1.0)
                    self._look.clear()
                    await self._persistently(self._serve)
        finally:
            with suppress(CohortError, TimeoutError):
                async with asyncio.timeout(1):
                    await self._store.own.leave(self._host)

    async def _listen(self) -> None:
        while True:
            with suppress(CohortError):
                async for _ in self._store.own.requests():
                    self._look.set()
            await asyncio.sleep(1.0)

    async def _beat_loop(self) -> None:
        while True:
            await self._persistently(self._beat)
            await asyncio.sleep(BEAT.total_seconds())

    async def _persistently(self, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        except CohortError as problem:
            log.debug("own.missed", extra={"problem": str(problem)})

    async def _beat(self) -> None:
        await self._store.server.follow()
        idle = await self._resting()
        alive = len(self._places)
        await self._store.own.beat(
            self._host,
            OwnHostStatus(
                host=socket.gethostname(),
                pid=os.getpid(),
                most=self._most,
                alive=alive,
                busy=max(0, alive - len(idle)),
                starts=self._starts,
                evictions=self._evictions,
                failures=self._failures_seen,
                processes={name: place.process.spec.name for name, place in self._places.items()},
            ),
        )

    async def _resting(self) -> dict[str, float]:
        """The processes that rest, by incarnation, and since when."""
        said = await self._store.own.statuses(self._places)
        return {name: status.idle_since for name, status in said.items() if status.idle_since is not None}

    # -- starting

    async def _serve(self) -> None:
        await self._follow_starts()
        lacking = 0
        wanted = await self._store.own.wanted()
        # A worker may ask while the process is being started that another one has asked for.
        served = await self._store.own.has_process(place.session for place in self._places.values()) if wanted else ()
        for session in wanted:
            if session in served:
                await self._store.own.drop_wanted(session)
            elif len(self._places) >= self._most:
                lacking += 1
            elif len(self._starting()) >= self._at_once:
                break  # the first heartbeat of one of them is told, and the next one is started
            elif (failed := self._failures.get(session)) is None or failed.not_before <= self._clock.monotonic():
                await self._start(session)
        if lacking:
            await self._make_room(lacking)

    async def _start(self, session: SessionKey) -> None:
        incarnation = f"{PREFIX}{uuid4().hex[:10]}"
        taken = await self._store.own.keep(session, incarnation, STARTING)
        await self._store.own.drop_wanted(session)
        if not taken:
            return
        number = next(number for number in range(1, self._most + 1) if number not in self._numbers())
        spec = self._make(number)
        env = {**spec.env, "COHORT_INCARNATION": incarnation, SESSION: str(session)}
        process = self._supervisor.keep(replace(spec, env=env, once=True, own=True))
        place = self._places[incarnation] = _OwnPlace(number, session, incarnation, process, self._clock.monotonic())
        self._starts += 1
        self._supervisor.beside(self._until_ended(place), f"end of own-{number}")

    def _starting(self) -> list[_OwnPlace]:
        return [place for place in self._places.values() if not place.reported]

    async def _follow_starts(self) -> None:
        """Renew the places of those that start, however long a busy machine takes for it."""
        starting, now = self._starting(), self._clock.monotonic()
        reported = await self._store.own.statuses(place.incarnation for place in starting)
        for place in starting:
            if place.incarnation in reported:
                place.reported = True
            elif now - place.began > _MAY_START_S:
                if place.process.current is not None:
                    place.process.current.kill()
            elif place.incarnation in self._places:
                await self._store.own.keep(place.session, place.incarnation, STARTING)
                if place.incarnation not in self._places:  # it ended meanwhile
                    await self._store.own.release(place.session, place.incarnation)

    def _numbers(self) -> set[int]:
        return {place.number for place in self._places.values()}

    async def _until_ended(self, place: _OwnPlace) -> None:
        await place.process.ended.wait()
        status, name = place.process.status, place.process.spec.name
        del self._places[place.incarnation]
        if status not in (None, 0) and not place.process.leaving.is_set():
            self._failed(place, name, describe(status))
        elif place.yields or place.asked_to_leave > -inf:
            self._evictions += 1
        # First its place: the workers look at once when they hear of its death.
        await self._persistently(lambda: self._store.own.release(place.session, place.incarnation))
        await self._persistently(lambda: self._store.members.report_death(place.incarnation))
        self._look.set()

    def _failed(self, place: _OwnPlace, name: str, how: str) -> None:
        """It is started again when it is asked for again, as soon as a worker that failed would be."""
        now = self._clock.monotonic()
        lasted = now - place.began
        self._failures_seen += 1
        failures = self._failures.get(place.session)
        if lasted > _SETTLED_S or failures is None:
            failures = _Failures(Backoff(0.5, 30.0))
            pause = 0.0
        else:
            pause = failures.backoff.next()
        failures.not_before = now + pause
        self._failures[place.session] = failures
        self._supervisor.console.say(
            f"{name} {how} after {lasted:.0f} s" + (f"; again in {pause:.1f} s" if pause else "")
        )

    # -- making room

    async def _make_room(self, lacking: int) -> None:
        """Ask those that rest for the longest time to leave, and more of those that work to do so when they rest."""
        resting, now = await self._resting(), self._clock.monotonic()
        leaving = {name for name, place in self._places.items() if now - place.asked_to_leave < _ASKED_TO_LEAVE_S}
        may_leave = sorted(resting.keys() & self._places.keys() - leaving, key=lambda name: resting[name])
        for name in may_leave[: max(0, lacking - len(leaving))]:
            self._places[name].asked_to_leave = now
            await self._store.own.tell(self._places[name].session, LEAVE)
        # These need not be found at rest by their heartbeats, which takes longer than a short turn.
        at_work = [place for name, place in self._places.items() if place.reported and name not in resting]
        # The same ones again: one that has just started may not have heard it.
        at_work.sort(key=lambda one: (not one.yields, one.began))
        for place in at_work[: max(0, lacking - len(resting))]:
            place.yields = True
            await self._store.own.tell(place.session, YIELD)
