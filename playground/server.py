"""The composition root: the application, and serving it on this machine."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from typing import Any, cast

import uvicorn
from starlette.applications import Starlette
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from playground.bot_api.api import BotApi
from playground.bot_api.courier import Courier
from playground.control import routes as control_routes
from playground.errors import CannotServe
from playground.guard import Guard
from playground.page import routes as page_routes
from playground.state.world import State

_log = logging.getLogger("cohort.playground")
LOOPBACK = "127.0.0.1"


class Playground(Starlette):
    """Bot API calls bypass Starlette's routing for speed; control API and page are ordinary routes."""

    def __init__(self, state: State) -> None:
        self.playground = state
        self._bot_api = BotApi(state)
        super().__init__(routes=[*page_routes(state), *control_routes(state)], lifespan=_courier)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith(("/bot", "/file/bot")):
            await self._bot_api(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


@asynccontextmanager
async def _courier(app: Playground) -> AsyncGenerator[None]:
    """Run the courier as long as the server."""
    async with asyncio.TaskGroup() as tasks:
        courier = tasks.create_task(Courier(app.playground).run(), name="courier")
        yield
        courier.cancel()


def create_app(state: State) -> Guard:
    """The playground as an ASGI application around ``state``."""
    return Guard(Playground(state), state.key)


class PlaygroundServer(uvicorn.Server):
    """Leaves signals to the owner of the loop, and stops when told, not at the next tick."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.leave = asyncio.Event()

    async def main_loop(self) -> None:
        await self.leave.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End at once where nothing is being answered; uvicorn's own sleeps for a tenth of a second first."""
        for listener in (*self.servers, *(sockets or ())):
            listener.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        if requests := set(self.server_state.tasks):
            _, late = await asyncio.wait(requests, timeout=self.config.timeout_graceful_shutdown)
            for request in late:
                request.cancel()
        await self.lifespan.shutdown()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


def _protocol(state: State) -> type[asyncio.Protocol]:
    """Uvicorn's HTTP protocol that remembers its connections, so that a fault can cut one."""

    class Remembered(AutoHTTPProtocol):
        _peer: tuple[str, int] | None = None

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            peer = transport.get_extra_info("peername")
            # Head and body of an answer are two writes; without this each answer waits for a delayed ACK (40 ms).
            transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if peer:
                self._peer = (str(peer[0]), int(peer[1]))
                state.connections[self._peer] = transport

        def connection_lost(self, exc: Exception | None) -> None:
            if self._peer is not None:
                state.connections.pop(self._peer, None)
            super().connection_lost(exc)

    return cast("type[asyncio.Protocol]", Remembered)


def listen(host: str, port: int) -> socket.socket:
    """A listening socket.

    Raises:
        CannotServe: the port is taken, or the address cannot be used.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
        sock.listen(2048)
    except OSError as problem:
        sock.close()
        reason = f"cannot listen on {host}:{port} ({problem.strerror})"
        raise CannotServe(f"COHORT_PLAYGROUND_PORT: {reason}; choose another port, or 0 for a free one") from None
    sock.setblocking(False)
    return sock


@asynccontextmanager
async def serving(state: State, host: str = LOOPBACK, port: int = 0) -> AsyncGenerator[str]:
    """Serve inside this block.

    Yields:
        The URL, without a slash at its end.

    Raises:
        CannotServe: the port is taken.
    """
    sock = listen(host, port)
    config = uvicorn.Config(
        create_app(state),
        http=_protocol(state),
        ws="none",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=1,
    )
    server = PlaygroundServer(config)
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(server.serve([sock]), name="playground-http")
        try:
            bound = sock.getsockname()[1]
            yield f"http://{f'[{host}]' if ':' in host else host}:{bound}"
        finally:
            server.leave.set()
            for connection in list(state.connections.values()):
                connection.close()
            await task


async def serve(host: str = LOOPBACK, port: int = 0, *, state: State | None = None) -> None:
    """Serve until cancelled.

    Raises:
        CannotServe: the port is taken.
    """
    async with serving(state or State(), host, port) as url:
        _log.info("playground.serving", extra={"url": url})
        await asyncio.get_running_loop().create_future()
