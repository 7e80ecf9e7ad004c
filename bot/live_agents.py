"""The agents that live workers name in their heartbeats."""

from collections.abc import Callable

from tasks.store.membership import Membership


class LiveAgents:
    """Asked when a person asks."""

    def __init__(
        self, members: Membership, offered: Callable[[], tuple[str, ...]], own: Callable[[], int | None] = lambda: None
    ) -> None:
        """Ask for them.

        Args:
            members: The workers.
            offered: Those that this bot's chats may have, the default first; empty: all.
            own: The bot's number where it has cards of its own; then no other cards count.
        """
        self._members = members
        self._offered = offered
        self._own = own

    async def agents(self) -> tuple[str, ...]:
        """Their names, the default first; empty when no live worker names any."""
        view = await self._members.look()
        bot, offered = self._own(), self._offered()
        named = (
            status.agents if bot is None else status.agents_of.get(str(bot), ()) for status in view.members.values()
        )
        names = next(filter(None, named), ())
        if bot is not None and not names:
            return ()  # no worker has read them: the common cards are not this bot's
        return tuple(name for name in offered if name in names or not names) if offered else names
