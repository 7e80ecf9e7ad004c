"""Keeps processes alive: starts them, starts again what dies, and ends them in order."""

import asyncio
import logging
import re
import signal
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from datetime import timedelta
from uuid import uuid4

from ops.up.console import Console
from ops.up.process import ProcessRun, Spec, start
from tasks.clock import Clock
from tasks.errors import StoreUnavailable

log = logging.getLogger("cohort.supervisor")

MISCONFIGURED = 2
"""The exit status of a process whose operator must change a setting."""
_BACKOFF = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
"""Seconds before a start. The first repeat comes at once: a killed worker's chats wait for it."""
_SETTLED = timedelta(seconds=30).total_seconds()
"""A life this long was a good one: the next repeat comes at once again."""


class ManagedProcess:
    """One kept process over all its lives."""

    def __init__(self, spec: Spec, supervisor: "Supervisor") -> None:
        self.spec = spec
        self.current: ProcessRun | None = None
        self.leaving = asyncio.Event()
        self.ended = asyncio.Event()
        self.faltered = asyncio.Event()
        self.starts = 0
        self._supervisor = supervisor

    async def run(self) -> None:
        """Start it again and again until ``leave``."""
        failures = 0
        try:
            while not self.leaving.is_set():
                began = self._supervisor.clock.monotonic()
                status = await self._live()
                if self.leaving.is_set():
                    return
                self.faltered.set()
                lasted = self._supervisor.clock.monotonic() - began
                failures = 0 if lasted > _SETTLED else failures + 1
                pause = _BACKOFF[min(failures, len(_BACKOFF)) - 1] if failures else 0.0
                self._supervisor.died(self, status, lasted, pause)
                with suppress(TimeoutError):
                    async with asyncio.timeout(pause):
                        await self.leaving.wait()
        finally:
            self.ended.set()

    async def _live(self) -> int | str:
        """One life; its exit status, or why it could not be started."""
        console = self._supervisor.console
        name = self.spec.name
        console.forget(name)
        try:
            self.current = await start(self.spec, _incarnation(name) if self.spec.member else None)
        except OSError as problem:
            return problem.strerror or str(problem)
        self.starts += 1
        if self.leaving.is_set():  # asked while it was being started
            self.current.signal(signal.SIGTERM)
        try:
            return await self.current.lines(lambda line: console.child(name, line, echo=self.spec.echo))
        finally:
            self.current.kill()
            if self.current.incarnation is not None:
                self._supervisor.report(self.current.incarnation)
            self.current = None

    def leave(self) -> None:
        """Ask it to end, for good."""
        self.leaving.set()
        if self.current is not None:
            self.current.signal(signal.SIGTERM)

    async def gone(self, patience: float) -> None:
        """Wait until it has ended; after ``patience`` seconds it is killed."""
        try:
            async with asyncio.timeout(patience):
                await self.ended.wait()
        except TimeoutError:
            self._supervisor.console.say(f"{self.spec.name} does not end: killing it")
            self.kill()
            await self.ended.wait()

    def kill(self) -> None:
        """End it at once."""
        self.leaving.set()
        if self.current is not None:
            self.current.kill()


def _incarnation(name: str) -> str:
    return f"{re.sub(r'[^a-z0-9-]', '-', name.lower())}-{uuid4().hex[:8]}"


def describe(status: int | str) -> str:
    """How a process ended, in words."""
    if isinstance(status, str):
        return f"could not be started ({status})"
    if status < 0:
        with suppress(ValueError):
            return f"was killed by {signal.Signals(-status).name}"
    return f"ended with status {status}" if status else "ended"


