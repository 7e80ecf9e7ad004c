"""Health of the MCP servers that all lanes use: which servers are down, and when each is tried again.

Lanes are made also while a server is down. The tools of that server, as far as their names are known, answer that it is
not reachable (``patches.server_calls``). ``ServerHealth.watch`` tries the server again, with a growing pause, and
has the lanes replaced when the server is back.
"""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from fast_agent.core.exceptions import ServerInitializationError
from mcp.shared.exceptions import MCPError
from mcp_types import Tool

from tasks.backoff import Backoff
from workers.runtime.servers import words as server_words

log = logging.getLogger("cohort.runtime")

FIRST_RETRY_S, LONGEST_RETRY_S = 0.5, 60.0

STEADY_S = 300.0
"""The pause starts again at ``FIRST_RETRY_S`` only if the server was up for this long."""

PROBE_S = 30.0
"""A server that has not answered by then is down. One started by npx needs some seconds on a loaded machine."""

_WITHOUT = "Agents that use it do without its tools"
_OF_A_CARD = re.compile(r"card-[0-9a-f]{10}-[0-9a-f]{10}-(?=.)")
"""What fast-agent puts before the name of a server that a card brings: hashes of its file and of its entry."""
_IN_OUR_WORDS = (
    ("--timeout", "no answer"),
    ("validation error", "what it answers is no MCP"),
    ("Session terminated", "it does not know the session that it has just begun"),
)

type Alert = Callable[[str, str], Awaitable[object]]
"""Tells the operator, once for each cause. Arguments: the cause, the detail."""

type Probe = Callable[[str], Awaitable[Sequence[Tool]]]
"""Starts a server, asks for its tools, ends it.

Raises:
    Exception: the server is down.
    LookupError: the configuration has no such server any more.
"""


@dataclass(slots=True)
class _ServerState:
    tools: tuple[Tool, ...] = ()
    """The tools it had when it was last reachable."""
    down: str | None = None
    """Why the server is not reachable; None while it is."""
    backoff: Backoff = field(default_factory=lambda: Backoff(FIRST_RETRY_S, LONGEST_RETRY_S))
    """Seconds until the next try."""
    back_at: float = 0.0
    """When it came back, in seconds of the loop's clock."""


