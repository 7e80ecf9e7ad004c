"""`cohort up` as a whole: real bot, workers, playground and Valkey, with an echo for a model."""

import asyncio
import os
import select
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ops import control
from ops.home import Home, Running
from tests.harness.command import clean
from tests.harness.processes import ROOT

START = 90.0


class System:
    """A started `cohort up`, and what it printed so far."""

    def __init__(self, home: Path, cwd: Path = ROOT, **more: str) -> None:
        self.home = home
        self.cwd = cwd
        self.lines: list[str] = []
        environ = {
            "COHORT_MODEL": "passthrough",
            "COHORT_WORKERS": "1",
            "COHORT_LANES": "2",
            "COHORT_PLAYGROUND_PORT": "0",
            "FLOWER_PORT": "0",
        }
        self.process = subprocess.Popen(
            (Path(sys.executable).with_name("cohort"), "up"),
            cwd=cwd,
            env={**clean(home), **environ, **more},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            bufsize=0,
        )
        self._rest = b""

    def wait_line(self, *parts: str) -> str:
        """The next line that has all the parts."""
        assert self.process.stdout is not None
        while True:
            while b"\n" in self._rest:
                line, _, self._rest = self._rest.partition(b"\n")
                self.lines.append(line.decode())
                if all(part in self.lines[-1] for part in parts):
                    return self.lines[-1]
            ready, _, _ = select.select([self.process.stdout], [], [], START)
            data = os.read(self.process.stdout.fileno(), 65536) if ready else b""
            assert data, "\n".join(["it never said " + " ".join(parts), *self.lines])
            self._rest += data

    def rest(self) -> str:
        """What it says until it has ended, after the lines that were waited for."""
        assert self.process.stdout is not None
        while select.select([self.process.stdout], [], [], START)[0]:
            if not (data := os.read(self.process.stdout.fileno(), 65536)):
                return self._rest.decode()
            self._rest += data
        raise AssertionError(f"it does not end: {self._rest.decode()}")

    @property
    def running(self) -> Running:
        found = Home(self.home).running()
        assert found is not None
        return found

    def pids(self) -> dict[str, int]:
        answer = asyncio.run(control.ask(self.running, "processes"))
        return {process["name"]: process["pid"] for process in answer["processes"]}


@contextmanager
def system(home: Path, cwd: Path = ROOT, **more: str) -> Iterator[System]:
    started = System(home, cwd, **more)
    try:
        yield started
    finally:
        started.process.kill()
        started.process.wait(timeout=60)
        assert started.process.stdout is not None
        started.process.stdout.close()


def wait_gone(pids: dict[str, int]) -> None:
    """Wait until all of these processes are gone."""
    for name, pid in pids.items():
        try:
            handle = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        try:
            assert select.select([handle], [], [], 60)[0], f"{name} is still there"
        finally:
            os.close(handle)
