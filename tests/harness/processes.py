"""Real processes under test: started, watched line by line, killed by pid."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.harness.nursery import Child, Nursery

ROOT = Path(__file__).parents[2]
START = 60.0
"""Seconds a process may take to be ready; a worker imports fast-agent, on a machine that does much else."""


class Process:
    """One process, ended with the block. Its output is kept, and can be waited for.

    ``nursery``: forked there, with its modules loaded, and not started by exec.
    """

    def __init__(
        self, name: str, argv: Sequence[str], environ: Mapping[str, str], nursery: Nursery | None = None
    ) -> None:
        self.name = name
        self.lines: list[str] = []
        self._news = threading.Condition()
        inherited = {
            key: value for key, value in os.environ.items() if not key.startswith(("COHORT_", "TELEGRAM_", "REDIS_"))
        }
        ours, theirs = os.pipe()
        with os.fdopen(theirs, "wb") as output:
            self._process = self._begun(argv, {**inherited, **environ}, output.fileno(), nursery)
        self._reader = threading.Thread(target=self._read, args=[ours], name=f"output of {name}", daemon=True)
        self._reader.start()

    @staticmethod
    def _begun(
        argv: Sequence[str], environ: Mapping[str, str], output: int, nursery: Nursery | None
    ) -> subprocess.Popen[bytes] | Child:
        if nursery is not None:
            return nursery.begin(argv, environ, output)
        return subprocess.Popen(
            [sys.executable, "-u", *argv],
            cwd=ROOT,
            env=environ,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    @property
    def output(self) -> str:
        return "\n".join(self.lines)

    def wait_line(self, needle: str, *, after: int = 0, timeout: float = START) -> str:
        """The first line with ``needle`` in it, from line ``after`` on.

        Raises:
            TimeoutError: there was none in time, or the process ended without it; the message holds the output.
        """
        found: list[str] = []

        def there() -> bool:
            found[:] = [line for line in self.lines[after:] if needle in line][:1]
            return bool(found) or not self._reader.is_alive()

        with self._news:
            self._news.wait_for(there, timeout)
        if not found:
            raise TimeoutError(f"{self.name} never said {needle!r}; it said:\n{self.output}")
        return found[0]

    def signal(self, number: int) -> None:
        self._process.send_signal(number)

    def kill(self) -> None:
        """SIGKILL, and wait for the end."""
        self._process.kill()
        self.wait()

    def wait(self, timeout: float = START) -> int:
        """Its exit status."""
        status = self._process.wait(timeout)
        self._reader.join(timeout)
        return status

    def end(self) -> None:
        """SIGTERM, then SIGKILL if that is not enough."""
        if self.alive:
            self.signal(signal.SIGCONT)
            self.signal(signal.SIGTERM)
            try:
                self.wait(60)
            except subprocess.TimeoutExpired:
                self.kill()

    def _read(self, handle: int) -> None:
        with os.fdopen(handle, errors="replace") as output:
            for line in output:
                with self._news:
                    self.lines.append(line.rstrip("\n"))
                    self._news.notify_all()
        with self._news:
            self._news.notify_all()
