"""Webhook endpoint: hands updates to the intake and answers 200 only once they are stored."""

import asyncio
import hmac
import json
import logging
import socket
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, cast

import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from uvicorn.protocols.http.h11_impl import H11Protocol

from bot.process.pause import IntakePaused
from bot.process.stop import Stop
from bot.receiving.webhook_connections import BODY_S, ConnectionLimit, WebhookConnection, accept, connection_limit
from tasks.clock import Clock
from tasks.errors import Misconfigured, StoreUnavailable
from tasks.http.server import SignallessServer
from tasks.outage import Outage

log = logging.getLogger("cohort.bot")

SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 - a header's name

BODY_BYTES = 1024 * 1024
"""Telegram's updates are a few KiB."""

_RETRY_AFTER_S = 5
"""Seconds after which Telegram sends an update again that could not be stored."""

_KEEP_ALIVE_S = 75
"""Longer than proxies that end TLS keep a connection to us (60 s): so the proxy closes it, and loses no request."""


def _connection(request: Request) -> WebhookConnection:
    """The connection of a request."""
    return cast("WebhookConnection", request.state.connection)


class WebhookEndpoint:
    """Answers Telegram's requests.

    Raises:
        Misconfigured: the secret is empty; then a request without one would pass.
    """

    def __init__(
        self, take: Callable[[Sequence[object]], Awaitable[object]], secret: str, pages: Sequence[Route] = ()
    ) -> None:
        """``pages``: what else is served at this address, to anyone."""
        if not secret:
            raise Misconfigured("COHORT_WEBHOOK_SECRET: required with COHORT_WEBHOOK_URL")
        self._take = take
        self._secret = secret.encode()
        self._away = Outage()
        self.app = Starlette(
            routes=[
                Route("/healthz", _health, methods=["GET"]),
                *pages,
                # A proxy in front may change the path; the secret decides.
                Route("/{path:path}", self._update, methods=["POST"]),
            ]
        )

    async def _update(self, request: Request) -> Response:
        """One update, within its deadlines."""
        connection = _connection(request)
        connection.set_deadline(BODY_S)
        body: bytes | None = None
        try:
            given = request.headers.get(SECRET_HEADER, "").encode()
            if not hmac.compare_digest(given, self._secret):
                return PlainTextResponse("wrong secret", 401)
            if not connection.authenticate():
                return PlainTextResponse("try again", 503, {"Retry-After": str(_RETRY_AFTER_S)})
            body = await read_body(request, BODY_BYTES)
            if body is None:
                return PlainTextResponse("too large", 413)
            connection.set_deadline(None)
            return await self._taken(body)
        except ClientDisconnect:
            return Response(status_code=400)
        finally:
            connection.response_sent(whole=body is not None)

    async def _taken(self, body: bytes) -> Response:
        """The answer to an update.

        200: the update is stored, or means nothing to us. 400: it is no JSON. 503: Telegram has to send it again.
        """
        try:
            update = json.loads(body)
        except (ValueError, RecursionError):
            return PlainTextResponse("no JSON", 400)
        try:
            await self._take([update])
        except IntakePaused:
            return PlainTextResponse("try again", 503, {"Retry-After": str(_RETRY_AFTER_S)})
        except StoreUnavailable as problem:
            if self._away.began():
                log.warning("store.unavailable", extra={"problem": str(problem)})
            return PlainTextResponse("try again", 503, {"Retry-After": str(_RETRY_AFTER_S)})
        if (lasted := self._away.ended()) is not None:
            log.warning("store.back", extra={"after_s": lasted})
        return Response()


async def _health(request: Request) -> Response:
    _connection(request).response_sent(whole=False)
    return PlainTextResponse("ok")


class PagesEndpoint:
    """Of a bot that polls: it serves pages, and takes no updates."""

    def __init__(self, pages: Sequence[Route]) -> None:
        self.app = Starlette(routes=[Route("/healthz", _health, methods=["GET"]), *pages])


async def read_body(request: Request, most: int) -> bytes | None:
    """The request's body. None if it is too large: then reading stops at the limit."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            return None
    return bytes(body)


def _protocol(limit: ConnectionLimit) -> type[asyncio.Protocol]:
    """Uvicorn's HTTP protocol, whose connections are counted and whose requests know their connection.

    It is the protocol on h11, because that bounds a request's head (64 KiB); the one on httptools does not.
    """

    class Counted(H11Protocol):
        _connection: WebhookConnection | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
            self._connection = self.app_state["connection"] = limit.add(transport)
            super().connection_made(transport)

        def data_received(self, data: bytes) -> None:
            if self._connection is not None:
                self._connection.bytes_received()
            super().data_received(data)

        def connection_lost(self, exc: Exception | None) -> None:
            if self._connection is not None:
                self._connection.closed()
            super().connection_lost(exc)

    return Counted


async def serve(
    webhook: WebhookEndpoint | PagesEndpoint, sock: socket.socket, stop: Stop, clock: Clock, most: int | None = None
) -> None:
    """Serve until ``stop``, and answer the requests that have arrived by then.

    Args:
        webhook: The endpoint.
        sock: The listening socket.
        stop: Ends the serving.
        clock: The time.
        most: Connections of each kind, at most (``webhook_connections``).
    """
    limit = ConnectionLimit(most or connection_limit(), clock)
    config = uvicorn.Config(
        webhook.app,
        http=_protocol(limit),
        log_config=None,
        # It warns of each request that is no HTTP, and strangers send those.
        log_level="error",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        ws="none",
        lifespan="off",
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=10,
    )
    server = SignallessServer(config)

    def protocol() -> asyncio.Protocol:
        made: Any = config.http_protocol_class
        return made(config=config, server_state=server.server_state, app_state={})

    async with asyncio.TaskGroup() as group:
        # uvicorn gets no socket: it serves the connections that we accept.
        serving = group.create_task(server.serve([]), name="webhook")
        accepting = group.create_task(accept(sock, limit, protocol), name="webhook-accept")
        await stop.wait()
        accepting.cancel()
        server.should_exit = True
        await serving
