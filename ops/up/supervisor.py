"""Keeps processes alive: starts them, restarts them when they exit, and stops them in order."""

import asyncio
import logging
import re
import signal
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from contextlib import suppress
from datetime import timedelta
from typing import Any
from uuid import uuid4

from ops.home import out_of_room
from ops.up.console import Console
from ops.up.equal_ends import EqualEnds
from ops.up.forking import Template
from ops.up.orphans import Children
from ops.up.process import ProcessRun, Spec, start
from tasks.backoff import Backoff
from tasks.clock import Clock
from tasks.errors import CohortError
from tasks.waiting import came_within

log = logging.getLogger("cohort.supervisor")

MISCONFIGURED = 2
"""The exit status of a process whose operator must change a setting."""
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 30.0
"""Before each restart but the first, which comes at once: the chats of a killed worker wait for it."""
_PAGE_PAUSE_S = 120.0
"""The longest before that of a page: no chat waits for it."""
_TOLD = 2
"""How often the same end of what is not vital is told."""
_SETTLED = timedelta(seconds=30).total_seconds()
"""Seconds after which a run counts as healthy: the next restart comes at once again."""


class ManagedProcess:
    """One process over all its runs."""

    def __init__(self, spec: Spec, supervisor: "Supervisor") -> None:
        self.spec = spec
        self.current: ProcessRun | None = None
        self.leaving = asyncio.Event()
        self.ended = asyncio.Event()
        self.faltered = asyncio.Event()
        self.starts = 0
        self.ends_so = EqualEnds()
        self.status: int | str | None = None
        """How its last run ended."""
        self._supervisor = supervisor
        self.longest_pause_s = _PAGE_PAUSE_S if not spec.echo and not spec.vital else _LONGEST_PAUSE_S
        """Between two starts."""

    async def run(self) -> None:
        """Start the process, and restart it whenever it exits, until ``leave``."""
        falters = False
        backoff = Backoff(_FIRST_PAUSE_S, self.longest_pause_s)
        try:
            while not self.leaving.is_set():
                began = self._supervisor.clock.monotonic()
                status = self.status = await self._live()
                if self.leaving.is_set() or self.spec.once:
                    return
                self.faltered.set()
                lasted = self._supervisor.clock.monotonic() - began
                settled = lasted > _SETTLED
                if settled:
                    backoff.reset()
                    self.ends_so.forget()
                pause = backoff.next() if falters and not settled else 0.0
                falters = not settled
                self._supervisor.died(self, status, lasted, pause)
                await came_within(self.leaving, pause)
        finally:
            self.ended.set()

    async def _live(self) -> int | str:
        """One run; its exit status, or why it could not be started."""
        console = self._supervisor.console
        name = self.spec.name
        console.forget(name)
        try:
            self.current = await start(
                self.spec,
                _incarnation(name) if self.spec.member else None,
                children=self._supervisor.children,
                template=self._supervisor.template,
                say=console.say,
            )
        except OSError as problem:
            return problem.strerror or str(problem)
        self.starts += 1
        if self.leaving.is_set():  # told to leave while it was starting
            self.current.signal(signal.SIGTERM)
        try:
            return await self.current.lines(lambda line: console.child(name, line, echo=self.spec.echo))
        finally:
            self.current.kill()
            self._supervisor.children.ended(self.current.pid)
            if self.current.incarnation is not None:
                self._supervisor.report(self.current.incarnation)
            self.current = None

    def leave(self) -> None:
        """Send SIGTERM, once: a second one would cut the work that it finishes. The process is not restarted."""
        if self.leaving.is_set():
            return
        self.leaving.set()
        if self.current is not None:
            self.current.signal(signal.SIGTERM)

    async def gone(self, patience: float) -> None:
        """Wait until it has exited; after ``patience`` seconds it is killed."""
        if not await came_within(self.ended, patience):
            self._supervisor.console.say(f"{self.spec.name} does not stop: killing it")
            self.kill()
            await self.ended.wait()

    def kill(self) -> None:
        """Kill the process; it is not restarted."""
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
    """All managed processes.

    ``report_death`` is called with the incarnation of each worker that ended, ``fatal`` with the reason why a process
    can never start.
    """

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
        self.children = Children()
        self.template: Template | None = None
        """From which processes are forked that can be; without one they are started."""
        self.worker_died: float | None = None
        """When a worker last exited unexpectedly, on the monotonic clock."""

    def fork_from(self, template: Template | None, *, allowed: bool) -> None:
        """Have processes forked from the template, if there is one, and it is allowed, and the system can."""
        if template is not None and allowed and self.children.adopt():
            self.template = template
        elif template is not None:
            template.close()

    def keep(self, spec: Spec) -> ManagedProcess:
        """Start a process and keep it alive."""
        process = self.processes[spec.name] = ManagedProcess(spec, self)
        self._group.create_task(self._run(process), name=spec.name)
        return process

    async def _run(self, process: ManagedProcess) -> None:
        await process.run()
        if self.processes.get(process.spec.name) is process:
            del self.processes[process.spec.name]

    def beside[T](self, work: Coroutine[Any, Any, T], name: str) -> asyncio.Task[T]:
        """Run work that ends with the processes, or before."""
        return self._group.create_task(work, name=name)

    def died(self, process: ManagedProcess, status: int | str, lasted: float, pause: float) -> None:
        """Called when a process exits unexpectedly."""
        name = process.spec.name
        if process.spec.member:
            self.worker_died = self.clock.monotonic()
        words = self._last_words(process.spec) if not process.spec.echo else []
        times = 1 if process.spec.vital else process.ends_so.times(status, words)
        for line in words if times == 1 else ():
            self.console.say(f"{name}: {line}")
        never_ran = process.starts == 1 and lasted <= _SETTLED
        # One that ran as it is set up (a token that is revoked) must not end what answers: it is tried again.
        if status == MISCONFIGURED and never_ran and process.spec.echo and process.spec.vital:
            self._fatal(f"{name} cannot run as it is set up (see above)")
            return
        again = f"in {pause:.1f} s" if pause else "now"
        if times > _TOLD:
            return
        if times == _TOLD:
            again += f", later every {process.longest_pause_s:.0f} s, which is not said again"
        self.console.say(f"{name} {describe(status)} after {lasted:.0f} s; starting it again {again}")

    def _last_words(self, spec: Spec) -> list[str]:
        if spec.log is not None and (full := out_of_room(spec.log.parent)) is not None:
            return [full]  # its log took no further line, and has those of an earlier end
        lines = self.console.last(spec.name)
        if spec.log is not None:
            with suppress(OSError):
                lines += spec.log.read_text(encoding="utf-8", errors="replace").splitlines()[-3:]
        return lines[-3:]

    def report(self, incarnation: str) -> None:
        """Report a worker's death in the background, so that other workers take its sessions over at once."""
        self._group.create_task(self._report(incarnation), name=f"death of {incarnation}")

    async def _report(self, incarnation: str) -> None:
        try:
            async with asyncio.timeout(3):
                await self._report_death(incarnation)
        except (CohortError, TimeoutError):
            # Its heartbeat expires anyway.
            log.warning("death.unreported", extra={"incarnation": incarnation})

    async def stop(self, processes: Iterable[ManagedProcess] | None = None) -> None:
        """Stop processes (default: all) stage by stage, each with its grace; kill them once ``kill_now`` is set."""
        chosen = list(self.processes.values() if processes is None else processes)
        for stage in sorted({process.spec.stage for process in chosen}):
            members = [process for process in chosen if process.spec.stage == stage]
            for process in members:
                process.leave()
            async with asyncio.TaskGroup() as waiting:
                killing = waiting.create_task(self._kill_when_told(members), name="kill now")
                async with asyncio.TaskGroup() as ends:
                    for process in members:
                        ends.create_task(process.gone(process.spec.grace), name=f"end of {process.spec.name}")
                killing.cancel()

    async def _kill_when_told(self, processes: list[ManagedProcess]) -> None:
        await self.kill_now.wait()
        for process in processes:
            # The embedded Valkey stops quickly on SIGTERM, and must write its data out first.
            if process.spec.on_parent_death is signal.SIGKILL:
                process.kill()

    # -- workers

    def workers(self) -> list[ManagedProcess]:
        """The workers that are not leaving, in order of their numbers."""
        return sorted(
            (process for process in self.processes.values() if process.spec.member and not process.leaving.is_set()),
            key=lambda process: number_of(process.spec.name),
        )

    def scale(self, count: int, make: Callable[[int], Spec]) -> list[str]:
        """Set the number of workers: start new ones, or drain those with the highest numbers. Gives their names."""
        now = self.workers()
        changed = [process.spec.name for process in now[count:]]
        for process in now[count:]:
            self._let_go(process)
        taken = {number_of(name) for name in self.processes if self.processes[name].spec.member}
        number = 1
        for _ in range(count - len(now)):
            while number in taken:
                number += 1
            taken.add(number)
            changed.append(self.keep(make(number)).spec.name)
        return changed

    def drain(self, worker: str) -> str | None:
        """Drain a worker, by name or incarnation, and do not restart it. None when there is no such worker here."""
        for process in self.workers():
            if worker in {process.spec.name, process.current.incarnation if process.current else None}:
                self._let_go(process)
                return process.spec.name
        return None

    def _let_go(self, process: ManagedProcess) -> None:
        process.leave()  # now, and not in the task: who asks next counts it no more
        self._group.create_task(self.stop([process]), name=f"drain {process.spec.name}")


def number_of(worker: str) -> int:
    """``worker-3`` -> 3."""
    return int(worker.rpartition("-")[2])
