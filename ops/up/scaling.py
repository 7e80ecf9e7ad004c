"""How many workers run here: a number that an operator gave, or what the load asks for."""

import asyncio
from collections.abc import Callable

from ops.home import Scale
from ops.up.load_policy import History, Seen, decide
from ops.up.process import Spec
from ops.up.supervisor import Supervisor
from tasks.config.settings import Settings
from tasks.config.worker_count import MAX_WORKERS, WorkerCount
from tasks.errors import CohortError, Misconfigured
from tasks.process.memory import available_mib, pss_mib, room
from tasks.store import Store

LOOK_EVERY_S = 2.0
_PATIENCE_S = 5.0


class Scaling:
    """Starts and drains workers through the supervisor."""

    def __init__(
        self, supervisor: Supervisor, make: Callable[[int], Spec], settings: Settings, tell: Callable[[Scale], None]
    ) -> None:
        """``tell`` is called with each change."""
        self._supervisor = supervisor
        self._make = make
        self._settings = settings
        self._tell = tell
        self._history = History()
        self._held = ""
        self._by_load = asyncio.Event()
        self.count = settings.workers

    def begin(self) -> list[str]:
        """Start the first workers; gives their names."""
        return self.set(self.count)

    def set(self, count: WorkerCount) -> list[str]:
        """Let the load decide between these bounds, or stop that and have this number. Gives whose number changed.

        With bounds, the workers that run stay where they are within them.
        """
        self.count, self._history, self._held = count, History(), ""
        if count.auto:
            self._by_load.set()
        else:
            self._by_load.clear()
        now = len(self._supervisor.workers())
        return self._scale(min(max(now, count.least), count.most), "asked for")

    def by_hand(self, number: int) -> list[str]:
        """Have this number, and no longer let the load decide.

        Raises:
            Misconfigured: that is no number of workers.
        """
        if not 0 <= number <= MAX_WORKERS:
            raise Misconfigured(f"the number of workers must be between 0 and {MAX_WORKERS}")
        return self.set(WorkerCount(number, number))

    async def follow(self, store: Store) -> None:
        """Look at the load again and again while it decides; never returns."""
        while True:
            await self._by_load.wait()
            await asyncio.sleep(LOOK_EVERY_S)
            await self.look(store)

    async def look(self, store: Store) -> None:
        """Look once, and do what follows. A Redis that is away, or whose keys are damaged, changes nothing."""
        try:
            async with asyncio.timeout(_PATIENCE_S):
                seen = await self._seen(store)
        except (CohortError, TimeoutError):
            return
        if not self.count.auto or seen.own != len(self._supervisor.workers()):
            return  # an operator was faster
        verdict = decide(seen, self._history, self.count)
        self._history = verdict.history
        if verdict.count != seen.own:
            self._held = ""
            self._scale(verdict.count, verdict.why)
        elif verdict.held and verdict.held != self._held:
            self._held = verdict.held
            self._supervisor.console.say(f"{seen.own} workers stay: {verdict.why}")
        elif verdict.calm:
            self._held = ""

    def _scale(self, number: int, why: str) -> list[str]:
        before = len(self._supervisor.workers())
        changed = self._supervisor.scale(number, self._make)
        if changed and self.count.auto:
            verb = "starting" if number > before else "draining"
            self._supervisor.console.say(f"{before} -> {number} workers ({why}): {verb} {', '.join(changed)}")
        self._tell(Scale(wanted=number, least=self.count.least, most=self.count.most, auto=self.count.auto, why=why))
        return changed

    async def _seen(self, store: Store) -> Seen:
        members = (await store.members.look()).members
        pending = sum(depth.sessions for depth in await store.sessions.depths(range(self._settings.slots)))
        pauses = await store.pauses.look()
        awake = sum(max(status.awake, status.at_work) for status in members.values())
        queued = sum(status.queued for status in members.values())
        futile = "the turns are paused" if pauses.turns is not None else ""
        if members and all(any(model.open for model in status.models.values()) for status in members.values()):
            futile = futile or "the model is down"
        workers = self._supervisor.workers()
        runs = [process.current for process in workers if process.current is not None]
        died = self._supervisor.worker_died
        now = self._supervisor.clock.monotonic()
        return Seen(
            at=now,
            running=sum(max(0, status.at_work - status.queued) for status in members.values()),
            # Sessions that an operator has paused keep their work, and no worker may take it.
            waiting=max(0, pending - awake - len(pauses.sessions)) + queued,
            lanes=sum(status.lanes for status in members.values()),
            own=len(workers),
            ready=sum(run.incarnation in members for run in runs),
            lanes_each=self._settings.lanes,
            died_s=None if died is None else now - died,
            futile=futile,
            room=room(available_mib(), (pss_mib(run.pid) for run in runs)),
        )
