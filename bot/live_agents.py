"""The agents that live workers name in their heartbeats."""

from collections.abc import Callable

from tasks.store.membership import Membership


class LiveAgents:
    """Asked when a person asks."""

    def __init__(self, members: Membership, offered: Callable[[], tuple[str, ...]]) -> None:
        """``offered``: those that this bot's chats may have, the default first; empty: all."""
        self._members = members
        self._offered = offered

    async def agents(self) -> tuple[str, ...]:
        """Their names, the default first; empty when no live worker names any."""
        view = await self._members.look()
        names = next((status.agents for status in view.members.values() if status.agents), ())
        offered = self._offered()
        return tuple(name for name in offered if name in names or not names) if offered else names
