"""One run of one process: it starts bound to our life, its output is read, its exit is reported."""

import asyncio
import fcntl
import os
import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from ops.up.forking import ForkedProcess, Template
from ops.up.orphans import Children

DIE_WITH_PARENT = Path(__file__).with_name("die_with_parent.py")
_LINE = 64 * 1024


@dataclass(frozen=True, slots=True)
class Spec:
    """How to start and stop a process."""

    name: str
    command: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict[str, str])
    """Its whole environment; nothing is inherited from us (``ops.environment.needed``)."""
    forked: tuple[str, ...] = ()
    """Python's arguments (``-m module``) with which a fork of the template is the same process; empty: none is."""
    stage: int = 0
    """At the end, lower stages stop first."""
    grace: float = 10.0
    """Seconds from SIGTERM to SIGKILL."""
    echo: bool = True
    """Its output is shown on the console; otherwise only its log file has it."""
    vital: bool = True
    """If it cannot run as it is set up, nothing is started."""
    member: bool = False
    """It is a worker, so each of its runs has its own incarnation."""
    own: bool = False
    """It is a session's own process."""
    once: bool = False
    """It is not started again when it ends, and no line says how it ended."""
    lock: Path | None = None
    """A file that the process holds locked while it runs."""
    on_parent_death: signal.Signals = signal.SIGKILL
    """The signal that the kernel sends it when we die."""
    log: Path | None = None
    """A log that it writes itself."""


class ProcessRun:
    """A started process. It leads its own process session, so the terminal's Ctrl-C reaches only us."""

    def __init__(
        self,
        spec: Spec,
        incarnation: str | None,
        process: asyncio.subprocess.Process | ForkedProcess,
        output: asyncio.StreamReader,
        pipe: asyncio.ReadTransport,
    ) -> None:
        self.spec = spec
        self.incarnation = incarnation
        self.pid = process.pid
        self._process = process
        self._output = output
        self._pipe = pipe

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process alone; it stops its own children."""
        with suppress(ProcessLookupError):
            self._process.send_signal(number)

    def kill(self) -> None:
        """Kill the process and its children at once."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)

    async def lines(self, take: Callable[[str], None]) -> int:
        """Pass its output to ``take`` line by line until it exits. Gives its status (negative: a signal)."""
        async with asyncio.TaskGroup() as pump:
            reading = pump.create_task(_pump(self._output, take), name=f"output of {self.spec.name}")
            status = await self._process.wait()
            # A child that outlives it may hold the pipe open.
            self.kill()
            with suppress(TimeoutError):
                async with asyncio.timeout(1):
                    await asyncio.wait([reading])
            reading.cancel()
        self._pipe.close()
        return status


async def _pump(reader: asyncio.StreamReader, take: Callable[[str], None]) -> None:
    while True:
        try:
            line = await reader.readline()
        except ValueError:  # a line above the limit: its beginning is lost, the rest follows
            continue
        if not line:
            return
        take(line.decode(errors="replace").rstrip("\n"))


async def start(
    spec: Spec,
    incarnation: str | None = None,
    *,
    children: Children,
    template: Template | None,
    say: Callable[[str], None],
) -> ProcessRun:
    """Start a process: fork it from the template where that can be, else by exec.

    Raises:
        OSError: it cannot be started; BlockingIOError when another process holds its lock.
    """
    env = {"PYTHONUNBUFFERED": "1", **spec.env}
    if incarnation is not None:
        env["COHORT_INCARNATION"] = incarnation
    # Our own pipe: asyncio's counts a process as ended only when its output is closed everywhere, and an MCP server
    # that a worker started may hold it open for long.
    reading, writing = os.pipe()
    try:
        with children.starting():
            process = None
            if template is not None and spec.forked:
                try:
                    process = await template.fork(spec.forked, env, dying=spec.on_parent_death, output=writing)
                except OSError as problem:
                    say(f"{spec.name} cannot be forked ({problem}); it is started instead")
            process = process or await _executed(spec, env, writing)
            children.owned.add(process.pid)
    except BaseException:
        os.close(reading)
        raise
    finally:
        os.close(writing)
    output = asyncio.StreamReader(limit=_LINE)
    loop = asyncio.get_running_loop()
    pipe, _ = await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(output), os.fdopen(reading, "rb", buffering=0)
    )
    return ProcessRun(spec, incarnation, process, output, pipe)


async def _executed(spec: Spec, env: Mapping[str, str], output: int) -> asyncio.subprocess.Process:
    command = (
        sys.executable,
        "-I",
        "-S",
        str(DIE_WITH_PARENT),
        str(os.getpid()),
        str(int(spec.on_parent_death)),
        *spec.command,
    )
    held: list[int] = []
    try:
        if spec.lock is not None:
            held.append(os.open(spec.lock, os.O_RDWR | os.O_CREAT, 0o600))
            fcntl.flock(held[0], fcntl.LOCK_EX | fcntl.LOCK_NB)
        return await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=env,
            pass_fds=held,
            start_new_session=True,
        )
    finally:
        for number in held:
            os.close(number)
