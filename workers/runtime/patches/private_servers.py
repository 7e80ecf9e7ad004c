"""MCP servers that a lane attaches while it runs are known to that lane alone.

fast-agent enters each of them, with address, environment and token, into a registry of the process. From there
any other lane could list and attach it by name: one chat another one's memory. Here the settings stay with the
aggregator that attached the server, and an agent that is copied hands them to the copy.
"""

from collections.abc import Awaitable, Callable
from typing import Any


def unpublished(original: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    async def commit_server_attachment(self: Any, server_name: str, discovery: Any, **_published: Any) -> None:
        await original(self, server_name, discovery)

    return commit_server_attachment


def known_here(original: Callable[..., Any]) -> Callable[..., Any]:
    def resolve_attach_server_config(self: Any, server_name: str, server_config: Any, *args: Any) -> Any:
        if server_config is None:
            server_config = _own(self, server_name)
            _refuse_of_others(self, server_name)
        return original(self, server_name, server_config, *args)

    return resolve_attach_server_config


def named_here(original: Callable[[Any, str], str]) -> Callable[[Any, str], str]:
    def server_display_name(self: Any, server_name: str) -> str:
        # The registry logs a warning for each name that it does not have.
        config = _own(self, server_name)
        return original(self, server_name) if config is None else config.name or server_name

    return server_display_name


def handed_on(original: Callable[[Any, Any], Awaitable[None]]) -> Callable[[Any, Any], Awaitable[None]]:
    async def configure_cloned_instance(self: Any, clone: Any) -> None:
        ours = self.aggregator._attachment_configs  # noqa: SLF001 - fast-agent's
        own = {name: config for name, config in ours.items() if _own(self.aggregator, name) is not None}
        clone.aggregator._attachment_configs.update(own)  # noqa: SLF001
        await original(self, clone)

    return configure_cloned_instance


def _refuse_of_others(aggregator: Any, name: str) -> None:
    """A card may bring a login with its server, and cards of other bots have agents in this process."""
    config = getattr(aggregator, "config", None)
    if config is None or name in config.servers:
        return
    if aggregator.context.server_registry.get_server_origin(name) == "card":
        raise ValueError(f"Server '{name}' is that of another card")


def _own(aggregator: Any, name: str) -> Any | None:
    """The settings of a server that only this lane knows."""
    registry = aggregator.context.server_registry
    return None if name in registry.registry else aggregator._attachment_configs.get(name)  # noqa: SLF001
