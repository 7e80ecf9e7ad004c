"""Running the limit: fast-agent without Telegram and without a queue, in a process of its own on the stand's model."""

import asyncio
import json
import os
import sys
from dataclasses import dataclass

from bench.stand import Stand
from tests.harness.processes import ROOT


@dataclass(frozen=True, slots=True)
class Direct:
    """``kept``: TLS contexts, clients and connections are kept as Cohort does; fast-agent makes them for each call."""

    name: str
    kept: bool

    async def run(self, stand: Stand, *, chats: int, turns: int, text: str, **how: float) -> dict:
        """One run: ``seconds`` of each turn, ``elapsed``, ``cpu``. ``how``: ``spread``, ``at_once``, ``seed``."""
        arguments = {"chats": chats, "turns": turns, "text": text, **how}
        argv = [part for name, value in arguments.items() for part in (f"--{name.replace('_', '-')}", str(value))]
        environ = {**os.environ, **stand.harness.environ, "PEER_KEPT": "1" if self.kept else ""}
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "bench.peers.direct",
            *argv,
            cwd=ROOT,
            env=environ,
            stdout=asyncio.subprocess.PIPE,
            # What fast-agent leaves open at its end is no news here.
            stderr=asyncio.subprocess.DEVNULL,
        )
        printed, _ = await process.communicate()
        return json.loads(printed.decode().splitlines()[-1])


DIRECT = {direct.name: direct for direct in (Direct("direct", kept=True), Direct("direct-plain", kept=False))}
