"""MCP servers that cards bring themselves (``mcp_connect``), of all directories of cards.

fast-agent has one set of them in a process, those of the FastAgent that published last, and copies them as the
card says it: without a limit for a call, and with a login in a browser at a 401. Here the sets of all directories stand
beside each other, hardened as the servers of the configuration are. An agent reaches those of its own card alone.
"""

from functools import partial
from typing import TYPE_CHECKING, Any

from tasks.config.settings import Settings
from workers.runtime import hardening

if TYPE_CHECKING:
    from fast_agent import FastAgent
    from fast_agent.config import MCPServerSettings


class CardServers:
    """Those of the FastAgents of one process."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._brought: dict[FastAgent, dict[str, MCPServerSettings]] = {}

    def take(self, fast: "FastAgent") -> None:
        """Have all that the cards of this FastAgent bring come through here."""
        taking: Any = fast
        taking._publish_effective_mcp_servers = partial(self._publish, fast)  # noqa: SLF001 - a private name

    def drop(self, fast: "FastAgent") -> None:
        """Have no lane start those of its cards any more."""
        config, registry = fast.context.config, fast.context.server_registry
        if fast in self._brought and config is not None and config.mcp is not None:
            self._publish(fast, config, registry, config.mcp.servers, set())

    @staticmethod
    def _registered(registry: Any) -> list[str]:
        if registry is None:
            return []
        return [name for name in registry.registry if registry.get_server_origin(name) == "card"]

    def _publish(
        self,
        fast: "FastAgent",
        config: Any,
        registry: Any,
        effective: "dict[str, MCPServerSettings]",
        names: set[str],
    ) -> None:
        own = {name: effective[name] for name in names}
        for server in own.values():
            hardening.harden_server(server, self._settings)
        self._brought.pop(fast, None)
        if own:
            self._brought[fast] = own
        brought = {name: server for servers in self._brought.values() for name, server in servers.items()}
        # What stays of a card that brings it no more is no server of the configuration's.
        left = set(self._registered(registry)) - brought.keys()
        others = {name: server for name, server in effective.items() if name not in left}
        publish: Any = type(fast)._publish_effective_mcp_servers  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
        publish(fast, config, registry, others | brought, set(brought))
