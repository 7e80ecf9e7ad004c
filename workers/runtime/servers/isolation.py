"""MCP servers of a session's own: marked ``isolation: chat`` in fastagent.config.yaml, one process for one chat.

    mcp:
      servers:
        memory:
          command: mcp-server-memory
          isolation: chat
          env: { MEMORY_FILE_PATH: "{workdir}/memory.json" }

fast-agent ignores the key. Such a server does not start with a lane. When a session gets a lane, the lane attaches it
under a name of that session, with ``{session}`` and ``{workdir}`` (a directory of the session's own) filled into its
arguments, environment, directory, address and headers. It stays while no other session gets the lane, and its process
has ended before one does. At most one lane is warm for a session: ``Lanes.take`` prefers it. An agent that another one
uses as a tool cannot have such a server, and a card that says so is refused: fast-agent copies the agent for each call,
and a copy would do without the server in silence.
"""

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial
from hashlib import blake2s
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fast_agent.core.instruction_refresh import rebuild_agent_instruction

from tasks.session import SessionKey
from tasks.session_files import place, slug
from workers.runtime.faults import classify as faults
from workers.runtime.lanes.lane import Lane
from workers.runtime.servers import calls as server_calls
from workers.runtime.servers.health import ServerHealth, why_not
from workers.runtime.servers.marked import CHAT, REST_S, MarkedServers, attach, detach

if TYPE_CHECKING:
    from fast_agent import FastAgent
    from fast_agent.config import MCPServerSettings

log = logging.getLogger("cohort.runtime")


@dataclass(slots=True)
class Attached:
    """The servers that a lane has attached for a session, as (agent, server name) pairs."""

    session: str
    servers: list[tuple[Any, str]] = field(default_factory=list[tuple[Any, str]])


class Isolation:
    """Attaches and detaches; every change is made in the lane's own task."""

    def __init__(self, home: Path, servers: ServerHealth) -> None:
        """Attach servers.

        Args:
            home: The state directory, where sessions get their directories.
            servers: Told of servers that do not start.
        """
        self._home = home
        self._told = servers
        self._resting: dict[str, float] = {}
        """Name of a session's server -> when it may be tried again."""
        self._marked = MarkedServers(CHAT)
        self._attached: dict[Lane, Attached] = {}

    def read(self, fast: "FastAgent") -> None:
        """Find the marked servers, and remove them from the cards, because lanes must not start them."""
        self._marked.take(fast)

    async def prepare(self, lane: Lane, agents: Iterable[Any], session: SessionKey) -> bool:
        """Give the agents their servers for this session, in a lane that holds no other session's (``cool``).

        Returns:
            Whether servers were attached.

        Without a server that does not start the turn runs, too: the agent is told, and the lane is spoiled.

        Raises:
            TurnFailed: the lane is of no use.
        """
        held = self._attached.get(lane)
        wanted = [(agent, name) for agent in agents for name in self._marked.of(agent.name)]
        present = [] if held is None else held.servers
        missing = [(agent, name) for agent, name in wanted if (agent, self._name(name, session)) not in present]
        if not missing:
            return False
        held = held or Attached(str(session))
        self._attached[lane] = held
        lane.warm = str(session)
        try:
            await lane.order(partial(self._attach, lane, held, missing, session))
        except Exception as problem:
            lane.spoil()
            log.warning("server.start_failed", extra={"session": str(session), "error": type(problem).__name__})
            raise faults.no_server(", ".join(sorted({name for _, name in wanted}))) from problem
        return True

    async def cool(self, lane: Lane) -> None:
        """End the processes that the lane keeps for a session; a lane that cannot is spoiled.

        Raises:
            TurnFailed: they did not end.
        """
        held = self._attached.pop(lane, None)
        lane.warm = None
        if held is None or not held.servers:
            return
        try:
            await lane.order(partial(self._detach, held))
        except Exception as problem:
            lane.spoil()
            log.warning("server.end_failed", extra={"session": held.session, "error": type(problem).__name__})
            raise faults.no_server(", ".join(sorted({name for _, name in held.servers}))) from problem

    def forget(self, lane: Lane) -> None:
        """The lane's instance has ended, and with it every process of it."""
        self._attached.pop(lane, None)
        lane.warm = None

    async def _attach(self, lane: Lane, held: Attached, wanted: list[tuple[Any, str]], session: SessionKey) -> None:
        workdir = place(self._home, session)
        now = asyncio.get_running_loop().time()
        self._resting = {name: until for name, until in self._resting.items() if until > now}
        for agent, name in wanted:
            own = self._name(name, session)
            if own not in self._resting:
                try:
                    await self._start(agent, name, held, session, workdir)
                    continue
                except Exception as problem:  # noqa: BLE001 - an agent without it is better than none
                    held.servers.remove((agent, own))
                    self._resting[own] = now + REST_S
                    self._told.refused(name, why_not(name, problem))
            lane.spoil()
            await server_calls.tell_lacking(agent, [name])

    async def _start(self, agent: Any, name: str, held: Attached, session: SessionKey, workdir: Path) -> None:
        own = self._name(name, session)
        settings = self._filled(self._marked.settings[name], slug(session), str(workdir))
        held.servers.append((agent, own))
        await attach(agent, name, own, settings)
        await rebuild_agent_instruction(agent)

    @staticmethod
    def _name(server: str, session: SessionKey) -> str:
        """The same for a session for ever, so that tool calls in its history keep their names."""
        return f"{server}_{blake2s(str(session).encode(errors='surrogatepass'), digest_size=5).hexdigest()}"

    async def _detach(self, held: Attached) -> None:
        for agent, name in held.servers:
            await detach(agent, name)
            await rebuild_agent_instruction(agent)

    def _filled(self, server: "MCPServerSettings", session: str, workdir: str) -> "MCPServerSettings":
        def fill(value: Any) -> Any:
            match value:
                case str():
                    return value.replace("{session}", session).replace("{workdir}", workdir)
                case list():
                    return [fill(part) for part in value]
                case dict():
                    return {name: fill(part) for name, part in value.items()}
                case _:
                    return value

        changes = {name: fill(getattr(server, name)) for name in ("args", "env", "cwd", "url", "headers")}
        return server.model_copy(deep=True, update={**changes, "name": None})