class ServerHealth:
    """Knows the state of each server. Used in the loop thread only."""

    def __init__(self) -> None:
        self._servers: dict[str, _ServerState] = {}
        self._lost: asyncio.Queue[str] = asyncio.Queue()
        self._refused: asyncio.Queue[tuple[str, str]] = asyncio.Queue()
        self.changes = 0
        """How many times a server came back. Lanes that were made before an increase lack that server's tools."""

    @property
    def down(self) -> tuple[str, ...]:
        """Names of the servers that are not reachable, as fast-agent has them."""
        return tuple(sorted(name for name, server in self._servers.items() if server.down is not None))

    def why_down(self, name: str) -> str | None:
        """The reason why a server is down, in one line for the operator; None if it is up."""
        server = self._servers.get(name)
        return None if server is None else server.down

    def tools(self, name: str) -> tuple[Tool, ...]:
        """The tools that a server had when it was last reachable."""
        server = self._servers.get(name)
        return () if server is None else server.tools

    def seen(self, name: str, tools: Sequence[Tool]) -> None:
        """It answers."""
        server = self._servers.setdefault(name, _ServerState())
        server.tools = tuple(tools)

    def lost(self, name: str, why: str) -> None:
        """Note that a server does not answer, and have ``watch`` try it again."""
        server = self._servers.setdefault(name, _ServerState())
        if server.down is not None:
            return
        steady = asyncio.get_running_loop().time() - server.back_at > STEADY_S
        server.down = why
        if steady:
            server.backoff.reset()
        log.error("server.unreachable", extra={"server": name, "reason": why})
        self._lost.put_nowait(name)

    def refused(self, name: str, why: str) -> None:
        """Note that a chat's own server did not start. Other chats' instances of it may still start."""
        log.error("server.unreachable", extra={"server": name, "reason": why})
        self._refused.put_nowait((name, f"{why}. {_WITHOUT}"))

    def login_refused(self, name: str, said: str) -> None:
        """Note that a server answers, and refuses the login that its settings have for it."""
        log.error("server.login_refused", extra={"server": name, "reason": said})
        why = f"MCP server {name} refuses its login ({said}); put one that holds under its headers, and drain"
        self._refused.put_nowait((name, why))

    def forget(self, name: str) -> None:
        """Drop a server that no card names any more."""
        self._servers.pop(name, None)

    async def watch(self, probe: Probe, came_back: Callable[[], None], alert: Alert | None) -> None:
        """Try the servers that are down again, until cancelled.

        Args:
            probe: Tells whether a server is up.
            came_back: Called when a server is back: lanes have to be replaced.
            alert: Tells the operator; None tells only the log.
        """
        async with asyncio.TaskGroup() as group:
            group.create_task(self._tell_refused(alert), name="refused servers")
            while True:
                name = await self._lost.get()
                group.create_task(self._retry(name, probe, came_back, alert), name=f"server {name}")

    async def _tell_refused(self, alert: Alert | None) -> None:
        while True:
            name, why = await self._refused.get()
            await _tell(alert, name, why)

    async def _retry(self, name: str, probe: Probe, came_back: Callable[[], None], alert: Alert | None) -> None:
        told = False
        while (server := self._servers.get(name)) is not None and server.down is not None:
            await asyncio.sleep(server.backoff.next())
            try:
                async with asyncio.timeout(PROBE_S):
                    server.tools = tuple(await probe(name))
            except LookupError:
                self.forget(name)
            except Exception as problem:  # noqa: BLE001 - whatever it is, it is tried again
                log.debug("server.still_unreachable", extra={"server": name, "error": type(problem).__name__})
                # The first pause spares the operator a server that was only started again.
                if not told:
                    told = True
                    await _tell(alert, name, f"{server.down}. {_WITHOUT}")
            else:
                server.down, server.back_at = None, asyncio.get_running_loop().time()
                self.changes += 1
                log.info("server.back", extra={"server": name})
                came_back()


async def _tell(alert: Alert | None, name: str, why: str) -> None:
    if alert is None:
        return
    try:
        await alert(f"MCP server {plain_name(name)}", why)
    except Exception:
        # It stands in the log already; the servers are watched on.
        log.exception("alert.failed", extra={"server": name})


def plain_name(name: str) -> str:
    """The name by which people know a server: for one that a card brings, the name in the card."""
    return name[found.end() :] if (found := _OF_A_CARD.match(name)) else name


def why_not(name: str, problem: BaseException) -> str:
    """Why a server does not start, in one line for the operator; without addresses, which may hold a token."""
    if isinstance(problem.__cause__, MCPError | ServerInitializationError):
        # What it was put in words for a model from.
        problem = problem.__cause__
    if isinstance(problem, TimeoutError):
        said = "no answer"
    elif isinstance(problem, ServerInitializationError):
        lines = [line for line in problem.details.splitlines() if line.strip()] or ["no reason given"]
        # Of what is no common reason it gives a traceback; the reason is at its end.
        said = lines[-1 if lines[0].startswith("Traceback") else 0].partition(" for url")[0]
    elif isinstance(problem, MCPError):
        said = f"it says {(problem.message.splitlines() or [''])[0][:200]!r}"
    else:
        said = type(problem).__name__
    said = next((ours for theirs, ours in _IN_OUR_WORDS if theirs in said), said)
    line = f"MCP server {plain_name(name)} does not start: {said.rstrip('.')}"
    if "HTTP 401" in said or "HTTP 403" in said:
        line += "; check its url, and put a token under its headers if it wants a login (a worker opens no browser)"
    elif "Connection closed" in said:
        said = server_words.last(name)
        line += f"; its program ended and says {said!r}" if said else "; its program ended without a word"
    return line
