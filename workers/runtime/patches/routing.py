"""A router whose model names no agent of it fails its turn; fast-agent 0.10.48 says so in the answer's place."""

from collections.abc import Awaitable, Callable
from typing import Any

from workers.runtime.faults import classify as faults


def routed(original: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """``RouterAgent._route_request``"""

    async def _route_request(self: Any, message: Any) -> Any:
        route, warning = await original(self, message)
        if route is None:
            raise faults.unrouted(self.name)
        return route, warning

    return _route_request
