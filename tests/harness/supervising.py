"""A supervisor in a test: its console can be listened to, and the deaths that it reports are kept."""

import asyncio
import ctypes
import io
import signal
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from ops.up.console import Console
from ops.up.forking import Template
from ops.up.supervisor import Supervisor
from tasks.clock import SystemClock

PATIENCE = 60.0


class ConsoleSpy(Console):
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
    console: ConsoleSpy,
    deaths: Deaths | None = None,
    fatal: Callable[[str], None] | None = None,
    patience: float = 110.0,
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


@contextmanager
def forking(supervisor: Supervisor, module: str, env: Mapping[str, str]) -> Iterator[None]:
    """Inside the block the supervisor forks its members from a template that has loaded ``module``."""
    supervisor.template = Template(module, env)
    assert supervisor.children.adopt()
    try:
        yield
    finally:
        supervisor.template.close()
        supervisor.template = None
        release_children()


def release_children() -> None:
    """This process is a parent of orphans no more (prctl(2), PR_SET_CHILD_SUBREAPER)."""
    ctypes.CDLL(None).prctl(36, 0, 0, 0, 0)
    asyncio.get_running_loop().remove_signal_handler(signal.SIGCHLD)
