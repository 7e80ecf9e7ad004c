"""A TCP line to Redis that a test can cut, and that loses answers: what a network does, for real."""

import asyncio
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Literal, Self

type Fate = Literal["passes", "answer lost", "lost"]
type Heard = Callable[[bytes], Awaitable[Fate]]
"""Sees what the client sends before the server does, and says what becomes of it; what is lost breaks the line."""


async def all_is_well(_sent: bytes) -> Fate:
    return "passes"


class Cable:
    """Forwards 127.0.0.1:``port`` to the server of ``target``. ``answered``: done before an answer goes on its way."""

    def __init__(self, target: tuple[str, int]) -> None:
        self._target = target
        self._open: set[asyncio.StreamWriter] = set()
        self.is_cut = False
        self.refused = 0
        """Connections that came while it was cut."""
        self.heard: Heard = all_is_well
        self.answered: Callable[[], Awaitable[None]] | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connection, "127.0.0.1", 0)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        self.cut()
        await self._server.wait_closed()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def cut(self) -> None:
        """Break what is open; nothing gets through until it is mended."""
        self.is_cut = True
        for writer in tuple(self._open):
            writer.transport.abort()

    def mend(self) -> None:
        self.is_cut = False

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.is_cut:
            self.refused += 1
            writer.transport.abort()
            return
        far_reader, far_writer = await asyncio.open_connection(*self._target)
        if self.is_cut:
            # Meanwhile.
            self.refused += 1
            writer.transport.abort()
            far_writer.transport.abort()
            return
        ends = {writer, far_writer}
        self._open |= ends
        lost = asyncio.Event()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._there(reader, far_writer, lost), name="there")
                group.create_task(self._back(far_reader, writer, lost), name="back")
        except* (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self._open -= ends
            for end in ends:
                end.transport.abort()

    async def _there(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, lost: asyncio.Event) -> None:
        while sent := await reader.read(2**20):
            fate = await self.heard(sent)
            if fate == "lost":
                break
            if fate == "answer lost":
                lost.set()
            writer.write(sent)
            await writer.drain()
        raise ConnectionResetError

    async def _back(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, lost: asyncio.Event) -> None:
        while answer := await reader.read(2**20):
            if lost.is_set():
                # The server has done it; the client never hears so.
                raise ConnectionResetError
            if self.answered is not None:
                await self.answered()
            writer.write(answer)
            await writer.drain()
        raise ConnectionResetError
