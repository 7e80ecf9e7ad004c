"""The processes of a run: workers and bots, started again when they end, each end explained."""

import re
import signal
from collections.abc import Callable
from random import Random

from tests.chaos.service import Service
from tests.harness import bot as bots
from tests.harness import worker as workers
from tests.harness.processes import Process
from tests.harness.product import Harness

RESTARTABLE = ("worker: ", "cohort bot: ", "cohort: ")
"""A process that says this at its end could not start for now (Redis is away); a supervisor starts it again."""

_LATE = re.compile(r"heartbeat\.late\b.*\bseconds=([0-9.]+)")


def late_s(line: str) -> float:
    """By how many seconds a heartbeat came too late, as a worker logs it; 0 in another line."""
    found = _LATE.search(line)
    return float(found[1]) if found else 0


class Pool:
    """Keeps ``workers`` workers and ``bots`` bots running; failpoints are set when they start.

    ``service``: beside them, a `cohort up` with its own bot and workers, if there is one.
    """

    def __init__(
        self,
        harness: Harness,
        random: Random,
        *,
        steps: bool,
        sabotage: str,
        ended: Callable[[str, Process | None, float], None],
    ) -> None:
        """``ended``: told of each end that was not ordered: ``step-<name>``, ``restart``, or ``crash``; and of each
        ``late-worker``, whose heartbeat came too late on a machine with too much to do; and how long ago it began.
        Told without the process where it is one of those under the `cohort up`: their ids stand in no line.
        """
        self._harness = harness
        self._random = random
        self._steps = steps
        self._sabotage = sabotage
        self._ended = ended
        self.workers: list[Process] = []
        self.bots: list[Process] = []
        self.leaving: list[Process] = []
        """Told to end; they are to end with status 0."""
        self.all: list[Process] = []
        self.service: Service | None = None
        self._read: dict[int, int] = {}
        """How many lines of a process were looked at."""

    def add_service(self, workers: int) -> Process:
        self.service = Service(self._harness, workers)
        return self.service.start()

    def add_worker(self) -> Process:
        order = ""
        if self._steps and self._random.random() < 0.7:
            order = f"{self._random.choice(workers.STEPS)}:{self._random.randint(20, 250)}"
        process = self._harness.worker(
            ready=False, module="tests.harness.worker", CHAOS_STEP=order, CHAOS_SABOTAGE=self._sabotage
        )
        self.workers.append(process)
        self.all.append(process)
        return process

    def add_bot(self) -> Process:
        order = ""
        if self._steps and self._random.random() < 0.4:
            order = f"{self._random.choice(bots.STEPS)}:{self._random.randint(100, 600)}"
        process = self._harness.bot(
            ready=False, module="tests.harness.bot", CHAOS_STEP=order, CHAOS_SABOTAGE=self._sabotage
        )
        self.bots.append(process)
        self.all.append(process)
        return process

    def victim(self) -> Process:
        """A worker to break: one that is ready, mostly while another is, so that there are moments with none at all."""
        ready = [worker for worker in self.workers if "worker.ready" in worker.output]
        spare = len(ready) > 1 or self._random.random() < 0.2
        return self._random.choice(ready if ready and spare else self.workers[-1:])

    def kill(self, process: Process, among: list[Process]) -> list[int]:
        """SIGKILL, on order; another takes its place. Its process id, as the list of those that were broken."""
        among.remove(process)
        process.kill()
        self._replace(among)
        return [process.pid]

    async def kill_all(self) -> list[int]:
        """SIGKILL, everything but Redis at once, as when a machine goes; all of it starts again."""
        pids = [
            pid for among in (self.workers, self.bots) for process in list(among) for pid in self.kill(process, among)
        ]
        return [*pids, *((await self.service.kill()) or ())] if self.service is not None else pids

    def look(self) -> None:
        """Replace what has ended by itself."""
        for process in [one for one in self.leaving if not one.alive]:
            self.leaving.remove(process)
            # One that was still starting has no handlers as yet; it had nothing either.
            status = process.wait()
            begun = "worker.ready" in process.output
            if status not in (0, *([] if begun else [-signal.SIGTERM])) and "chaos.step" not in process.output[-40:]:
                self._ended("crash", process, 0)
        for among in (self.workers, self.bots):
            for process in [one for one in among if not one.alive]:
                among.remove(process)
                self._explain(process)
                self._replace(among)
        if self.service is not None and not self.service.busy and not self.service.process.alive:
            self._explain(self.service.process)
            self.service.start()

    def listen(self) -> None:
        """Hear of heartbeats that came too late."""
        supervised = self.service.lives if self.service else []
        for process in (*self.all, *supervised):
            lines = process.lines[self._read.get(id(process), 0) :]
            self._read[id(process)] = self._read.get(id(process), 0) + len(lines)
            for line in lines:
                if late := late_s(line):
                    self._ended("late-worker", None if process in supervised else process, late + 1)

    def _explain(self, process: Process) -> None:
        process.wait()
        said = process.lines[-1] if process.lines else ""
        if "chaos.step" in said:
            self._ended(f"step-{said.split()[-1]}", process, 0)
        elif "worker.renamed" in process.output:
            # It stood still for so long that another worker has its name: it drains and ends.
            self._ended("renamed", process, 0)
        elif said.startswith(RESTARTABLE):
            self._ended("restart", process, 0)
        else:
            self._ended("crash", process, 0)

    def _replace(self, among: list[Process]) -> None:
        if among is self.workers:
            self.add_worker()
        else:
            self.add_bot()
