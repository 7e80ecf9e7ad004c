"""MCP servers of a person's own: marked ``isolation: user`` in fastagent.config.yaml, reached with that person's login.

    mcp:
      servers:
        calendar:
          url: https://calendar.example/mcp
          isolation: user
          auth: { scope: [events.read] }

Such a server does not start with a lane. For the turn of a person who has a login, the lane attaches it under a name
of that person, with their token. For one who has none, a tool stands in for it that has them log in. Each turn
looks again, so a login that has ended, or is another one, is never used on. What a turn of another person, or of
another session, could see of it is gone before that turn begins. A turn that answers several people has no login.
"""

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial
from hashlib import blake2s
from typing import TYPE_CHECKING, Any

from fast_agent.core.instruction_refresh import rebuild_agent_instruction
from fast_agent.mcp import common
from fast_agent.mcp.mcp_aggregator import NamespacedTool

from tasks.clock import Clock
from tasks.config.settings import Settings
from tasks.errors import Misconfigured
from workers.interfaces import TurnRequest
from workers.runtime.durable.steering import only_from
from workers.runtime.durable.tool_facts import LoginTool
from workers.runtime.faults import classify as faults
from workers.runtime.lanes.lane import Lane
from workers.runtime.logins.connection import PersonsServer, known_to, login_tool, unknown_to
from workers.runtime.logins.vault import Vault
from workers.runtime.servers.health import ServerHealth, why_not
from workers.runtime.servers.marked import PERSON, REST_S, MarkedServers, attach, detach
from workers.tool_stores import Logins

if TYPE_CHECKING:
    from fast_agent import FastAgent

log = logging.getLogger("cohort.runtime")


@dataclass(slots=True)
class PersonsAttached:
    """What a lane has of one person's servers: (agent, name there) -> the server."""

    session: str
    person: int | None
    servers: dict[tuple[Any, str], PersonsServer] = field(default_factory=dict[tuple[Any, str], PersonsServer])
    changed: bool = False
    """Whether the last turn changed something."""


def person_of(request: TurnRequest) -> int | None:
    """For whom a turn runs; None where that is not one person."""
    people = {message.person for message in request.messages if message.person is not None}
    if not people and request.session.chat > 0:
        return request.session.chat
    nameless = any(message.person is None for message in request.messages) and request.session.chat < 0
    return people.pop() if len(people) == 1 and not nameless else None


