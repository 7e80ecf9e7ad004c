"""Where fast-agent 0.10.46 attaches and calls MCP servers: what a lane does without a server that is down."""

import asyncio
import logging
from typing import Any
from weakref import WeakKeyDictionary, WeakSet

from fast_agent.core.exceptions import ServerInitializationError
from fast_agent.core.instruction_refresh import rebuild_agent_instruction
from fast_agent.mcp.common import create_namespaced_name
from fast_agent.mcp.mcp_aggregator import MCPAggregator, MCPAttachOptions, MCPAttachResult, NamespacedTool
from fast_agent.mcp.mcp_connection_manager import ServerConnection
from mcp.shared.exceptions import MCPError
from mcp_types import Tool

from workers.runtime.mcp_health import ServerHealth, why_not
from workers.runtime.patches import forgotten_sessions

log = logging.getLogger("cohort.runtime")

ATTACH_S = 30.0
"""All that a lane waits for a server: its start, and the list of its tools."""

_shared: WeakKeyDictionary[Any, ServerHealth] = WeakKeyDictionary()
"""Registry of a FastAgent -> what is known of its servers."""

_probes: WeakSet[MCPAggregator] = WeakSet()
"""They call a server that is known to be down."""

_attach = MCPAggregator.attach_server
_execute = MCPAggregator._execute_on_server  # pyright: ignore[reportPrivateUsage] # noqa: SLF001


# "Connection closed" is what a turn looks for to have the lane replaced.
_BROKEN = "Connection closed by the MCP server {}. Whether the call was carried out is not known. Try again later."


_MISSING = "\n\nThese tool servers are not reachable at present, so you do not have their tools: {}. Say so if asked."


class NotReachable(RuntimeError):  # noqa: N818 - a state
    """A server is down; the message is for the model."""


def words(server: str) -> str:
    """For the model."""
    return (
        f"The MCP server {server} is not reachable at present, and the call was not carried out. "
        "Tell the user so, and try again later."
    )


def install() -> None:
    """Take the places of fast-agent's methods; again is harmless."""
    setattr(MCPAggregator, "attach_server", _attach_server)  # noqa: B010
    setattr(MCPAggregator, "_execute_on_server", _execute_on_server)  # noqa: B010
    setattr(MCPAggregator, "_execute_persistent_server_operation", _operate)  # noqa: B010
    forgotten_sessions.install()


def share(registry: Any, servers: ServerHealth) -> None:
    """Have lanes made with this registry do without servers that are down."""
    _shared[registry] = servers


async def probe(context: Any, name: str) -> tuple[Tool, ...]:
    """Attach a server as a lane does, apart from any lane, and end it; its tools.

    Raises:
        LookupError: it is configured no more.
        Exception: it is down.
    """
    if context.server_registry.get_server_config(name) is None:
        raise LookupError(name)
    async with MCPAggregator([], context=context, name="probe") as alone:
        _probes.add(alone)
        await _attach(alone, server_name=name, options=MCPAttachOptions(ATTACH_S))
        return _tools(alone, name)


def _tools(aggregator: Any, server: str) -> tuple[Tool, ...]:
    return tuple(entry.tool for entry in aggregator._server_to_tool_map.get(server, ()))  # noqa: SLF001


async def tell_missing(agent: Any, servers: ServerHealth) -> None:
    """Say in a new agent's instruction which servers it lacks without knowing their tools."""
    named = [name for name in agent.config.servers if servers.why_down(name) is not None and not servers.tools(name)]
    await tell_lacking(agent, named)


async def tell_lacking(agent: Any, named: list[str]) -> None:
    """Say in an agent's instruction which servers it lacks. Nothing takes it back."""
    if named and getattr(agent, "_instruction_template", None):
        agent._instruction_template += _MISSING.format(", ".join(named))  # noqa: SLF001
        await rebuild_agent_instruction(agent)


async def _attach_server(
    self: Any, *, server_name: str, server_config: Any = None, options: MCPAttachOptions | None = None
) -> MCPAttachResult:
    """A lane's server, or what stands in for it. One of a chat's own brings its configuration, and fails.

    So does one that a model attaches: what it names says nothing about the servers of the cards.
    """
    servers = _servers_of(self)
    if servers is None or server_config is not None or server_name not in self._configured_server_names:
        return await _attach(self, server_name=server_name, server_config=server_config, options=options)
    if servers.why_down(server_name) is None:
        try:
            async with asyncio.timeout(ATTACH_S):
                result = await _attach(self, server_name=server_name, options=options)
        except Exception as problem:  # noqa: BLE001 - an agent without one of its servers is better than none
            servers.lost(server_name, why_not(server_name, problem))
        else:
            servers.seen(server_name, _tools(self, server_name))
            return result
    return _stand_in(self, server_name, servers.tools(server_name))


def _stand_in(self: Any, server: str, tools: tuple[Tool, ...]) -> MCPAttachResult:
    """Tools under the names that they had when the server was last there."""
    shown = self.server_display_name(server)
    entries = [NamespacedTool(tool=t, server_name=server, namespaced_tool_name=_name(shown, t)) for t in tools]
    self._server_to_tool_map[server] = entries
    self._namespaced_tool_map.update({entry.namespaced_tool_name: entry for entry in entries})
    return MCPAttachResult(
        shown, "", attached=False, already_attached=False, tools_added=[], prompts_added=[], warnings=[]
    )


def _name(server: str, tool: Tool) -> str:
    return create_namespaced_name(server, tool.name)


async def _execute_on_server(self: Any, server_name: str, *args: Any, **kwargs: Any) -> Any:
    """No call waits for a server that is known to be down, unless this lane has a process of it that lives."""
    servers = _servers_of(self)
    if servers is None or servers.why_down(server_name) is None or _has_process(self, server_name):
        return await _execute(self, server_name, *args, **kwargs)
    error_factory = kwargs.get("error_factory")
    if error_factory is None:
        raise NotReachable(words(server_name))
    return error_factory(words(server_name))


async def _operate(self: Any, server_name: str, try_execute: forgotten_sessions.Execute) -> Any:
    """A server that cannot be started again in the middle of a lane's life is down."""
    servers = _servers_of(self) if server_name in self._configured_server_names else None
    try:
        return await forgotten_sessions.operate(self, server_name, try_execute)
    except ServerInitializationError as problem:
        if servers is not None:
            servers.lost(server_name, why_not(server_name, problem))
        raise NotReachable(words(server_name)) from problem
    except MCPError as problem:
        if forgotten_sessions.is_closed(problem):
            raise NotReachable(_BROKEN.format(server_name)) from problem
        if servers is not None and forgotten_sessions.is_away(self, server_name, problem):
            servers.lost(server_name, f"MCP server {server_name} is not reachable: its proxy says so")
            raise NotReachable(words(server_name)) from problem
        raise


def _has_process(self: Any, server: str) -> bool:
    connection = _connection(self, server)
    return connection is not None and connection.server_config.transport == "stdio" and connection.is_healthy()


def _connection(self: Any, server: str) -> ServerConnection | None:
    manager = self._persistent_connection_manager
    return None if manager is None else manager.running_servers.get(server)


def _servers_of(self: Any) -> ServerHealth | None:
    registry = self.context.server_registry if self.context and self not in _probes else None
    return None if registry is None else _shared.get(registry)
