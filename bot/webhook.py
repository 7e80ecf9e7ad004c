"""Updates pushed by Telegram: the same door, and 200 only when it has closed behind them."""

import asyncio
import contextlib
import hmac
import json
import logging
import socket
from collections.abc import Awaitable, Callable, Generator, Sequence

import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bot.stop import Stop
from tasks.errors import Misconfigured, StoreUnavailable

log = logging.getLogger("cohort.bot")

SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 - a header's name

BODY_BYTES = 1024 * 1024
"""Telegram's updates are a few KiB."""

_RETRY_AFTER_S = 5
"""Redis is away: Telegram keeps the update and comes again, soon enough for its user."""


class Webhook:
    """Answers Telegram's requests."""

    def __init__(self, take: Callable[[Sequence[object]], Awaitable[object]], secret: str) -> None:
        self._take = take
        self._secret = secret.encode()
        self.app = Starlette(
            routes=[
                Route("/healthz", self._health, methods=["GET"]),
                # Whatever a proxy in front makes of the path: the secret is what counts.
                Route("/{path:path}", self._update, methods=["POST"]),
            ]
        )

    async def _health(self, _request: Request) -> Response:
        return PlainTextResponse("ok")

    async def _update(self, request: Request) -> Response:
        """One update.

        200: it is durable (or is nothing to us). 400: no JSON. 401: not from Telegram. 413: too large. 503: come again.
        """
        given = request.headers.get(SECRET_HEADER, "").encode()
        if not hmac.compare_digest(given, self._secret):
            return PlainTextResponse("wrong secret", 401)
        try:
            body = await _body(request)
        except ClientDisconnect:
            return Response(status_code=400)
        if body is None:
            return PlainTextResponse("too large", 413)
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


def listen(port: int) -> socket.socket:
    """A listening socket on all addresses: the proxy that ends TLS may be in another container.

    Raises:
        Misconfigured: the port is taken.
    """
    try:
        return socket.create_server(("0.0.0.0", port), backlog=2048)
    except OSError as problem:
        reason = f"cannot listen on port {port} ({problem.strerror})"
        raise Misconfigured(f"COHORT_WEBHOOK_PORT: {reason}; choose another") from None


async def serve(webhook: Webhook, sock: socket.socket, stop: Stop) -> None:
    """Until ``stop``; requests in hand are answered."""
    config = uvicorn.Config(
        webhook.app,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        ws="none",
        lifespan="off",
        timeout_graceful_shutdown=10,
    )
    server = _Server(config)
    async with asyncio.TaskGroup() as group:
        group.create_task(server.serve([sock]), name="webhook")
        await stop.wait()
        server.should_exit = True
