"""HTTP MCP servers that forget a session: started again once, and the call that found out is repeated.

How servers say that they do not know a session (public reports; the specification has a 404 only):

| status | body | said by |
|---|---|---|
| 404 | JSON-RPC -32001 "Session not found" | the TypeScript and C# SDKs |
| 404 | JSON-RPC -32600 "Session not found" | the Python SDK |
| 404 | JSON-RPC -32000 "Not Found: Unknown Mcp-Session-Id header"; text; other JSON | servers without an SDK |
| 400 | JSON-RPC -32000 "Bad Request: No valid session ID provided" | examples of the TypeScript SDK, and their heirs |
| 400 | JSON-RPC -32600 "Bad Request: No valid session ID"; text "Invalid session ID" | older Python SDK and mcp-go |
| 500, 503 | one of these texts, quoted | proxies |
| 200 | JSON-RPC -32600 "missing or invalid Mcp-Session-Id" | servers without an SDK |

fast-agent knows only a 404 whose body is no JSON-RPC error. -32001 alone says nothing: the MCP SDK has it for
its own timeouts, after which a call may have been carried out. So the HTTP answer to a request that named a session
decides.
"""

import json
import re
from asyncio import Event, Lock, timeout
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, cast
from weakref import WeakKeyDictionary

from fast_agent.core.exceptions import ServerSessionTerminatedError
from fast_agent.mcp.mcp_aggregator import MCPAggregator
from fast_agent.mcp.mcp_connection_manager import ServerConnection
from mcp.shared.exceptions import MCPError
from mcp_types import CONNECTION_CLOSED, INTERNAL_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND

from workers.runtime.servers import over_http

type Execute = Callable[[Any], Awaitable[Any]]
type Operate = Callable[[Any, str, Execute], Awaitable[Any]]

_NOT_FOUND, _CLIENT_ERROR = 404, 400
_LOGIN = frozenset({401, 403, 429})
_GATEWAY = frozenset({502, 503, 504})
_READ = 4096
_UNKNOWN = re.compile(
    r"(?is)(?=.*session)(?=.*(not found|no valid|not valid|invalid|unknown|missing|expired|terminated|not exist"
    r"|no longer|no active|not initialized|no such))"
)

_forgotten: WeakKeyDictionary[ServerConnection, bool] = WeakKeyDictionary()
_away: WeakKeyDictionary[ServerConnection, bool] = WeakKeyDictionary()
_locks: WeakKeyDictionary[MCPAggregator, Lock] = WeakKeyDictionary()


@dataclass(slots=True)
class _Flights:
    """Operations that run on a connection."""

    count: int = 0
    none: Event = field(default_factory=Event)


_flights: WeakKeyDictionary[ServerConnection, _Flights] = WeakKeyDictionary()

_LANDING_S = 5.0
"""Refusals of the same session come at once; a call that takes longer is cut off."""


class SessionLost(RuntimeError):  # noqa: N818 - an event
    """A server forgets sessions as fast as they are begun (connection closed: the lane is replaced)."""

    def __init__(self, server: str) -> None:
        super().__init__(f"The MCP server {server} does not keep its sessions (connection closed). Try again later.")


async def operate(original: Operate, self: Any, server: str, execute: Execute) -> Any:
    """One operation of an aggregator on a server; once more in a new session if the old one is unknown to it.

    Raises:
        SessionLost: the new one is, too.
        Exception: what the operation raised.
    """
    before = _running(self, server)
    try:
        with _in_flight(before):
            return await original(self, server, execute)
    except (ServerSessionTerminatedError, MCPError) as problem:
        used = before or _running(self, server)
        if used is None or not _unknown(problem, used) or not used.server_config.reconnect_on_disconnect:
            raise
    await _open_again(self, server, used)
    try:
        return await original(self, server, execute)
    except (ServerSessionTerminatedError, MCPError) as problem:
        again = _running(self, server)
        if again is not None and _unknown(problem, again):
            raise SessionLost(server) from problem
        raise


@contextmanager
def _in_flight(used: ServerConnection | None) -> Generator[None]:
    if used is None:
        yield
        return
    flights = _flights.setdefault(used, _Flights())
    flights.count += 1
    flights.none.clear()
    try:
        yield
    finally:
        flights.count -= 1
        if not flights.count:
            flights.none.set()


def _running(self: Any, server: str) -> ServerConnection | None:
    return self._require_connection_manager().running_servers.get(server)


def is_closed(problem: Exception) -> bool:
    """Whether the connection broke. Servers use the code for other things, too."""
    return (
        isinstance(problem, MCPError)
        and problem.code == CONNECTION_CLOSED
        and problem.message.casefold() == "connection closed"
    )


def is_away(self: Any, server: str, problem: MCPError) -> bool:
    """Whether a proxy answered in place of the server."""
    used = _running(self, server)
    return problem.code == INTERNAL_ERROR and used is not None and _away.pop(used, False)


def _unknown(problem: Exception, used: ServerConnection) -> bool:
    if is_closed(problem):
        # What became of this call is unknown.
        return False
    return isinstance(problem, ServerSessionTerminatedError) or used in _forgotten


async def _open_again(self: Any, server: str, used: ServerConnection) -> None:
    """Of several calls that find out at the same time one begins the new session."""
    async with _locks.setdefault(self, Lock()):
        if _running(self, server) is not used:
            return
        # What else runs on the old connection may have begun before the session was forgotten.
        flights = _flights.get(used)
        if flights is not None and flights.count:
            with suppress(TimeoutError):
                async with timeout(_LANDING_S):
                    await flights.none.wait()
        began = await self._require_connection_manager().reconnect_server(
            server,
            callback_runtime=self._create_callback_runtime(server),
            **self._attachment_manager_kwargs(server),
        )
        began._callback_runtime.mark_subscription_ready()  # noqa: SLF001


async def note(connection: ServerConnection, response: Any) -> None:
    """What an answer of an HTTP server says of its session."""
    if response.status_code in _GATEWAY:
        _away[connection] = True
    if not await over_http.read_whole(response):
        return
    if "mcp-session-id" in response.request.headers and _forgets(response):
        _forgotten[connection] = True
        return
    over_http.tell_status(response)


def _forgets(response: Any) -> bool:
    status = response.status_code
    if status in _LOGIN:
        return False
    body = response.content[:_READ].decode(errors="replace")
    code, message = _error_in(body)
    if status == _NOT_FOUND:
        return code != METHOD_NOT_FOUND
    if status < _CLIENT_ERROR:
        # An error of a tool itself has another code.
        return code == INVALID_REQUEST and _UNKNOWN.match(message) is not None
    return _UNKNOWN.match(body) is not None


def _error_in(body: str) -> tuple[int | None, str]:
    """Code and message of a JSON-RPC error."""
    try:
        told: Any = json.loads(body) if '"error"' in body else None
    except ValueError:
        return None, ""
    error: Any = cast("dict[str, Any]", told).get("error") if isinstance(told, dict) else None
    if not isinstance(error, dict):
        return None, ""
    found = cast("dict[str, Any]", error)
    code = found.get("code")
    return (code if isinstance(code, int) else None), str(found.get("message", ""))
