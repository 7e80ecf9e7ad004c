"""Where fast-agent talks to HTTP MCP servers: answers are read for sessions that a server has forgotten."""

from collections.abc import Awaitable, Callable
from typing import Any

from workers.runtime.servers import sessions as mcp_sessions

BEGIN_S = 30.0
"""A server that has not begun another session by then is down."""


def captured(original: Callable[[Any, Any], Awaitable[None]]) -> Callable[[Any, Any], Awaitable[None]]:
    """``ServerConnection.capture_http_response``: every answer passes here."""

    async def capture_http_response(self: Any, response: Any) -> None:
        await original(self, response)
        await mcp_sessions.note(self, response)

    return capture_http_response


def in_time(original: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """``reconnect_server``, which has no end where a server takes the connection and says nothing."""

    async def reconnect_server(self: Any, server_name: str, **kwargs: Any) -> Any:
        if kwargs.get("startup_timeout_seconds") is None:
            kwargs["startup_timeout_seconds"] = BEGIN_S
        return await original(self, server_name, **kwargs)

    return reconnect_server
