"""Runs one session's own process (``isolation: process``): its turns alone, without Celery, until it rests for long.

The workers that all sessions share find out that it has work; they hand the session over and tell this process
(``workers.process.places``). It claims the session as each worker does, so what it writes is fenced as theirs is.
"""

import asyncio
import logging
import os
import signal
import socket
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from tasks.clock import Clock, SystemClock
from tasks.config.settings import Settings
from tasks.errors import CohortError, StoreUnavailable
from tasks.process import title
from tasks.process.ending import ending_signals
from tasks.process.stack_room import with_room
from tasks.publishing import Publisher, WorkNow
from tasks.session import SessionKey
from tasks.status.worker import WorkerStatus
from tasks.store.processes import membership as news
from tasks.store.processes import own as words
from tasks.store_watch import watch_store
from tasks.telemetry import loop_lag, metrics
from tasks.telemetry.logs import bind_fields, session_hash
from workers.process import limits, standstill
from workers.process.beats import Beats
from workers.process.memory import recycle, require_room
from workers.process.pausing import tell
from workers.process.start import freeze_startup_objects, no_steps
from workers.process.wiring import WorkerAssembly, open_worker
from workers.runtime.patches.remote_agents import away as agents_away
from workers.sessions.dependencies import StepHook
from workers.sessions.scheduler import SessionScheduler

log = logging.getLogger("cohort.own")

SESSION = "OWN_SESSION"
"""The variable that names the session: a command line would show it to every user of the machine."""
_LOOK_EVERY_S = 1.0


def run(settings: Settings, session: SessionKey, *, steps: StepHook = no_steps) -> None:
    """Run until SIGTERM, or until the session has rested for ``COHORT_OWN_IDLE``.

    Raises:
        Misconfigured: a setting or a card is wrong.
        StoreUnavailable: Redis is away at start.
    """
    title.show("own")
    limits.limit(settings)
    with_room(asyncio.run)(_opened(settings.model_copy(update={"lanes": 1}), session, steps))


async def _opened(settings: Settings, session: SessionKey, steps: StepHook) -> None:
    clock, incarnation = SystemClock(), settings.incarnation or f"own-{os.getpid()}"
    bind_fields(incarnation=incarnation)
    renew_cpu = partial(limits.renew_cpu, settings)
    steps = renewing(steps, renew_cpu)
    async with (
        open_worker(settings, incarnation, clock=clock, steps=steps, own=True) as worker,
        asyncio.TaskGroup() as loops,
    ):
        title.show(f"own {session_hash(str(session))}")
        freeze_startup_objects()
        require_room(settings.worker_max_rss_mib)
        process = OwnProcess(settings, session, worker, loops, clock, renew_cpu)
        for number in ending_signals():
            asyncio.get_running_loop().add_signal_handler(number, process.signalled, number)
        await process.run()


def renewing(steps: StepHook, renew_cpu: Callable[[], None]) -> StepHook:
    """These steps; behind a commit the next turn has processor time of its own."""

    def passed(name: str) -> None:
        if name == "committed":
            renew_cpu()
        steps(name)

    return passed


