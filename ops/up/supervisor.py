"""Keeps processes alive: starts them, restarts them when they exit, and stops them in order."""

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from contextlib import suppress
from typing import Any

from ops.home import out_of_room
from ops.up.console import Console
from ops.up.forking import Template
from ops.up.managed import SETTLED_S, ManagedProcess, describe
from ops.up.orphans import Children
from ops.up.process import Spec
from tasks.clock import Clock
from tasks.errors import CohortError
from tasks.waiting import came_within

log = logging.getLogger("cohort.supervisor")

MISCONFIGURED = 2
"""The exit status of a process whose operator must change a setting."""
_TOLD = 2
"""How often the same end of what is not vital is told."""


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
        never_ran = process.starts == 1 and lasted <= SETTLED_S
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
        process = self._worker(worker)
        if process is None:
            return None
        self._let_go(process)
        return process.spec.name

    def renew(self, worker: str) -> str | None:
        """Drain a worker and start it again. None when there is no such worker here."""
        process = self._worker(worker)
        if process is None:
            return None
        if (ended := process.renew()) is not None:
            self._group.create_task(self._end_in_time(process, ended), name=f"restart of {process.spec.name}")
        return process.spec.name

    def end_own(self, worker: str | None = None) -> list[str]:
        """Have sessions' own processes finish their turns, by name or incarnation, or all. Gives their names.

        None is started again here: the next message of its session asks for another one.
        """
        own = [process for process in self.processes.values() if process.spec.own and not process.leaving.is_set()]
        chosen = [process for process in own if worker is None or worker in _names(process)]
        for process in chosen:
            self._let_go(process)
        return [process.spec.name for process in chosen]

    async def _end_in_time(self, process: ManagedProcess, ended: asyncio.Event) -> None:
        if not await came_within(ended, process.spec.grace) and process.current is not None:
            self.console.say(f"{process.spec.name} does not stop: killing it")
            process.current.kill()

    def _worker(self, worker: str) -> ManagedProcess | None:
        return next((process for process in self.workers() if worker in _names(process)), None)

    def _let_go(self, process: ManagedProcess) -> None:
        process.leave()  # now, and not in the task: who asks next counts it no more
        self._group.create_task(self.stop([process]), name=f"drain {process.spec.name}")


def _names(process: ManagedProcess) -> set[str | None]:
    return {process.spec.name, process.incarnation}


def number_of(worker: str) -> int:
    """``worker-3`` -> 3."""
    return int(worker.rpartition("-")[2])
