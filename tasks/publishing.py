"""What a process says of itself every few seconds: its metrics, and (a worker) its counts for the console's plots."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from prometheus_client import generate_latest

from tasks.clock import Clock
from tasks.errors import CohortError
from tasks.store.processes.figures import EVERY, FigureStore
from tasks.telemetry.exposition import packed
from tasks.telemetry.rollups import MetricCounts, Rollups

log = logging.getLogger("cohort.metrics")


@dataclass(frozen=True, slots=True)
class WorkNow:
    """What a worker does, read when it is asked."""

    oldest_s: Callable[[], float]
    """Seconds that the oldest of what waits has waited."""
    running: Callable[[], int]
    """Turns that run."""
    lanes: int


class Publisher:
    """Publishes beside the process's work. What it cannot write now it writes later; nothing depends on it."""

    def __init__(self, store: FigureStore, process: str, clock: Clock, work: WorkNow | None = None) -> None:
        """Publish for a process.

        Args:
            store: Where the figures go.
            process: Its incarnation, or its name among the bots.
            clock: The time.
            work: Its work now, of a worker.
        """
        self._store = store
        self._process = process
        self._clock = clock
        self._work = work
        self._rollups = Rollups()
        self._told = False

    async def run(self) -> None:
        """Publish until cancelled."""
        while True:
            await self.publish()
            await asyncio.sleep(EVERY.total_seconds())

    async def publish(self) -> None:
        """Publish what is true now."""
        if self._work is not None:
            work = self._work
            oldest_s, running = work.oldest_s(), work.running()
            self._rollups.note(
                self._clock.now(), MetricCounts.now(), oldest_s=oldest_s, running=running, lanes=work.lanes
            )
        exposition = packed(generate_latest().decode())
        if exposition is None and not self._told:
            self._told = True
            log.warning("metrics.too_many")
        buckets = self._rollups.unwritten()
        try:
            await self._store.publish(self._process, exposition, buckets)
        except CohortError as problem:
            log.debug("store.unavailable", extra={"problem": str(problem)})
        else:
            self._rollups.written(buckets)

    async def end(self) -> None:
        """Publish the last counts; the process ends, so its metrics are not shown any more."""
        await self.publish()
        with suppress(CohortError):
            await self._store.withdraw(self._process)