class OwnProcess:
    """The life of one such process, once everything is open."""

    def __init__(  # noqa: PLR0913, PLR0917 - what one process is made of
        self,
        settings: Settings,
        session: SessionKey,
        worker: WorkerAssembly,
        loops: asyncio.TaskGroup,
        clock: Clock,
        renew_cpu: Callable[[], None],
    ) -> None:
        self._settings = settings
        self._session = session
        self._worker = worker
        self._loops = loops
        self._clock = clock
        self._renew_cpu = renew_cpu
        self._own = worker.store.own
        self._incarnation = worker.dependencies.incarnation
        self._scheduler = SessionScheduler(worker.dependencies, loops, capacity=1, paused=worker.holds)
        self._beats = Beats(worker.dependencies, worker.store, self._scheduler, self._status)
        self.ending = asyncio.Event()
        self._idle_since: float | None = clock.now()
        self._yields = False
        """Another session waits for this place."""
        self._reloading = False
        """Each shared worker tells of changed cards; reading them once is enough."""

    def signalled(self, number: signal.Signals) -> None:
        """Drain; a second signal ends the process at once."""
        if self.ending.is_set() and number is not signal.SIGHUP:
            os._exit(128 + number)
        self.ending.set()

    async def run(self) -> None:
        """Serve the session until ``ending``, then let its turn end."""
        with suppress(StoreUnavailable):  # the loop below tries again
            await self._beat()
            await self._own.reported()
        async with asyncio.TaskGroup() as group:
            publisher = self._publisher()
            tasks = [
                group.create_task(work, name=name)
                for name, work in (
                    ("heartbeat", self._beats.run(self._beat)),
                    ("words", self._word_loop()),
                    ("rest", self._rest_loop()),
                    ("pauses", self._worker.pauses.watch(tell)),
                    ("titles", self._worker.titles.run()),
                    ("publisher", publisher.run()),
                    ("store", watch_store(self._worker.store.layout, self._show)),
                    ("loop lag", loop_lag.measure(self._clock.monotonic)),
                    ("standstill", standstill.watch()),
                    ("recycle", recycle(lambda: self._settings.worker_max_rss_mib or 0, end=self.ending.set)),
                )
            ]
            if self._worker.bots is not None:
                tasks.append(group.create_task(self._worker.bots.watch(), name="bots"))
            log.info("own.ready", extra={"session": str(self._session)})
            await self.ending.wait()
            log.info("own.ending", extra={"session": str(self._session), "at_work": self._scheduler.at_work})
            # The heartbeat goes on: it holds the claim of a turn that runs.
            await self._scheduler.drain(self._settings.drain_grace.total_seconds())
            await self._beats.write_trail()
            for task in tasks:
                task.cancel()
            await publisher.end()
        with suppress(StoreUnavailable):
            await self._own.release(self._session, self._incarnation)
            # The workers look at once: something may have come that this process was told too late.
            await self._worker.store.members.report_death(self._incarnation)

    # -- what it is told

    async def _word_loop(self) -> None:
        while True:
            try:
                async for word in self._own.listen(self._session):
                    await self._told(word)
            except StoreUnavailable:
                await asyncio.sleep(1.0)

    async def _told(self, word: str) -> None:
        session, scheduler = self._session, self._scheduler
        match word:
            # What came while nothing was heard is found in the inbox.
            case "subscribed" | words.DOORBELL:
                self._wake()
            case words.CONTROL if scheduler.has(session):
                scheduler.interrupt(session)
            case words.CONTROL:
                self._wake()
            case words.YIELD:
                self._yields = True
                self._rest()
            case words.FORGET:
                await scheduler.end(session)
                self.ending.set()
            case words.RELOAD if not self._reloading:
                self._reloading = True
                self._loops.create_task(self._reload(), name="reload")
            case news.LOOK:
                self._beats.now.set()
            case _ if word == f"{news.TAKEN}{session}":
                await scheduler.taken(session)
            case _ if word in {words.LEAVE, f"{news.FORGOTTEN}{session}"} and not scheduler.awake:
                self.ending.set()
            case _:
                pass

    def _wake(self) -> None:
        if not self.ending.is_set():
            self._loops.create_task(self._visit(), name="doorbell")

    async def _visit(self) -> None:
        # Not for a turn that runs: each sweep of a shared worker passes a doorbell on, so it would have no limit.
        if not self._scheduler.awake:
            self._renew_cpu()
        self._idle_since = None
        await self._scheduler.visit(self._session)
        self._rest()

    def _rest(self) -> None:
        if self._scheduler.awake:
            return
        if self._yields:
            self.ending.set()
        elif self._idle_since is None:
            self._idle_since = self._clock.now()

    async def _reload(self) -> None:
        try:
            with suppress(CohortError):  # the workers have told what is wrong with the cards
                # The tools of other bots' cards are programs: no tool of theirs runs beside this session.
                await self._worker.engine.reload(every_bot=False)
        finally:
            self._reloading = False

    # -- what it does by the clock

    async def _beat(self) -> None:
        await self._beats.beat(member=False)
        if not await self._own.keep(self._session, self._incarnation, self._settings.heartbeat_ttl):
            # This one was silent for too long, and another one took the place.
            log.warning("own.replaced", extra={"session": str(self._session)})
            self.ending.set()

    async def _rest_loop(self) -> None:
        rest_s = self._settings.own_idle.total_seconds()
        while self._idle_since is None or self._clock.now() - self._idle_since < rest_s:  # noqa: ASYNC110 - the clock
            await asyncio.sleep(min(_LOOK_EVERY_S, rest_s))
        self.ending.set()

    def _show(self) -> None:
        title.show(f"own {session_hash(str(self._session))}")

    def _publisher(self) -> Publisher:
        work = WorkNow(oldest_s=lambda: 0.0, running=lambda: self._scheduler.at_work, lanes=1)
        metrics.watch(metrics.AWAKE, lambda: self._scheduler.awake)
        metrics.watch(metrics.AT_WORK, lambda: self._scheduler.at_work)
        return Publisher(self._worker.store.figures, self._incarnation, self._clock, work)

    def _status(self) -> WorkerStatus:
        engine = self._worker.engine
        return WorkerStatus(
            host=socket.gethostname(),
            pid=os.getpid(),
            lanes=1,
            awake=self._scheduler.awake,
            at_work=self._scheduler.at_work,
            turns=self._scheduler.turns,
            agents=tuple(engine.agents),
            servers_down=tuple(engine.servers_down),
            agents_away=agents_away(),
            models=engine.breaker.failing,
            sends=self._worker.sends(),
            idle_since=self._idle_since,
        )