class PersonsServers:
    """Attaches and detaches; every change is made in the lane's own task."""

    def __init__(self, settings: Settings, servers: ServerHealth, logins: Logins | None, clock: Clock) -> None:
        """``servers`` is told of those that do not start."""
        self._told = servers
        self._logins = logins
        self._clock = clock
        self._redirect = settings.callback_url
        self._marked = MarkedServers(PERSON)
        self._held: dict[Lane, PersonsAttached] = {}
        self._resting: dict[tuple[str, str], float] = {}
        """(name there, login) -> when it may be tried again."""

    def read(self, fast: "FastAgent") -> None:
        """Find the marked servers, and remove them from the cards, because lanes must not start them.

        Raises:
            Misconfigured: there are some, and logins cannot be kept.
        """
        self._marked.take(fast)
        if self._marked.settings and self._logins is not None and not self._logins.kept:
            names = ", ".join(sorted(self._marked.settings))
            raise Misconfigured(
                f"COHORT_SECRET_KEY is not set: people log in at {names}, and their tokens are kept under it"
                " (make one: openssl rand -hex 32; the bot needs it, too)"
            )

    async def prepare(self, lane: Lane, agents: Iterable[Any], request: TurnRequest) -> bool:
        """Give the agents the servers of the person whose turn this is.

        Returns:
            Whether something changed.

        Raises:
            TurnFailed: the lane is of no use, or it is not known whether there is a login.
        """
        only_from.set(None)
        wanted = [(agent, name) for agent in agents for name in self._marked.of(agent.name)]
        held, person = self._held.get(lane), person_of(request)
        changed = False
        if held is not None and held.servers and (held.session, held.person) != (str(request.session), person):
            await self.cool(lane)
            held, changed = None, True
        if not wanted or self._logins is None:
            return changed
        # What another person writes joins no turn that acts for this one.
        only_from.set(person)
        held = held or self._held.setdefault(lane, PersonsAttached(str(request.session), person))
        lane.warm = str(request.session)
        try:
            await lane.order(partial(self._settle, held, wanted, request))
        except Exception as problem:
            lane.spoil()
            log.warning("server.start_failed", extra={"session": held.session, "error": type(problem).__name__})
            raise faults.no_server(", ".join(sorted({name for _, name in wanted}))) from problem
        return held.changed or changed

    async def cool(self, lane: Lane) -> None:
        """End every connection of a person that the lane has.

        Raises:
            TurnFailed: they did not end; the lane is spoiled.
        """
        held = self._held.pop(lane, None)
        if held is None or not held.servers:
            return
        try:
            await lane.order(partial(self._detach_all, held))
        except Exception as problem:
            lane.spoil()
            log.warning("server.end_failed", extra={"session": held.session, "error": type(problem).__name__})
            raise faults.no_server(", ".join(sorted({one.server for one in held.servers.values()}))) from problem

    def forget(self, lane: Lane) -> None:
        """The lane's instance has ended, and with it every connection of it."""
        self._held.pop(lane, None)

    # -- in the lane's task

    async def _settle(self, held: PersonsAttached, wanted: list[tuple[Any, str]], request: TurnRequest) -> None:
        held.changed = False
        for agent, name in wanted:
            own = _name_of(name, request.session.bot, held.person)
            server = held.servers.get((agent, own))
            if server is None:
                server = PersonsServer(name, self._marked.settings[name], self._redirect, held.session)
                held.servers[agent, own] = server
                known_to(agent.aggregator, own, server)
                held.changed = True
            if await self._settle_one(agent, own, server, held.person, request):
                held.changed = True

    async def _settle_one(
        self, agent: Any, own: str, server: PersonsServer, person: int | None, request: TurnRequest
    ) -> bool:
        """Its tools, or the one that stands in for them."""
        before = server.provider
        if person is not None and self._logins is not None:
            server.vault = Vault(self._logins, self._clock, request.session.bot, person, server.server)
            await server.connected(server.vault)
        if before is not None and before is not server.provider:
            await detach(agent, own)
        attached = own in agent.aggregator._attached_server_names  # noqa: SLF001 - fast-agent's
        if server.provider is not None and not attached:
            attached = await self._attach(agent, own, server, server.provider.grant)
        # A turn that goes on may have called the tool before.
        shown = server.provider is None or bool(request.answers)
        now = _show_login(agent.aggregator, own, server, shown=shown)
        if now or before is not server.provider:
            await rebuild_agent_instruction(agent)
            return True
        return False

    async def _attach(self, agent: Any, own: str, server: PersonsServer, grant: str) -> bool:
        now = asyncio.get_running_loop().time()
        self._resting = {key: until for key, until in self._resting.items() if until > now}
        if (own, grant) in self._resting:
            return False
        _show_login(agent.aggregator, own, server, shown=False)
        try:
            await attach(agent, server.server, own, server.marked())
        except Exception as problem:  # noqa: BLE001 - an agent without it is better than none
            if server.provider is not None and server.provider.needed:
                server.provider = None
                return False
            self._resting[own, grant] = now + REST_S
            self._told.refused(server.server, why_not(server.server, problem))
            return False
        return True

    async def _detach_all(self, held: PersonsAttached) -> None:
        for (agent, own), server in list(held.servers.items()):
            _show_login(agent.aggregator, own, server, shown=False)
            await detach(agent, own)
            unknown_to(agent.aggregator, own)
            await rebuild_agent_instruction(agent)
            del held.servers[agent, own]


def _name_of(server: str, bot: int, person: int | None) -> str:
    """The same for a person for ever, so that tool calls in histories keep their names."""
    return f"{server}_{blake2s(f'{bot}:{person}'.encode(), digest_size=5).hexdigest()}"


def _show_login(aggregator: Any, own: str, server: PersonsServer, *, shown: bool) -> bool:
    """Whether the tool that has a person log in is listed now and was not, or the other way round."""
    tools: list[NamespacedTool] = aggregator._server_to_tool_map.get(own, [])  # noqa: SLF001 - fast-agent's
    there = [entry for entry in tools if isinstance(entry.tool, LoginTool)]
    if bool(there) == shown:
        return False
    names: dict[str, NamespacedTool] = aggregator._namespaced_tool_map  # noqa: SLF001
    if shown:
        tool = login_tool(server.server)
        name = common.create_namespaced_name(own, tool.name)
        there = [NamespacedTool(tool=tool, server_name=own, namespaced_tool_name=name)]
        aggregator._server_to_tool_map[own] = [*tools, *there]  # noqa: SLF001
        names[name] = there[0]
        return True
    left = [entry for entry in tools if entry not in there]
    for entry in there:
        names.pop(entry.namespaced_tool_name, None)
    if left:
        aggregator._server_to_tool_map[own] = left  # noqa: SLF001
    else:
        aggregator._server_to_tool_map.pop(own, None)  # noqa: SLF001
    return True
