"""`cohort up` as an init system runs it: the real command over its own bot and workers, started again when it ends."""

import asyncio
import os
import re
import select
import signal
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Literal

from ops import control
from ops.home import Home
from tasks.errors import Misconfigured
from tests.harness.history import Violation
from tests.harness.processes import Process
from tests.harness.product import Harness

BURIED = 10.0
"""Seconds in which the children of a killed supervisor are gone; the kernel ends them in milliseconds."""
_LINE = re.compile(r"(?P<name>\S+) +\| (?P<said>.*)")
_ENDED = re.compile(r"(?P<name>\S+) (?P<how>ended.*|was killed by \w+) after \d+ s; starting it again")
_OWN_ENDED = re.compile(r"(?P<name>own-\d+) (?P<how>ended.*|was killed by \w+) after \d+ s")
"""A chat's own process is not started again until it is asked for."""
_AWAY = ("cohort worker: ", "cohort bot: ")
"""A process that says this at its end could not start for now (Redis is away)."""
_RENAMED = "worker.renamed"
"""A worker that says this stood still until another one had its name: it drains, ends and is started again."""


class Service:
    """One `cohort up` at a time, in the same COHORT_HOME. What it keeps is the shipped product, without failpoints."""

    def __init__(self, harness: Harness, workers: int) -> None:
        self._harness = harness
        self._workers = workers
        self._home = Home(Path(harness.environ["COHORT_HOME"]))
        self.lives: list[Process] = []
        self.busy = False
        """It is being killed and started again right now."""
        self.outlived: list[int] = []
        """Children that were still there ``BURIED`` seconds after their supervisor was killed; there must be none."""

    @property
    def process(self) -> Process:
        """The life that it has now."""
        return self.lives[-1]

    def start(self) -> Process:
        """Start it, as an init system does it; not waited for."""
        process = self._harness.start(
            "up",
            ["-m", "ops.entry", "up"],
            COHORT_WORKERS=str(self._workers),
            FLOWER_PORT="0",
            COHORT_CONSOLE_PORT="0",
            NO_COLOR="1",
        )
        self.lives.append(process)
        return process

    async def _children(self) -> list[int]:
        """The process ids of what it keeps, as it tells them; none while it is starting."""
        running = self._home.running()
        if running is None or running.pid != self.process.pid:
            return []
        try:
            told = await control.ask(running, "processes")
        except Misconfigured:
            return []  # it was killed meanwhile
        return [one["pid"] for one in told["processes"] if one["pid"]]

    async def kill(self) -> list[int] | Literal[False]:
        """SIGKILL the supervisor, see its children go with it, start the next one; their process ids.

        False: it is being done.
        """
        if self.busy:
            return False
        self.busy = True
        handles: dict[int, int] = {}
        for pid in _children(self.process.pid):
            with suppress(ProcessLookupError):
                handles[pid] = os.pidfd_open(pid)
        self.process.kill()
        self.outlived += await asyncio.to_thread(_outlived, handles)
        self.start()
        self.busy = False
        return list(handles)

    async def kill_child(self, random: Random) -> list[int] | Literal[False]:
        """SIGKILL one of the processes that it keeps, if it keeps any as yet; its process id."""
        pids = await self._children()
        return [victim] if pids and await self.kill_one(victim := random.choice(pids)) else False

    async def kill_one(self, pid: int) -> bool:
        """SIGKILL this process, if it keeps it; whether it was done."""
        if pid in await self._children():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
                return True
        return False

    def violations(self) -> list[Violation]:
        """Children that outlived a killed supervisor, and ends of children that were not ordered."""
        late = f"was still there {BURIED:.0f} s after its supervisor was killed"
        crashes = [said for life in self.lives for said in crashes_of(life.lines)]
        return [
            *(Violation("left", "up", f"process {pid} {late}") for pid in self.outlived),
            *(Violation("left", "up", "a supervised process ended by itself", said) for said in crashes),
        ]


def _children(pid: int) -> list[int]:
    """Of a process, by Linux's own list."""
    try:
        listed = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except OSError:
        return []
    return [int(child) for child in listed.split()]


def _outlived(handles: dict[int, int]) -> list[int]:
    """Who is still there after a while; closes the handles."""
    left: list[int] = []
    for pid, handle in handles.items():
        if not select.select([handle], [], [], BURIED)[0]:
            left.append(pid)
        os.close(handle)
    return left


def crashes_of(lines: list[str]) -> list[tuple[str, ...]]:
    """In the output of one life: ends with a status, except of those that could not start or stay for now."""
    last: dict[str, list[str]] = {}
    found: list[tuple[str, ...]] = []
    for line in lines:
        spoken = _LINE.match(line)
        if spoken is None:
            continue
        name, said = spoken["name"], spoken["said"]
        ended = (_ENDED.match(said) or _OWN_ENDED.match(said)) if name == "cohort" else None
        if ended is None:
            last.setdefault(name, []).append(said)
        elif "SIGKILL" not in ended["how"]:
            words = last.pop(ended["name"], [])
            if not (words and (words[-1].startswith(_AWAY) or any(_RENAMED in word for word in words))):
                found.append((said, *words[-20:]))
    return found
