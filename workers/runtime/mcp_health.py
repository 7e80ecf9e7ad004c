"""MCP servers that a worker's lanes share a name for: which of them are down, and when they are tried again.

A server that is down does not keep lanes from being made. Its tools, as far as their names are known, answer that it is
not reachable (``server_calls``). Here it is tried again, later each time, and lanes are renewed when it is back.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from fast_agent.core.exceptions import ServerInitializationError
from mcp.shared.exceptions import MCPError
from mcp_types import Tool

log = logging.getLogger("cohort.runtime")

FIRST_RETRY_S, LONGEST_RETRY_S = 0.5, 60.0

STEADY_S = 300.0
"""A server that goes again sooner than this after it came back is tried again no sooner than before."""

PROBE_S = 30.0
"""A server that has not answered by then is down; npm-packed ones need some seconds on a loaded machine."""

type Alert = Callable[[str, str], Awaitable[None]]
"""Tell the operator, once for each cause: the cause, the detail."""

type Probe = Callable[[str], Awaitable[Sequence[Tool]]]
"""Start a server, ask for its tools, end it.

Raises:
    Exception: it is down.
    LookupError: it is configured no more.
"""


@dataclass(slots=True)
class _ServerState:
    tools: tuple[Tool, ...] = ()
    down: str | None = None
    """Why it is not reachable."""
    pause: float = FIRST_RETRY_S
    back_at: float = 0.0


class ServerHealth:
    """What is known of each server. Lives in the loop thread."""

    def __init__(self) -> None:
        self._servers: dict[str, _ServerState] = {}
        self._lost: asyncio.Queue[str] = asyncio.Queue()
        self._refused: asyncio.Queue[tuple[str, str]] = asyncio.Queue()
        self.changes = 0
        """How often one came back; lanes made before an increase do without it."""

    @property
    def down(self) -> tuple[str, ...]:
        """Names of those that are not reachable."""
        return tuple(sorted(name for name, server in self._servers.items() if server.down is not None))

    def why_down(self, name: str) -> str | None:
        """For the operator, in one line; None: it is not known to be down."""
        server = self._servers.get(name)
        return None if server is None else server.down

    def tools(self, name: str) -> tuple[Tool, ...]:
        """Those it had when it was last there."""
        server = self._servers.get(name)
        return () if server is None else server.tools

    def seen(self, name: str, tools: Sequence[Tool]) -> None:
        """It answers."""
        server = self._servers.setdefault(name, _ServerState())
        server.tools = tuple(tools)

    def lost(self, name: str, why: str) -> None:
        """It does not."""
        server = self._servers.setdefault(name, _ServerState())
        if server.down is not None:
            return
        steady = asyncio.get_running_loop().time() - server.back_at > STEADY_S
        server.down = why
        server.pause = FIRST_RETRY_S if steady else server.pause
        log.error("server.unreachable", extra={"server": name, "reason": why})
        self._lost.put_nowait(name)

    def refused(self, name: str, why: str) -> None:
        """A chat's own server did not start; others' may."""
        log.error("server.unreachable", extra={"server": name, "reason": why})
        self._refused.put_nowait((name, why))

    def forget(self, name: str) -> None:
        """No card names it any more."""
        self._servers.pop(name, None)

    async def watch(self, probe: Probe, came_back: Callable[[], None], alert: Alert | None) -> None:
        """Try again what is down, until cancelled. ``came_back``: lanes have to be made anew."""
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
            await asyncio.sleep(server.pause)
            server.pause = min(server.pause * 2, LONGEST_RETRY_S)
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
                    await _tell(alert, name, server.down)
            else:
                server.down, server.back_at = None, asyncio.get_running_loop().time()
                self.changes += 1
                log.info("server.back", extra={"server": name})
                came_back()


async def _tell(alert: Alert | None, name: str, why: str) -> None:
    if alert is None:
        return
    try:
        await alert(f"MCP server {name}", f"{why}. Agents that use it do without its tools")
    except Exception:
        # It stands in the log already; the servers are watched on.
        log.exception("alert.failed", extra={"server": name})


def why_not(name: str, problem: BaseException) -> str:
    """For the operator, in one line: why a server does not start. An address may hold a token."""
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
    line = f"MCP server {name} does not start: {said.rstrip('.')}"
    if "error response" in said:
        # The MCP SDK keeps the status to itself; a 401 looks like this, too.
        line += "; check its url, and put a token under its headers if it wants a login: nobody can log in from here"
    return line
