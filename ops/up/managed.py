"""One process over all its runs."""

import asyncio
import re
import signal
from contextlib import suppress
from datetime import timedelta
from typing import Protocol
from uuid import uuid4

from ops.up.console import Console
from ops.up.equal_ends import EqualEnds
from ops.up.forking import Template
from ops.up.orphans import Children
from ops.up.process import ProcessRun, Spec, start
from tasks.backoff import Backoff
from tasks.clock import Clock
from tasks.waiting import came_within

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 30.0
"""Before each restart but the first, which comes at once: the chats of a killed worker wait for it."""
_PAGE_PAUSE_S = 120.0
"""The longest before that of a page: no chat waits for it."""
SETTLED_S = timedelta(seconds=30).total_seconds()
"""Seconds after which a run counts as healthy: the next restart comes at once again."""


class Supervising(Protocol):
    """What a process needs of the supervisor."""

    console: Console
    clock: Clock
    children: Children
    template: Template | None

    def died(self, process: "ManagedProcess", status: int | str, lasted: float, pause: float) -> None:
        """It exited unexpectedly."""
        ...

    def report(self, incarnation: str) -> None:
        """A worker's run has ended."""
        ...


class ManagedProcess:
    """One process over all its runs."""

    def __init__(self, spec: Spec, supervisor: Supervising) -> None:
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
        self._renewing: asyncio.Event | None = None
        """Set when the run ends that was told to end for another one."""
        self.longest_pause_s = _PAGE_PAUSE_S if not spec.echo and not spec.vital else _LONGEST_PAUSE_S
        """Between two starts."""

    @property
    def incarnation(self) -> str | None:
        """Of the run that lives."""
        if self.current is None or self.spec.member:
            return self.current and self.current.incarnation
        return self.spec.env.get("COHORT_INCARNATION")

    async def run(self) -> None:
        """Start the process, and restart it whenever it exits, until ``leave``."""
        falters = False
        backoff = Backoff(_FIRST_PAUSE_S, self.longest_pause_s)
        try:
            while not self.leaving.is_set():
                began = self._supervisor.clock.monotonic()
                status = self.status = await self._live()
                renewed, self._renewing = self._renewing, None
                if renewed is not None:
                    renewed.set()
                if self.leaving.is_set() or self.spec.once:
                    return
                if renewed is not None:
                    self._supervisor.console.say(f"{self.spec.name} {describe(status)}; starting it again, as asked")
                    continue
                self.faltered.set()
                lasted = self._supervisor.clock.monotonic() - began
                settled = lasted > SETTLED_S
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
        if self.current is not None and self._renewing is None:
            self.current.signal(signal.SIGTERM)

    def renew(self) -> asyncio.Event | None:
        """Have its run finish its work, and begin another one. Gives what is set when the run has ended.

        None: it leaves, does so already, or is between two runs.
        """
        if self.current is None or self.leaving.is_set() or self._renewing is not None:
            return None
        self._renewing = asyncio.Event()
        self.current.signal(signal.SIGTERM)
        return self._renewing

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
