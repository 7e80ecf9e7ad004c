"""Machines: a network namespace each, with one link to where Redis, Telegram and the model are."""

import asyncio
import itertools
import os
import re
import signal
import sys
from collections.abc import AsyncGenerator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from tests.harness.processes import ROOT, Process
from tests.harness.scene import Scene
from tests.rehearsal.relay import listen

PREFIX = f"ch{os.getpid() % 100_000}"


async def ip(*words: str) -> None:
    """One command of iproute2.

    Raises:
        RuntimeError: it failed; the rehearsal needs root.
    """
    process = await asyncio.create_subprocess_exec("ip", *words, stderr=asyncio.subprocess.PIPE)
    _, told = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"ip {' '.join(words)}: {told.decode().strip()} (the rehearsal needs root and iproute2)")


def command_of(service: str) -> list[str]:
    """What the compose file runs, with this environment's `cohort`."""
    name, *rest = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"][service]["command"]
    return [str(Path(sys.executable).with_name(name)), *rest]


@dataclass(slots=True)
class Machine:
    """One of them. ``processes``: what runs on it."""

    name: str
    scene: Scene
    directory: Path
    processes: list[Process] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def link(self) -> str:
        """The end of its cable on this side."""
        return f"{self.name}o"

    def start(self, service: str) -> Process:
        """Start a service of the compose file; not waited for."""
        name = f"{self.name}-{service}-{next(self.numbers)}"
        process = self._run(name, command_of(service), COHORT_INCARNATION=name)
        self.processes.append(process)
        if service == "worker":
            self.scene.harness.workers[name] = process
        return process

    def relay(self, to: str, ports: list[str]) -> Process:
        """What stands here for the services of the others."""
        return self._run(
            f"{self.name}-relay",
            [sys.executable, "-m", "tests.rehearsal.relay", "127.0.0.1", to, *ports],
            PYTHONPATH=str(ROOT),
        )

    def _run(self, name: str, command: list[str], **environ: str) -> Process:
        inside = ["-m", "tests.rehearsal.inside", self.name, str(self.directory), *command]
        home = str(self.directory / "state")
        return self.scene.harness.start(name, inside, COHORT_HOME=home, **environ)

    async def cut(self) -> None:
        """Nothing comes through, and no side is told: no connection ends."""
        await ip("link", "set", self.link, "down")

    async def join(self) -> None:
        """The cable is back; what was sent meanwhile is sent again by the kernel."""
        await ip("link", "set", self.link, "up")

    def kill(self) -> None:
        """Power off."""
        for process in self.processes:
            if process.alive:
                process.signal(signal.SIGKILL)
        for process in self.processes:
            process.wait()


@asynccontextmanager
async def machines(scene: Scene, count: int) -> AsyncGenerator[list[Machine]]:
    """So many machines, each with its own 127.0.0.1, where Redis, Telegram and the model of the scene are found."""
    environ = scene.harness.environ
    ports = [
        found[1]
        for name in ("REDIS_URL", "TELEGRAM_BASE_URL", "GENERIC_BASE_URL")
        if (found := re.search(r"127\.0\.0\.1:(\d+)", environ[name]))
    ]
    async with AsyncExitStack() as stack:
        made: list[Machine] = []
        for number in range(1, count + 1):
            machine = Machine(f"{PREFIX}{number}", scene, scene.home / f"machine-{number}")
            machine.directory.mkdir()
            here, there = f"10.77.{number}.1", f"10.77.{number}.2"
            await ip("netns", "add", machine.name)
            stack.push_async_callback(ip, "netns", "del", machine.name)
            await ip("link", "add", machine.link, "type", "veth", "peer", "name", "eth0", "netns", machine.name)
            await ip("addr", "add", f"{here}/30", "dev", machine.link)
            await ip("link", "set", machine.link, "up")
            for words in (
                ("addr", "add", f"{there}/30", "dev", "eth0"),
                ("link", "set", "eth0", "up"),
                ("link", "set", "lo", "up"),
            ):
                await ip("-n", machine.name, *words)
            for port in ports:
                server = await listen(here, "127.0.0.1", int(port))
                stack.callback(server.close)
            await asyncio.to_thread(machine.relay(here, ports).wait_line, "relay ready")
            made.append(machine)
        try:
            yield made
        finally:
            for machine in made:
                await machine.join()
                for process in machine.processes:
                    await asyncio.to_thread(process.end)
