"""One life of one process: started tethered to us, its output read, its end told."""

import asyncio
import fcntl
import os
import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

DIE_WITH_PARENT = Path(__file__).with_name("die_with_parent.py")
_LINE = 64 * 1024


@dataclass(frozen=True, slots=True)
class Spec:
    """A process to keep alive.

    ``env``: its whole environment; nothing of ours is added (``ops.environment.needed``). ``stage``: when everything
    stops, lower stages end first. ``grace``: seconds from SIGTERM to SIGKILL. ``echo``: whether its output is shown, or
    only kept in its log.
    ``member``: it is a worker; each of its lives has an incarnation of its own. ``lock``: a file that it keeps locked
    as long as it lives.
    ``on_parent_death``: the signal it gets when we are killed. ``log``: a log that it writes itself.
    """

    name: str
    command: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict[str, str])
    stage: int = 0
    grace: float = 10.0
    echo: bool = True
    member: bool = False
    lock: Path | None = None
    on_parent_death: signal.Signals = signal.SIGKILL
    log: Path | None = None


class ProcessRun:
    """A started process, leader of a session of its own: the terminal's Ctrl-C reaches only us."""

    def __init__(
        self,
        spec: Spec,
        incarnation: str | None,
        process: asyncio.subprocess.Process,
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
        """Send it to the process alone; its helpers are its own affair."""
        with suppress(ProcessLookupError):
            self._process.send_signal(number)

    def kill(self) -> None:
        """End it and what it started, at once."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)

    async def lines(self, take: Callable[[str], None]) -> int:
        """Hand over its output line by line until it ends; gives its exit status (negative: the signal)."""
        async with asyncio.TaskGroup() as pump:
            reading = pump.create_task(_pump(self._output, take), name=f"output of {self.spec.name}")
            status = await self._process.wait()
            # What it started may live on and hold the pipe.
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
        except ValueError:  # longer than the limit: its beginning is gone, the rest follows
            continue
        if not line:
            return
        take(line.decode(errors="replace").rstrip("\n"))


async def start(spec: Spec, incarnation: str | None = None) -> ProcessRun:
    """Start it.

    Raises:
        OSError: it cannot be started; BlockingIOError when its lock is held by somebody else.
    """
    command = (
        sys.executable,
        "-I",
        "-S",
        str(DIE_WITH_PARENT),
        str(os.getpid()),
        str(int(spec.on_parent_death)),
        *spec.command,
    )
    env = {"PYTHONUNBUFFERED": "1", **spec.env}
    if incarnation is not None:
        env["COHORT_INCARNATION"] = incarnation
    held: list[int] = []
    # Not asyncio's own pipe: with that, a process counts as ended only when nobody holds its output any more, and an
    # MCP server that it started may hold it for long.
    reading, writing = os.pipe()
    try:
        if spec.lock is not None:
            held.append(os.open(spec.lock, os.O_RDWR | os.O_CREAT, 0o600))
            fcntl.flock(held[0], fcntl.LOCK_EX | fcntl.LOCK_NB)
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=writing,
            stderr=writing,
            env=env,
            pass_fds=held,
            start_new_session=True,
        )
    except BaseException:
        os.close(reading)
        raise
    finally:
        for number in (*held, writing):
            os.close(number)
    output = asyncio.StreamReader(limit=_LINE)
    loop = asyncio.get_running_loop()
    pipe, _ = await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(output), os.fdopen(reading, "rb", buffering=0)
    )
    return ProcessRun(spec, incarnation, process, output, pipe)
