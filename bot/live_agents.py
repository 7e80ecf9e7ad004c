"""The agents that live workers name in their heartbeats."""

from collections.abc import Callable, Mapping

from tasks.status.worker import WorkerStatus
from tasks.store.processes.membership import Membership


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

    async def agents(self) -> dict[str, str]:
        """Their names, the default first, and what their cards say of them; empty when no live worker names any."""
        view = await self._members.look()
        bot, offered = self._own(), self._offered()
        names, about = next(filter(lambda told: told[0], (_told(one, bot) for one in view.members.values())), ((), {}))
        if bot is not None and not names:
            return {}  # no worker has read them: the common cards are not this bot's
        shown = [name for name in offered if name in names or not names] if offered else names
        return {name: about.get(name, "") for name in shown}


def _told(status: WorkerStatus, bot: int | None) -> tuple[tuple[str, ...], Mapping[str, str]]:
    if bot is None:
        return status.agents, status.descriptions
    return status.agents_of.get(str(bot), ()), status.descriptions_of.get(str(bot), {})
