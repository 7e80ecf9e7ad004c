"""MCP servers that ``isolation`` marks as a chat's (``chat``) or a person's (``user``): no lane starts them."""

from typing import TYPE_CHECKING, Any, cast

from fast_agent.mcp.mcp_aggregator import MCPAttachOptions

if TYPE_CHECKING:
    from fast_agent import FastAgent
    from fast_agent.config import MCPServerSettings

MARK, CHAT, PERSON = "isolation", "chat", "user"
"""The key in a server's settings, and its values."""

STARTUP_S = 30.0
"""A server that has not answered by then has failed. One started by npx needs some seconds on a loaded machine."""

REST_S = 30.0
"""A server that did not start is tried again after so long; until then turns run without it."""

# What an aggregator still holds of a server after it was detached.
_KEPT_OVER_DETACHING = ("_attachment_locks", "_server_stats")


class MarkedServers:
    """Those with one of the marks, and which agents' cards list them."""

    def __init__(self, mark: str) -> None:
        self._mark = mark
        self._wanted = f"cohort_servers_{mark}"
        self._cards: dict[str, dict[str, Any]] = {}
        self.settings: dict[str, MCPServerSettings] = {}
        """By name."""

    def take(self, fast: "FastAgent") -> None:
        """Find them, and remove them from the cards, because lanes must not start them."""
        config = fast.context.config
        if config is None or config.mcp is None:
            return
        self.settings = {
            name: config.mcp.servers[name]
            for name, declaration in config.mcp.server_declarations.items()
            if name in config.mcp.servers and getattr(declaration, MARK, None) == self._mark
        }
        registry = fast.context.server_registry
        if registry is not None:
            for name in self.settings:
                # So that no other way (``/mcp attach``) starts one as it is.
                registry.registry.pop(name, None)
        self._cards = cast("dict[str, dict[str, Any]]", fast.agents)
        for data in self._cards.values():
            card: Any = data["config"]
            own = [server for server in card.servers if server in self.settings]
            if own:
                # With the card, so that it goes and comes back with it when cards are changed.
                data[self._wanted] = own
                card.servers = [server for server in card.servers if server not in own]

    def of(self, agent: str) -> list[str]:
        """Those that the card of this agent lists."""
        return self._cards.get(agent, {}).get(self._wanted, [])


async def attach(agent: Any, name: str, own: str, settings: "MCPServerSettings") -> None:
    """Attach a server under a name of its chat or person; the card's choice of its tools (``name``) holds for it.

    Raises:
        Exception: it did not start, or refused.
    """
    if name in agent.config.tools:
        agent.config.tools = {**agent.config.tools, own: agent.config.tools[name]}
    await agent.attach_mcp_server(
        server_name=own,
        server_config=settings,
        options=MCPAttachOptions(
            startup_timeout_seconds=STARTUP_S, trigger_oauth=False, allow_oauth_paste_fallback=False
        ),
    )


async def detach(agent: Any, own: str) -> None:
    """End its connection, and what the agent still holds of it."""
    await agent.detach_mcp_server(own)
    for kept in _KEPT_OVER_DETACHING:
        getattr(agent.aggregator, kept).pop(own, None)
