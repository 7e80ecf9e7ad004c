"""A worker of the pool: the real scheduler over a real store, in front of a scripted model."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from tasks.config.settings import Settings
from tasks.errors import StoreUnavailable
from tasks.ports import TurnReport
from tasks.session import SessionKey
from tasks.status.worker import WorkerStatus
from tasks.store import Store, connect
from tasks.store.records.alerts import AlertStore
from tests.workers.cable import Cable
from tests.workers.fake_model import ScriptedRuntime
from tests.workers.fake_telegram import ScriptedDelivery
from tests.workers.fakes import PATIENCE_S, Killed
from workers.interfaces import AgentRuntime
from workers.process.membership import Member
from workers.process.places import SharedPlace
from workers.sessions.alerts import Alerts, in_charge
from workers.sessions.dependencies import Dependencies, NoTitles, Titles
from workers.sessions.heartbeat import Heartbeat
from workers.sessions.scheduler import SessionScheduler

if TYPE_CHECKING:
    from tests.workers.pool import Pool

LONG = timedelta(minutes=5)


def alerts_of(settings: Settings, store: Store, kept: AlertStore | None = None) -> Alerts:
    """The alerts of a worker of one bot, as it makes them."""
    operators = partial(in_charge, {settings.bot_id: settings}, store.people)
    return Alerts(kept or store.alerts, store.intake, operators=operators)


class Worker:
    """One incarnation. ``at_step`` may kill it: told each step, it says whether that is the last one."""

    def __init__(
        self,
        pool: "Pool",
        name: str,
        settings: Settings,
        cable: Cable,
        *,
        lanes: int,
        capacity: int,
        sweeps: bool,
        real: AgentRuntime | None,
        titles: Titles | None,
        isolated: frozenset[SessionKey],
    ) -> None:
        self._titles = titles or NoTitles()
        self._isolated = isolated
        self._capacity = capacity
        self._sweeps = sweeps
        self.name = name
        self.cable = cable
        self.at_step: Callable[[str], bool] = lambda _step: False
        self.passed: list[str] = []
        self.dead = False
        self.pool = pool
        self.settings = settings
        self.delivery = ScriptedDelivery(pool.telegram, lambda: self.dead)
        self.runtime = ScriptedRuntime(pool.model, name, lanes)
        self._real = real
        self.ready = asyncio.Event()
        self.ended = asyncio.Event()
        self._leave = asyncio.Event()
        self._grace_s = 0.0
        self.left: list[SessionKey] = []
        self._task: asyncio.Task[None] | None = None
        self.scheduler: SessionScheduler
        self.deps: Dependencies
        self.member: Member | None = None
        self.queues: frozenset[str] = frozenset()
        self.store: Store
        self.heartbeat: Heartbeat
        self._loops: asyncio.TaskGroup

    def begin(self, group: asyncio.TaskGroup) -> None:
        self._task = group.create_task(self._main(), name=f"worker {self.name}")

    def doorbell(self, where: SessionKey) -> asyncio.Task[TurnReport]:
        """A doorbell, as it comes from Celery's pool."""
        return self._loops.create_task(self.scheduler.visit(where), name=f"doorbell {where}")

    async def visited(self, where: SessionKey) -> None:
        """The same, whatever becomes of the worker."""
        with suppress(asyncio.CancelledError, RuntimeError, Killed):
            await self.scheduler.visit(where)

    async def answer(self, where: SessionKey) -> TurnReport:
        async with asyncio.timeout(PATIENCE_S):
            return await self.doorbell(where)

    def cut(self) -> None:
        """kill -9: nothing more comes from it."""
        self.dead = True
        self.cable.cut()
        if self._task is not None:
            self._task.cancel()

    async def kill(self) -> None:
        """The same, seen by its supervisor."""
        self.cut()
        await self.has_ended()

    async def has_ended(self) -> None:
        """Wait for its end, and report it, as its supervisor would."""
        async with asyncio.timeout(PATIENCE_S):
            await self.ended.wait()
        await self.pool.store.members.report_death(self.name)

    def drain(self, grace_s: float = PATIENCE_S) -> None:
        """SIGTERM."""
        self._grace_s = grace_s
        self._leave.set()

    async def stop(self) -> None:
        """Let it end at once."""
        self.drain(0)
        async with asyncio.timeout(PATIENCE_S):
            await self.ended.wait()

    def cancel_turns(self) -> None:
        """What a drain does when its grace is over."""
        for _, task in self.scheduler._loops.values():
            task.cancel()

    def _steps(self, step: str) -> None:
        self.passed.append(step)
        if not self.dead and self.at_step(step):
            self.dead = True
            self.cable.cut()
        if self.dead:
            raise Killed

    async def _serve(self, member: Member) -> None:
        """As workers.process.app does."""
        async with asyncio.TaskGroup() as group:
            beating = group.create_task(member.run(), name="member")
            self.ready.set()
            await self._leave.wait()
            await member.leave()
            self.left = [*await self.scheduler.drain(self._grace_s)]
            beating.cancel()

    async def _forget(self, _: object) -> None:
        """No files here."""

    def _consume(self, queues: frozenset[str]) -> None:
        """Called in a thread."""
        self.queues = queues
        self.pool.loop.call_soon_threadsafe(self.pool.changes.tell)

    async def _main(self) -> None:
        try:
            async with connect(self.settings, self.pool.clock) as self.store, asyncio.TaskGroup() as self._loops:
                self.heartbeat = Heartbeat(self.pool.clock, self.settings.heartbeat_ttl)
                await self.store.members.beat(self.name, WorkerStatus(), LONG, member=self._sweeps)
                self.heartbeat.renewed(self.heartbeat.now())
                deps = self.deps = Dependencies(
                    incarnation=self.name,
                    settings=self.settings,
                    sessions=self.store.sessions,
                    moves=self.store.moves,
                    journal=self.store.journal,
                    earlier=self.store.earlier,
                    reminders=self.store.reminders,
                    runtime=self._real or self.runtime,
                    delivery=self.delivery,
                    alerts=alerts_of(self.settings, self.store),
                    closed=self.store.closed,
                    intake=self.store.intake,
                    clock=self.pool.clock,
                    heartbeat=self.heartbeat,
                    steps=self._steps,
                    titles=self._titles,
                    expire=self.store.erasure.expire,
                    sleep=self.pool.naps,
                    model_facts=lambda name: (f"Maker of {name}",),
                    places=SharedPlace(self.store.own, lambda where, _agent: where in self._isolated, self.pool.clock),
                )
                self.scheduler = SessionScheduler(deps, self._loops, capacity=self._capacity)
                if self._sweeps:
                    self.member = Member(
                        deps,
                        self.store,
                        self.scheduler,
                        consume=self._consume,
                        status=WorkerStatus,
                        forget=self._forget,
                    )
                if self.member is None:
                    self.ready.set()
                    await self._leave.wait()
                    self.left = [*await self.scheduler.drain(self._grace_s)]
                else:
                    await self._serve(self.member)
                with suppress(StoreUnavailable):
                    await self.store.members.report_death(self.name)
        except* Killed:
            pass
        except* asyncio.CancelledError:
            if not self.dead:
                raise
        finally:
            self.ready.set()
            self.ended.set()
