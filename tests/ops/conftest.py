"""What the tests of ops share: a console that can be listened to, and a supervisor with small children."""

import asyncio
import io
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from ops.up.console import Console
from ops.up.process import Spec
from ops.up.supervisor import Supervisor
from tasks.clock import SystemClock

ROOT = Path(__file__).parents[2]
PATIENCE = 30.0


class Heard(Console):
    """A console whose lines can be waited for."""

    def __init__(self, logs: Path) -> None:
        super().__init__(logs, io.StringIO(), colour=False)
        self.lines: list[str] = []
        self._spread = asyncio.Event()

    def child(self, name: str, line: str, *, echo: bool) -> None:
        super().child(name, line, echo=echo)
        self._note(f"{name}: {line}")

    def say(self, line: str) -> None:
        super().say(line)
        self._note(line)

    def _note(self, line: str) -> None:
        self.lines.append(line)
        self._spread.set()

    async def hear(self, *parts: str, times: int = 1) -> str:
        """The line that has all the parts (the ``times``-th such line)."""
        async with asyncio.timeout(PATIENCE):
            while True:
                found = [line for line in self.lines if all(part in line for part in parts)]
                if len(found) >= times:
                    return found[times - 1]
                self._spread.clear()
                await self._spread.wait()


@pytest.fixture
def console(tmp_path: Path) -> Iterator[Heard]:
    logs = tmp_path / "logs"
    logs.mkdir()
    heard = Heard(logs)
    with heard.writing():
        yield heard


def script(directory: Path, name: str, text: str, **more: object) -> Spec:
    """A child that is a small Python program; it says when it is ready."""
    path = directory / f"{name}.py"
    path.write_text(f"import os, signal, sys, threading\n{text}\n")
    return Spec(name=name, command=(sys.executable, str(path)), **more)  # type: ignore[arg-type]


PATIENT = """
stop = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: (print("draining", flush=True), stop.set()))
print("ready", os.getpid(), os.environ.get("COHORT_INCARNATION", "-"), flush=True)
stop.wait()
print("drained", flush=True)
"""

STUBBORN = """
signal.signal(signal.SIGTERM, lambda *_: print("still at work", flush=True))
print("ready", os.getpid(), os.environ.get("COHORT_INCARNATION", "-"), flush=True)
while True:
    signal.pause()
"""


class Deaths:
    """Who was reported dead."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self._news = asyncio.Event()

    async def report(self, incarnation: str) -> None:
        self.seen.append(incarnation)
        self._news.set()

    async def wait(self, count: int) -> list[str]:
        async with asyncio.timeout(PATIENCE):
            while len(self.seen) < count:
                self._news.clear()
                await self._news.wait()
        return self.seen


@asynccontextmanager
async def supervising(
    console: Heard,
    deaths: Deaths | None = None,
    fatal: Callable[[str], None] | None = None,
    patience: float = 60.0,
) -> AsyncIterator[Supervisor]:
    """A supervisor for ``patience`` seconds at most; at the end everything that it keeps is killed."""
    deaths = deaths or Deaths()
    async with asyncio.timeout(patience), asyncio.TaskGroup() as group:
        supervisor = Supervisor(
            group,
            console=console,
            clock=SystemClock(),
            report_death=deaths.report,
            fatal=fatal or (lambda line: console.say(f"fatal: {line}")),
        )
        try:
            yield supervisor
        finally:
            supervisor.kill_now.set()
            await supervisor.stop()


def cohort(*arguments: str, home: Path, cwd: Path = ROOT, **environ: str) -> subprocess.CompletedProcess[str]:
    """The command, to its end."""
    return subprocess.run(
        (sys.executable, "-m", "ops.cli", *arguments),
        cwd=cwd,
        env=clean(home) | environ,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )


def clean(home: Path) -> Mapping[str, str]:
    """Our environment without any setting of Cohort's or a provider's in it."""
    ours = ("COHORT_", "TELEGRAM_", "REDIS_", "FLOWER_", "FAST_AGENT_", "GENERIC_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours) and "API_KEY" not in name}
    return kept | {"COHORT_HOME": str(home), "PYTHONPATH": str(ROOT)}
