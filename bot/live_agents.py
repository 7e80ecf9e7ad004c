"""The agents that live workers name in their heartbeats."""

from collections.abc import Callable, Mapping, Sequence

from tasks.phrases import spoken
from tasks.status.worker import WorkerStatus
from tasks.store.processes.membership import Membership

type _Told = tuple[tuple[str, ...], Mapping[str, str], Mapping[str, Mapping[str, str]]]
"""Agents, what the card of each says of it, and the commands that it takes."""


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
        """Their names, the default first; empty when no live worker names any.

        With each stands what its card says of it, in the language that is spoken where the card has it.
        """
        names, about, _ = await self._told()
        offered = self._offered()
        if not names and self._own() is not None:
            return {}  # no worker has read them: the common cards are not this bot's
        shown = [name for name in offered if name in names or not names] if offered else names
        return {name: about.get(name, "") for name in shown}

    async def commands(self) -> dict[str, str] | None:
        """The commands that the cards of these agents take, and what the menu says of each; None without workers."""
        names, _, taken = await self._told()
        if not names:
            return None
        return _together([taken.get(name, {}) for name in self._offered() or names if name in names])

    async def model_facts(self) -> Mapping[str, tuple[str, ...]]:
        """What a live worker knows of the models that chats may choose (``tasks.chats.model_lines``)."""
        view = await self._members.look()
        return next((one.model_facts for one in view.members.values() if one.model_facts), {})

    async def _told(self) -> _Told:
        """What the first live worker that names any agent tells of them."""
        view, bot = await self._members.look(), self._own()
        return next(filter(lambda told: told[0], (_told_by(one, bot) for one in view.members.values())), ((), {}, {}))


def _together(taken: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Those of all agents; where several take one, the words of the first that has some hold."""
    found = dict[str, str]()
    for commands in taken:
        for name, words in commands.items():
            found[name] = found.get(name) or words
    return found


def _told_by(status: WorkerStatus, bot: int | None) -> _Told:
    if bot is None:
        names, about, taken, translated = status.agents, status.descriptions, status.commands, status.translated
    else:
        own = str(bot)
        names, about = status.agents_of.get(own, ()), status.descriptions_of.get(own, {})
        taken, translated = status.commands_of.get(own, {}), status.translated_of.get(own, {})
    return names, {**about, **translated.get(spoken(), {})}, taken
