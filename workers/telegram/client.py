"""python-telegram-bot's client as a worker needs it: one pool of connections, our pacing, nothing asked at start."""

import ipaddress
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import httpx
from telegram.error import NetworkError
from telegram.ext import ExtBot
from telegram.request import HTTPXRequest

from tasks.settings import Settings
from workers.telegram.pacing import Pace, Pacing

# Seconds. A send that is given up while Telegram works on it may show twice, so patience is long where it is cheap.
CONNECT_TIMEOUT = 5.0
READ_TIMEOUT = 30.0
WRITE_TIMEOUT = 10.0
UPLOAD_TIMEOUT = 60.0
POOL_TIMEOUT = 30.0
KEEP_ALIVE = 30.0
"""Seconds an unused connection is kept: less than the servers' own patience, so that none is found closed."""
_CONNECTIONS_PER_LANE = 4
"""A lane's turn streams while earlier turns' answers are still being delivered."""
_MOST_CONNECTIONS = 512


class _Request(HTTPXRequest):
    """An answer that is no JSON came from something between Telegram and us: a fault of the network."""

    @staticmethod
    def parse_json_payload(payload: bytes) -> dict[str, Any]:
        """The answer's JSON; PTB's own would write what it cannot read to the log.

        Raises:
            NetworkError: it is none.
        """
        try:
            answer: Any = json.loads(payload.decode("utf-8", "replace"))
        except ValueError as problem:
            raise NetworkError("the answer is no JSON") from problem
        if not isinstance(answer, dict):
            raise NetworkError("the answer is no JSON object")
        return answer


def _is_local(url: str) -> bool:
    """Whether a proxy from the environment would only be in the way."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@asynccontextmanager
async def client(settings: Settings, pacing: Pacing) -> AsyncGenerator[ExtBot[Pace]]:
    """A bot for the settings' token and server, ready inside this block; it asks nothing of Telegram by itself.

    Raises:
        Misconfigured: there is no token.
    """
    root = settings.telegram_base_url
    connections = min(max(settings.lanes * _CONNECTIONS_PER_LANE, 64), _MOST_CONNECTIONS)
    request = _Request(
        connection_pool_size=connections,
        connect_timeout=CONNECT_TIMEOUT,
        read_timeout=READ_TIMEOUT,
        write_timeout=WRITE_TIMEOUT,
        pool_timeout=POOL_TIMEOUT,
        media_write_timeout=UPLOAD_TIMEOUT,
        httpx_kwargs={
            "limits": httpx.Limits(
                max_connections=connections, max_keepalive_connections=connections, keepalive_expiry=KEEP_ALIVE
            ),
            "trust_env": not _is_local(root),
        },
    )
    async with request:
        # Not `async with bot`: that calls getMe, and a worker must start while Telegram is away.
        yield ExtBot(
            settings.token,
            base_url=f"{root}/bot",
            base_file_url=f"{root}/file/bot",
            request=request,
            get_updates_request=request,
            rate_limiter=pacing,
        )
