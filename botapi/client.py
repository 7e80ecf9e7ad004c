"""python-telegram-bot's client as bot and workers need it: one pool of connections, our pacing, no call at start."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from telegram.ext import ExtBot

from botapi.pacing import Pacing, Priority
from botapi.proxy import proxy_for
from botapi.transport import READ_TIMEOUT, AiohttpRequest


@dataclass(frozen=True, slots=True)
class Connection:
    """A pool of connections to a Bot API server, for one bot."""

    token: str
    root: str
    """Root of the Bot API server, without a slash at its end."""
    request: AiohttpRequest

    def bot(self, pacing: Pacing | None = None) -> ExtBot[Priority]:
        """A client on these connections, with ``pacing`` as its rate limiter. Without one no call names a priority."""
        return ExtBot(
            self.token,
            base_url=f"{self.root}/bot",
            base_file_url=f"{self.root}/file/bot",
            request=self.request,
            get_updates_request=self.request,
            rate_limiter=pacing,
        )


@asynccontextmanager
async def connected(
    token: str, root: str, *, connections: int, patience: float = READ_TIMEOUT
) -> AsyncGenerator[Connection]:
    """Connections that are open inside this block. They make no call by themselves.

    Args:
        token: The bot's token.
        root: Root of the Bot API server, without a slash at its end.
        connections: Requests at the same time, at most.
        patience: Seconds that an answer may take where a call names no time.

    Raises:
        Misconfigured: there is a proxy that cannot be used.
    """
    # `async with bot` calls getMe, and a process must start while Telegram is away.
    async with AiohttpRequest(connections=connections, proxy=proxy_for(root), patience=patience) as request:
        yield Connection(token, root, request)
