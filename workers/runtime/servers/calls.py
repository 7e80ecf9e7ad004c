"""Where fast-agent attaches and calls MCP servers: what a lane does without a server that is down."""

import logging
from typing import Any
from weakref import WeakKeyDictionary, WeakSet

from fast_agent.core.instruction_refresh import rebuild_agent_instruction
from fast_agent.mcp import common
from fast_agent.mcp.mcp_aggregator import MCPAggregator, MCPAttachOptions, MCPAttachResult, NamespacedTool
from fast_agent.mcp.mcp_connection_manager import ServerConnection
from mcp_types import Tool

from workers.runtime.servers.health import ServerHealth, plain_name

log = logging.getLogger("cohort.runtime")

ATTACH_S = 30.0
"""Seconds that a lane waits for a server: for its start and for the list of its tools."""

_shared: WeakKeyDictionary[Any, ServerHealth] = WeakKeyDictionary()
"""Registry of a FastAgent -> what is known of its servers."""

_probes: WeakSet[MCPAggregator] = WeakSet()
"""Aggregators of probes, which call a server although it is known to be down."""

_MISSING = "\n\nThese tool servers are not reachable at present, so you do not have their tools: {}. Say so if asked."


class NotReachable(RuntimeError):  # noqa: N818 - a state
    """A server is down; the message is for the model."""


def words(server: str) -> str:
    """What a model reads in place of a call's result."""
    return (
        f"The MCP server {plain_name(server)} is not reachable at present, and the call was not carried out. "
        "Tell the user so, and try again later."
    )


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
        await alone.attach_server(server_name=name, options=MCPAttachOptions(ATTACH_S))
        return tools_of(alone, name)


def tools_of(aggregator: Any, server: str) -> tuple[Tool, ...]:
    return tuple(entry.tool for entry in aggregator._server_to_tool_map.get(server, ()))  # noqa: SLF001


async def tell_missing(agent: Any, servers: ServerHealth) -> None:
    """Say in a new agent's instruction which servers it lacks without knowing their tools."""
    named = [name for name in agent.config.servers if servers.why_down(name) is not None and not servers.tools(name)]
    await tell_lacking(agent, [plain_name(name) for name in named])


async def tell_lacking(agent: Any, named: list[str]) -> None:
    """Say in an agent's instruction which servers it lacks. Nothing takes it back."""
    if named and getattr(agent, "_instruction_template", None):
        agent._instruction_template += _MISSING.format(", ".join(named))  # noqa: SLF001
        await rebuild_agent_instruction(agent)


def stand_in(self: Any, server: str, tools: tuple[Tool, ...]) -> MCPAttachResult:
    """Tools under the names that they had when the server was last there."""
    shown = self.server_display_name(server)
    entries = [NamespacedTool(tool=t, server_name=server, namespaced_tool_name=_name(shown, t)) for t in tools]
    self._server_to_tool_map[server] = entries
    self._namespaced_tool_map.update({entry.namespaced_tool_name: entry for entry in entries})
    return MCPAttachResult(
        shown, "", attached=False, already_attached=False, tools_added=[], prompts_added=[], warnings=[]
    )


def _name(server: str, tool: Tool) -> str:
    return common.create_namespaced_name(server, tool.name)


def has_process(self: Any, server: str) -> bool:
    connection = _connection(self, server)
    return connection is not None and connection.server_config.transport == "stdio" and connection.is_healthy()


def _connection(self: Any, server: str) -> ServerConnection | None:
    manager = self._persistent_connection_manager
    return None if manager is None else manager.running_servers.get(server)


def seconds_of(self: Any, server: str) -> float:
    """What a call of a server may take; each has a limit (``hardening``)."""
    config = self._attachment_configs.get(server) or self.context.server_registry.get_server_config(server)
    return config.read_timeout_seconds or 0 if config is not None else 0


def servers_of(self: Any) -> ServerHealth | None:
    registry = self.context.server_registry if self.context and self not in _probes else None
    return None if registry is None else _shared.get(registry)
