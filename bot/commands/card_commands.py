"""The commands that agents answer: those of ``COHORT_COMMANDS``, and those that live workers read in cards."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence

from bot.updates.commands import parse
from tasks.chats.command_names import why_not
from tasks.envelope import Inbound
from tasks.errors import StoreUnavailable

log = logging.getLogger("cohort.bot")

LOOK_EVERY_S = 15.0
"""A menu may come that late; a command that it does not have yet is looked for at once."""

type Commands = Mapping[str, str]
"""Name -> what the menu says of it; empty where nothing is said."""


def written(inbound: Inbound) -> str | None:
    """The name of the command that a message for the agent begins with; None where it is none that a person gives."""
    passed_on = inbound.forwarded_from is not None or inbound.key.business is not None
    if inbound.kind != "message" or inbound.described or inbound.edited or inbound.media or passed_on:
        return None
    command = parse(inbound.text)
    return command.name if command is not None and command.to is None else None


class CardCommands:
    """What was seen last; asking it costs nothing."""

    def __init__(self, setting: Sequence[str], look: Callable[[], Awaitable[Commands | None]]) -> None:
        """Nothing has been seen yet.

        Args:
            setting: The deployment's (``COHORT_COMMANDS``).
            look: Asks for those of the cards; None while no worker tells any agent.
        """
        self._setting = setting
        self._look = look
        self.now: Commands = dict.fromkeys(setting, "")

    async def refresh(self) -> bool:
        """Look, and say whether they have changed; without workers they stay as they are.

        Raises:
            StoreUnavailable: Redis is away.
        """
        told, before = await self._look(), self.now
        if told is not None:
            # A worker of another release may know other names.
            usable = {name: words for name, words in told.items() if why_not(name) is None}
            self.now = {**dict.fromkeys(self._setting, ""), **usable}
        return list(self.now.items()) != list(before.items())

    async def takes(self, name: str) -> bool:
        """Whether agents take a command, by what workers say at this moment.

        Raises:
            StoreUnavailable: Redis is away.
        """
        if name not in self.now:
            await self.refresh()
        return name in self.now

    async def watch(self, changed: Callable[[], None]) -> None:
        """Keep them current until cancelled; without Redis they stay as they are."""
        while True:
            try:
                if await self.refresh():
                    changed()
            except StoreUnavailable:
                log.debug("store.unavailable")
            await asyncio.sleep(LOOK_EVERY_S)
