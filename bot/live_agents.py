"""The agents that workers have now."""

from tasks.store.membership import Membership


class LiveAgents:
    """The agents that live workers name in their heartbeats."""

    def __init__(self, members: Membership) -> None:
        self._members = members

    async def agents(self) -> tuple[str, ...]:
        """Their names, the default first; empty when no live worker names any."""
        view = await self._members.look()
        return next((status.agents for status in view.members.values() if status.agents), ())
