"""The command menus by scope, and what an empty chat with the bot shows: set at the start, and when admins change."""

import asyncio
import logging
from collections.abc import Awaitable, Sequence
from typing import Protocol

from bot import texts
from bot.people import PeopleView
from tasks.errors import CohortError, Misconfigured
from tasks.phrases import phrase

log = logging.getLogger("cohort.bot")

type Menu = Sequence[tuple[str, str]]
"""(command, description) of each."""


class MenuCalls(Protocol):
    """Telegram as this module uses it."""

    async def show_commands(self, menu: Menu, *, groups: Menu) -> None:
        """Set the menu of all chats, and another one of groups."""
        ...

    async def show_admin_commands(self, chat: int, menu: Menu) -> None:
        """Set the menu of one private chat."""
        ...

    async def hide_admin_commands(self, chat: int) -> None:
        """Give a private chat the menu of all again."""
        ...

    async def describe(self, description: str, short: str) -> None:
        """Set what an empty chat shows, unless the operator has set it."""
        ...


class Menus:
    """Best effort: a menu that is missing takes no command away."""

    def __init__(self, calls: MenuCalls, people: PeopleView, own: Sequence[str] = ()) -> None:
        """Prepare it.

        Args:
            calls: Telegram.
            people: Tells who the admins are.
            own: Commands that the agents answer.
        """
        self._calls = calls
        self._people = people
        self._menu = (*_described(texts.COMMANDS), *((name, phrase("menu-of-agents")) for name in own))
        self._changed = asyncio.Event()
        self._shown: frozenset[int] = frozenset()

    def changed(self) -> None:
        """People have changed; ``run`` looks whether the admins have."""
        self._changed.set()

    async def show(self) -> None:
        """Set the menus that all have.

        Raises:
            Misconfigured: the token is wrong.
        """
        groups = [entry for entry in self._menu if entry[0] not in texts.NOT_IN_GROUPS]
        await self._try(self._calls.show_commands(self._menu, groups=groups))
        await self._try(self._calls.describe(phrase("description"), phrase("short-description")))

    async def run(self) -> None:
        """Keep the admins' menus as they should be, until cancelled."""
        while True:
            self._changed.clear()
            admins = self._people.access.in_charge
            for chat in sorted(admins - self._shown):
                await self._try(self._calls.show_admin_commands(chat, (*self._menu, *_described(texts.ADMIN_COMMANDS))))
            for chat in sorted(self._shown - admins):
                await self._try(self._calls.hide_admin_commands(chat))
            self._shown = admins
            await self._changed.wait()

    async def _try(self, call: Awaitable[None]) -> None:
        try:
            await call
        except Misconfigured:
            raise
        except CohortError as problem:
            log.warning("commands.not_shown", extra={"problem": str(problem)})


def _described(names: Sequence[str]) -> Menu:
    return [(name, phrase(f"menu-{name}")) for name in names]
