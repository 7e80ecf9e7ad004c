"""Updates pushed by Telegram: the same door, and 200 only when it has closed behind them."""

import asyncio
import contextlib
import errno
import hmac
import json
import logging
import socket
from collections.abc import Awaitable, Callable, Generator, Sequence
from typing import Any, cast

import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from uvicorn.protocols.http.h11_impl import H11Protocol

from bot.stop import Stop
from bot.webhook_connections import BODY_S, Crowd, Visitor, places, receive
from tasks.clock import Clock
from tasks.errors import Misconfigured, StoreUnavailable

log = logging.getLogger("cohort.bot")

SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 - a header's name

BODY_BYTES = 1024 * 1024
"""Telegram's updates are a few KiB."""

_RETRY_AFTER_S = 5
"""Redis is away: Telegram keeps the update and comes again, soon enough for its user."""

_KEEP_ALIVE_S = 75
"""Longer than the proxies that end TLS keep a connection to us (60 s): they close it, and lose no request by that."""


def _visitor(request: Request) -> Visitor:
    """The connection that a request came by."""
    return cast("Visitor", request.state.visitor)


class Webhook:
    """Answers Telegram's requests.

    Raises:
        Misconfigured: the secret is empty; each request without one would have it.
    """

    def __init__(self, take: Callable[[Sequence[object]], Awaitable[object]], secret: str) -> None:
        if not secret:
            raise Misconfigured("COHORT_WEBHOOK_SECRET: required with COHORT_WEBHOOK_URL")
        self._take = take
        self._secret = secret.encode()
        self.app = Starlette(
            routes=[
                Route("/healthz", self._health, methods=["GET"]),
                # Whatever a proxy in front makes of the path: the secret is what counts.
                Route("/{path:path}", self._update, methods=["POST"]),
            ]
        )

    async def _health(self, request: Request) -> Response:
        _visitor(request).answered(whole=False)
        return PlainTextResponse("ok")

    async def _update(self, request: Request) -> Response:
        """One update, within its deadlines."""
        visitor = _visitor(request)
        visitor.within(BODY_S)
        body: bytes | None = None
        try:
            given = request.headers.get(SECRET_HEADER, "").encode()
            if not hmac.compare_digest(given, self._secret):
                return PlainTextResponse("wrong secret", 401)
            if not visitor.shown():
                return PlainTextResponse("try again", 503, {"Retry-After": str(_RETRY_AFTER_S)})
            body = await _body(request)
            if body is None:
                return PlainTextResponse("too large", 413)
            visitor.within(None)
            return await self._taken(body)
        except ClientDisconnect:
            return Response(status_code=400)
        finally:
            visitor.answered(whole=body is not None)

    async def _taken(self, body: bytes) -> Response:
        """What an update is answered with.

        200: it is durable (or is nothing to us). 400: no JSON. 503: come again.
        """
        try:
            update = json.loads(body)
        except (ValueError, RecursionError):
            return PlainTextResponse("no JSON", 400)
        try:
            await self._take([update])
        except StoreUnavailable as problem:
            log.warning("store.unavailable", extra={"problem": str(problem)})
            return PlainTextResponse("try again", 503, {"Retry-After": str(_RETRY_AFTER_S)})
        return Response()


async def _body(request: Request) -> bytes | None:
    """The request's body, or None when it is too large; no more than that is ever held."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_BYTES:
            return None
    return bytes(body)


class _Server(uvicorn.Server):
    """Leaves signals to the process."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


def listen(host: str, port: int) -> socket.socket:
    """A listening socket.

    Raises:
        Misconfigured: the port is taken, or the address does not belong to this machine.
    """
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as problem:
        reason = f"cannot listen on {host}, port {port} ({problem.strerror})"
        name = "COHORT_WEBHOOK_PORT" if problem.errno in (errno.EADDRINUSE, errno.EACCES) else "COHORT_WEBHOOK_HOST"
        raise Misconfigured(f"{name}: {reason}; choose another") from None


def _protocol(crowd: Crowd) -> type[asyncio.Protocol]:
    """Uvicorn's HTTP protocol, with its connection in the crowd and each request told whose it is.

    The one on h11: it bounds a request's head (64 KiB), the one on httptools does not.
    """

    class Counted(H11Protocol):
        _visitor: Visitor | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
            self._visitor = self.app_state["visitor"] = crowd.enter(transport)
            super().connection_made(transport)

        def data_received(self, data: bytes) -> None:
            if self._visitor is not None:
                self._visitor.heard()
            super().data_received(data)

        def connection_lost(self, exc: Exception | None) -> None:
            if self._visitor is not None:
                self._visitor.left()
            super().connection_lost(exc)

    return Counted


async def serve(webhook: Webhook, sock: socket.socket, stop: Stop, clock: Clock, most: int | None = None) -> None:
    """Until ``stop``; requests in hand are answered. ``most``: connections of each kind (``webhook_connections``)."""
    crowd = Crowd(most or places(), clock)
    config = uvicorn.Config(
        webhook.app,
        http=_protocol(crowd),
        log_config=None,
        # Not its warnings: one for each request that is no HTTP, and strangers send those.
        log_level="error",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        ws="none",
        lifespan="off",
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=10,
    )
    server = _Server(config)

    def protocol() -> asyncio.Protocol:
        made: Any = config.http_protocol_class
        return made(config=config, server_state=server.server_state, app_state={})

    async with asyncio.TaskGroup() as group:
        # Without a socket: uvicorn serves the connections that we accept.
        serving = group.create_task(server.serve([]), name="webhook")
        accepting = group.create_task(receive(sock, crowd, protocol), name="webhook-accept")
        await stop.wait()
        accepting.cancel()
        server.should_exit = True
        await serving