class Supervisor:
    """All kept processes. ``report_death`` hears of each ended worker, ``fatal`` of a start that can never succeed."""

    def __init__(
        self,
        group: asyncio.TaskGroup,
        *,
        console: Console,
        clock: Clock,
        report_death: Callable[[str], Awaitable[None]],
        fatal: Callable[[str], None],
    ) -> None:
        self._group = group
        self._report_death = report_death
        self._fatal = fatal
        self.console = console
        self.clock = clock
        self.processes: dict[str, ManagedProcess] = {}
        self.kill_now = asyncio.Event()

    def keep(self, spec: Spec) -> ManagedProcess:
        """Start it and keep it alive."""
        keeper = self.processes[spec.name] = ManagedProcess(spec, self)
        self._group.create_task(self._run(keeper), name=spec.name)
        return keeper

    async def _run(self, keeper: ManagedProcess) -> None:
        await keeper.run()
        if self.processes.get(keeper.spec.name) is keeper:
            del self.processes[keeper.spec.name]

    def died(self, keeper: ManagedProcess, status: int | str, lasted: float, pause: float) -> None:
        """A process ended that nobody asked to."""
        name = keeper.spec.name
        if not keeper.spec.echo:
            for line in self._last_words(keeper.spec):
                self.console.say(f"{name}: {line}")
        if status == MISCONFIGURED and keeper.starts == 1 and keeper.spec.echo:
            self._fatal(f"{name} cannot run as it is set up (see above)")
            return
        again = f"in {pause:g} s" if pause else "now"
        self.console.say(f"{name} {describe(status)} after {lasted:.0f} s; starting it again {again}")

    def _last_words(self, spec: Spec) -> list[str]:
        lines = self.console.last(spec.name)
        if spec.log is not None:
            with suppress(OSError):
                lines += spec.log.read_text(encoding="utf-8", errors="replace").splitlines()[-3:]
        return lines[-3:]

    def report(self, incarnation: str) -> None:
        """Say that this worker is dead, so that its sessions go on elsewhere at once; nobody waits for it."""
        self._group.create_task(self._report(incarnation), name=f"death of {incarnation}")

    async def _report(self, incarnation: str) -> None:
        try:
            async with asyncio.timeout(3):
                await self._report_death(incarnation)
        except (StoreUnavailable, TimeoutError):
            # Its heartbeat runs out by itself.
            log.warning("death.unreported", extra={"incarnation": incarnation})

    async def stop(self, processes: Iterable[ManagedProcess] | None = None) -> None:
        """End them (all, by default): stage after stage, each with its grace; at once when ``hurry`` is set."""
        chosen = list(self.processes.values() if processes is None else processes)
        for stage in sorted({keeper.spec.stage for keeper in chosen}):
            members = [keeper for keeper in chosen if keeper.spec.stage == stage]
            for keeper in members:
                keeper.leave()
            async with asyncio.TaskGroup() as waiting:
                hurrying = waiting.create_task(self._hurry(members), name="hurry")
                async with asyncio.TaskGroup() as ends:
                    for keeper in members:
                        ends.create_task(keeper.gone(keeper.spec.grace), name=f"end of {keeper.spec.name}")
                hurrying.cancel()

    async def _hurry(self, processes: list[ManagedProcess]) -> None:
        await self.kill_now.wait()
        for keeper in processes:
            # The embedded store is quick by itself, and must write out what it has.
            if keeper.spec.on_parent_death is signal.SIGKILL:
                keeper.kill()

    # -- workers

    def workers(self) -> list[ManagedProcess]:
        """The kept workers that are not leaving, in order of their numbers."""
        return sorted(
            (keeper for keeper in self.processes.values() if keeper.spec.member and not keeper.leaving.is_set()),
            key=lambda keeper: number_of(keeper.spec.name),
        )

    def scale(self, count: int, make: Callable[[int], Spec]) -> list[str]:
        """Have ``count`` workers: start new ones, or let those with the highest numbers drain; gives their names."""
        now = self.workers()
        changed = [keeper.spec.name for keeper in now[count:]]
        for keeper in now[count:]:
            self._group.create_task(self.stop([keeper]), name=f"drain {keeper.spec.name}")
        taken = {number_of(name) for name in self.processes if self.processes[name].spec.member}
        number = 1
        for _ in range(count - len(now)):
            while number in taken:
                number += 1
            taken.add(number)
            changed.append(self.keep(make(number)).spec.name)
        return changed

    def drain(self, worker: str) -> str | None:
        """Let one worker (its name or incarnation) finish and go, for good; None when it is none of ours."""
        for keeper in self.workers():
            if worker in {keeper.spec.name, keeper.current.incarnation if keeper.current else None}:
                self._group.create_task(self.stop([keeper]), name=f"drain {keeper.spec.name}")
                return keeper.spec.name
        return None


def number_of(worker: str) -> int:
    """``worker-3`` -> 3."""
    return int(worker.rpartition("-")[2])
