"""The command menus by scope and language, and what an empty chat shows: set at the start, and when admins change."""

import asyncio
import logging
from collections.abc import Awaitable, Container, Mapping, Sequence
from typing import Protocol

from bot import texts
from bot.people import PeopleView
from tasks.errors import CohortError, Misconfigured
from tasks.phrases import ENGLISH, LANGUAGES, phrase, speaking

log = logging.getLogger("cohort.bot")

type Menu = Sequence[tuple[str, str]]
"""(command, description) of each."""
type Described = tuple[str, str]
"""What an empty chat shows, and what the bot's profile shows."""


class MenuCalls(Protocol):
    """Telegram as this module uses it."""

    async def show_commands(self, menu: Menu, *, groups: Menu) -> None:
        """Set the menu of all chats, and another one of groups."""
        ...

    async def show_translated(self, language: str, menu: Menu, *, groups: Menu) -> None:
        """Set both for the people who use Telegram in a language, where they are not so already."""
        ...

    async def show_admin_commands(self, chat: int, menu: Menu, translated: Mapping[str, Menu]) -> None:
        """Set the menu of one private chat, also by language."""
        ...

    async def hide_admin_commands(self, chat: int, languages: Sequence[str]) -> None:
        """Give a private chat the menu of all again."""
        ...

    async def describe(self, description: str, short: str) -> None:
        """Set what an empty chat shows, unless the operator has set it."""
        ...

    async def describe_translated(self, usual: Described, translated: Mapping[str, Described]) -> None:
        """Set the same by language, where the operator has set neither the usual words nor those."""
        ...


OTHERS = tuple(language for language in LANGUAGES if language != ENGLISH)
"""English is what Telegram shows where a language has no menu of its own."""


class Menus:
    """Best effort: a menu that is missing takes no command away."""

    def __init__(
        self, calls: MenuCalls, people: PeopleView, own: Sequence[str] = (), without: Container[str] = ()
    ) -> None:
        """Prepare it.

        Args:
            calls: Telegram.
            people: Tells who the admins are.
            own: Commands that the agents answer.
            without: Commands of ours that are of no use here.
        """
        self._calls = calls
        self._people = people
        self._own = own
        self._names = tuple(name for name in texts.COMMANDS if name not in without)
        self._changed = asyncio.Event()
        self._shown: frozenset[int] = frozenset()

    def changed(self) -> None:
        """People have changed; ``run`` looks whether the admins have."""
        self._changed.set()

    async def show(self) -> None:
        """Set the menus that all have, in English.

        Raises:
            Misconfigured: the token is wrong.
        """
        menu = self._menu()
        await self._try(self._calls.show_commands(menu, groups=_of_groups(menu)))
        await self._try(self._calls.describe(*_described()))

    async def run(self) -> None:
        """Keep the admins' menus as they should be, until cancelled; at first, set those of other languages."""
        await self.translate()
        while True:
            self._changed.clear()
            await self.show_to_admins()
            await self._changed.wait()

    async def show_to_admins(self) -> None:
        """Set the menus of those who have become admins, and take away those of others."""
        admins = self._people.access.in_charge
        for chat in sorted(admins - self._shown):
            translated = {language: self._in(language, admin=True) for language in OTHERS}
            await self._try(self._calls.show_admin_commands(chat, self._menu(admin=True), translated))
        for chat in sorted(self._shown - admins):
            await self._try(self._calls.hide_admin_commands(chat, OTHERS))
        self._shown = admins

    async def translate(self) -> None:
        """Set the menus and the words of an empty chat in the other languages, as far as they are not so already."""
        for language in OTHERS:
            menu = self._in(language)
            if not await self._try(self._calls.show_translated(language, menu, groups=_of_groups(menu))):
                return
        words: dict[str, Described] = {}
        for language in OTHERS:
            with speaking(language):
                words[language] = _described()
        await self._try(self._calls.describe_translated(_described(), words))

    def _in(self, language: str, *, admin: bool = False) -> Menu:
        with speaking(language):
            return self._menu(admin=admin)

    def _menu(self, *, admin: bool = False) -> Menu:
        """In the language that is spoken now."""
        names = (*self._names, *self._own, *(texts.ADMIN_COMMANDS if admin else ()))
        return [(name, phrase("menu-of-agents") if name in self._own else phrase(f"menu-{name}")) for name in names]

    async def _try(self, call: Awaitable[None]) -> bool:
        try:
            await call
        except Misconfigured:
            raise
        except CohortError as problem:
            log.warning("commands.not_shown", extra={"problem": str(problem)})
            return False
        return True


def _of_groups(menu: Menu) -> Menu:
    return [entry for entry in menu if entry[0] not in texts.NOT_IN_GROUPS]


def _described() -> Described:
    return phrase("description"), phrase("short-description")
