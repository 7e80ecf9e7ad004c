"""Workers of a test: each an incarnation with a line of its own to the real Redis, that can be killed anywhere."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from tasks.clock import SystemClock
from tasks.envelope import Inbound
from tasks.errors import StoreUnavailable
from tasks.ports import TurnReport
from tasks.session import SessionKey
from tasks.settings import Settings, load
from tasks.store import Store, connect
from tasks.store.intake import Accept
from tasks.worker_status import WorkerStatus
from tests.conftest import BOT, TOKEN
from tests.workers.cable import Cable
from tests.workers.fakes import (
    PATIENCE_S,
    Changes,
    FakeClock,
    Killed,
    Model,
    Naps,
    ScriptedDelivery,
    ScriptedRuntime,
    Telegram,
)
from workers.interfaces import AgentRuntime
from workers.process.membership import Member
from workers.process.places import SharedPlace
from workers.sessions.alerts import Alerts
from workers.sessions.dependencies import Dependencies, NoTitles, Titles
from workers.sessions.heartbeat import Heartbeat
from workers.sessions.scheduler import SessionScheduler

LONG = timedelta(minutes=5)


def session(chat: int) -> SessionKey:
    return SessionKey(BOT, chat)


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
                    alerts=Alerts(self.settings, self.store.alerts, self.store.intake),
                    closed=self.store.closed,
                    clock=self.pool.clock,
                    heartbeat=self.heartbeat,
                    steps=self._steps,
                    titles=self._titles,
                    expire=self.store.erasure.expire,
                    sleep=self.pool.naps,
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


class Pool:
    """Redis, Telegram, the model, and the workers between them. ``clock`` stands still unless a nap is taken."""

    def __init__(self, settings: Settings, group: asyncio.TaskGroup) -> None:
        self.settings = settings
        self.clock = FakeClock()
        self.naps = Naps(self.clock)
        self.telegram = Telegram()
        self.model = Model()
        self.workers: dict[str, Worker] = {}
        self.store: Store
        self.changes = Changes()
        self.loop = asyncio.get_running_loop()
        self._group = group
        self._last_update = 0

    async def worker(
        self,
        name: str,
        *,
        lanes: int = 32,
        capacity: int = 64,
        sweeps: bool = False,
        real: AgentRuntime | None = None,
        titles: Titles | None = None,
        isolated: frozenset[SessionKey] = frozenset(),
        **environ: str,
    ) -> Worker:
        """A new incarnation, alive and ready. ``sweeps``: it takes slots, and needs no doorbells.

        ``real``: a runtime in place of the scripted one (``lanes`` is that one's). ``isolated``: sessions that need a
        process of their own.
        """
        redis = urlsplit(self.settings.redis)
        cable = await Cable((redis.hostname or "127.0.0.1", redis.port or 6379)).__aenter__()
        base = {"REDIS_URL": cable.url, "TELEGRAM_BOT_TOKEN": TOKEN}
        worker = self.workers[name] = Worker(
            self,
            name,
            load({**base, **environ}),
            cable,
            lanes=lanes,
            capacity=capacity,
            sweeps=sweeps,
            real=real,
            titles=titles,
            isolated=isolated,
        )
        worker.begin(self._group)
        async with asyncio.timeout(PATIENCE_S):
            await worker.ready.wait()
        return worker

    def doorbell(self, worker: Worker, where: SessionKey) -> None:
        """A doorbell whose end no test waits for."""
        self._group.create_task(worker.visited(where), name=f"doorbell {where}")

    async def say(self, chat: int, text: str = "", **fields: Any) -> int:
        """A message (or a control word) is accepted; its update id."""
        (update,) = await self.say_all(chat, {"text": text, **fields})
        return update

    async def say_all(self, chat: int, *messages: dict[str, Any]) -> list[int]:
        """Several in one batch."""
        batch: list[Accept] = []
        for fields in messages:
            self._last_update += 1
            update = self._last_update
            stated = {"session": str(session(chat)), "update_id": update, "at": self.clock.now(), **fields}
            batch.append(Accept(update, inbound=Inbound.model_validate({"message_id": update, **stated})))
        # Each id is new, so one that was seen was taken by the first attempt of a call that redis-py repeated: that
        # happens where the machine stands still for longer than the client waits for an answer.
        assert set(await self.store.intake.accept(BOT, batch)) <= {"accepted", "seen"}
        return [accept.update_id for accept in batch]

    async def state(self, where: SessionKey) -> dict[str, str]:
        """What the session's state says now, history aside."""
        raw = await self.store.redis.hgetall(f"cohort:s:{where}:state")
        return {name.decode(): value.decode() for name, value in raw.items()}

    async def raw_inbox(self, where: SessionKey) -> list[bytes]:
        return await self.store.redis.lrange(f"cohort:s:{where}:inbox", 0, -1)

    async def pending(self) -> list[SessionKey]:
        """The sessions that a sweep would find."""
        found = await self.store.sessions.sweep(range(64), 9, self.clock.now())
        return [where for work in found for where in work.sessions]

    async def idle(self, where: SessionKey) -> bool:
        """Whether nothing waits, nothing is owed, and the session is released."""
        glance = await self.store.sessions.glance(where)
        owed = await self.store.redis.exists(f"cohort:s:{where}:outbox")
        return (glance.waiting, owed, glance.running_on) == (0, 0, None)

    async def all_leave(self) -> None:
        """Every worker that lives drains."""
        for worker in self.workers.values():
            worker.drain()
        for worker in self.workers.values():
            async with asyncio.timeout(PATIENCE_S):
                await worker.ended.wait()

    async def end(self) -> None:
        for worker in self.workers.values():
            if not worker.ended.is_set():
                worker.cable.mend()
                await worker.stop()
        for worker in self.workers.values():
            await worker.cable.__aexit__(None, None, None)


@asynccontextmanager
async def opened(settings: Settings) -> AsyncGenerator[Pool]:
    """A pool without workers yet; ends those that still live."""
    async with connect(settings, SystemClock()) as store, asyncio.TaskGroup() as group:
        pool = Pool(settings, group)
        pool.store = store
        try:
            yield pool
        finally:
            await pool.end()
