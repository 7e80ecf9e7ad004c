"""A forked process with what tests use of ``asyncio.subprocess.Process``: its errors line by line, signals, its end."""

import asyncio
import os
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.harness.nursery import Child, nursery


class Forked:
    """``stderr`` ends when the process has; what it writes to stdout is dropped."""

    def __init__(self, child: Child, stderr: asyncio.StreamReader) -> None:
        self._child = child
        self.stderr = stderr

    @property
    def returncode(self) -> int | None:
        return self._child.poll()

    def send_signal(self, number: int) -> None:
        self._child.send_signal(number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self._child.kill()

    async def wait(self) -> int:
        return await asyncio.to_thread(self._child.wait, 60)

    async def communicate(self) -> tuple[None, bytes]:
        """The rest of its errors, when it has ended."""
        rest = await self.stderr.read()
        await self.wait()
        return None, rest


async def forked(argv: Sequence[str], environ: Mapping[str, str], cwd: Path) -> Forked:
    """Begin ``python`` with these arguments, its modules loaded."""
    ours, theirs = os.pipe()
    stderr = asyncio.StreamReader()
    # Its transport closes the pipe when the process has ended.
    reader = asyncio.StreamReaderProtocol(stderr)
    await asyncio.get_running_loop().connect_read_pipe(lambda: reader, os.fdopen(ours, "rb"))
    return Forked(_begun(argv, environ, cwd, theirs), stderr)


def _begun(argv: Sequence[str], environ: Mapping[str, str], cwd: Path, errors: int) -> Child:
    with Path(os.devnull).open("wb") as nothing, os.fdopen(errors, "wb"):
        return nursery().begin(argv, environ, nothing.fileno(), errors, cwd=cwd)
