"""A few lines of HTTP/1.1 server over asyncio, so that a test decides when a connection breaks."""

import asyncio
import json
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit


class ClientGone(ConnectionError):  # noqa: N818 - an event
    """The client closed its side."""


@dataclass(slots=True)
class Request:
    """One request and the way back. ``wake`` is set when the client goes, and by a test that has news for it."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    _writer: asyncio.StreamWriter
    _gone: asyncio.Event
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    answered: bool = False

    @property
    def gone(self) -> bool:
        return self._gone.is_set()

    def json(self) -> Any:
        return json.loads(self.body or b"{}")

    async def respond(self, value: Any, status: int = 200, headers: dict[str, str] | None = None) -> None:
        """The whole answer at once; ``value`` as JSON unless it is bytes."""
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        lines = {"content-type": "application/json", "content-length": str(len(body)), **(headers or {})}
        await self.start(status, lines)
        await self.write(body)

    async def start(self, status: int, headers: dict[str, str]) -> None:
        self.answered = True
        head = [f"HTTP/1.1 {status} x", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
        await self.write("\r\n".join(head).encode())

    async def chunk(self, data: bytes) -> None:
        """A piece of a body that was started with ``transfer-encoding: chunked``; an empty one ends it."""
        await self.write(b"%x\r\n%b\r\n" % (len(data), data))

    async def write(self, data: bytes) -> None:
        if self.gone:
            raise ClientGone
        self._writer.write(data)
        await self._writer.drain()

    async def pause(self, seconds: float) -> None:
        """Let time pass.

        Raises:
            ClientGone: the client did not wait.
        """
        try:
            async with asyncio.timeout(max(seconds, 0)):
                await self._gone.wait()
        except TimeoutError:
            return
        raise ClientGone

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait for a condition, looked at again each time ``wake`` is set.

        Raises:
            ClientGone: the client did not wait.
        """
        while not holds():
            if self.gone:
                raise ClientGone
            await self.wake.wait()
            self.wake.clear()

    def abort(self) -> None:
        """Break the connection where it stands."""
        self.answered = True
        self._writer.transport.abort()
        raise ClientGone


class _Protocol(asyncio.StreamReaderProtocol):
    """Notices a client that leaves while its request is not read."""

    def __init__(self, serve: Callable[..., Awaitable[None]], loop: asyncio.AbstractEventLoop) -> None:
        self.gone = asyncio.Event()
        self.current: Request | None = None
        reader = asyncio.StreamReader(limit=2**26, loop=loop)
        super().__init__(reader, lambda r, w: serve(r, w, self), loop)

    def _left(self) -> None:
        self.gone.set()
        if self.current is not None:
            self.current.wake.set()

    def eof_received(self) -> bool | None:
        self._left()
        return super().eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        self._left()
        super().connection_lost(exc)


class HttpServer(ABC):
    """Serves ``handle`` on 127.0.0.1; ``ssl`` makes it https. Leaving breaks every connection that is open."""

    def __init__(self, *, port: int = 0, ssl: Any = None) -> None:
        self.port = port
        self._ssl = ssl
        self._open: set[asyncio.StreamWriter] = set()
        self.connections = 0

    @property
    def url(self) -> str:
        return f"{'https' if self._ssl else 'http'}://127.0.0.1:{self.port}"

    @abstractmethod
    async def handle(self, request: Request) -> None:
        """Answer one request, or break its connection."""

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: _Protocol(self._connection, loop), "127.0.0.1", self.port, ssl=self._ssl, backlog=2048
        )
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for writer in tuple(self._open):
            writer.transport.abort()
        await self._server.wait_closed()

    def hang_up(self) -> None:
        """Close every connection that is open, as a server does with idle ones."""
        for writer in tuple(self._open):
            writer.close()

    async def _connection(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, protocol: _Protocol
    ) -> None:
        self._open.add(writer)
        self.connections += 1
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
                method, target, _ = head[0].split(" ", 2)
                headers = {
                    k.strip().lower(): v.strip() for k, _, v in (line.partition(":") for line in head[1:] if line)
                }
                body = await reader.readexactly(int(headers.get("content-length", "0")))
                parts = urlsplit(target)
                query = dict(parse_qsl(parts.query))
                request = Request(method, parts.path, query, headers, body, writer, protocol.gone)
                protocol.current = request
                await self.handle(request)
                if not request.answered:
                    await request.respond({"error": {"message": "no such path"}}, 404)
                protocol.current = None
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self._open.discard(writer)
            writer.close()
