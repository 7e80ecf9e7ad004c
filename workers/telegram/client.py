"""python-telegram-bot's client as a worker needs it: one pool of connections, our pacing, nothing asked at start."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from telegram.ext import ExtBot

from botapi.pacing import Pace, Pacing
from botapi.proxy import proxy_for
from botapi.transport import AiohttpRequest
from tasks.settings import Settings

_CONNECTIONS_PER_LANE = 4
"""A lane's turn streams while earlier turns' answers are still being delivered."""
_MOST_CONNECTIONS = 512


@asynccontextmanager
async def client(settings: Settings, pacing: Pacing) -> AsyncGenerator[ExtBot[Pace]]:
    """A bot for the settings' token and server, ready inside this block; it asks nothing of Telegram by itself.

    Raises:
        Misconfigured: there is no token, or no way to use the proxy.
    """
    root = settings.telegram_base_url
    connections = min(max(settings.lanes * _CONNECTIONS_PER_LANE, 64), _MOST_CONNECTIONS)
    request = AiohttpRequest(connections=connections, proxy=proxy_for(root))
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
