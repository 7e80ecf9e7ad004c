"""Where fast-agent takes what MCP servers ask: the person of the turn answers, and no terminal."""

from collections.abc import Callable
from typing import Any

from workers.runtime.asking.elicitation import elicited


def of_the_turn(_: Callable[..., Any]) -> Callable[..., Any]:
    """``_resolve_elicitation_handler``: whatever a card or the configuration says."""

    def resolve_elicitation_handler(self: Any) -> Any:
        async def handler(_: Any, params: Any) -> Any:
            return await elicited(self.aggregator, self.server_name, params)

        return handler

    return resolve_elicitation_handler
