"""The command menus by role, scope and language, and what an empty chat shows: set at the start, and at changes."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from bot import texts
from bot.access.people import PeopleView
from bot.commands.offered import CommandOffer
from botapi.errors import TelegramAway
from tasks.errors import CohortError, Misconfigured
from tasks.phrases import ENGLISH, LANGUAGES, phrase, speaking

log = logging.getLogger("cohort.bot")

type Menu = Sequence[tuple[str, str]]
"""(command, description) of each."""
type Names = tuple[str, ...]
type Described = tuple[str, str]
"""What an empty chat shows, and what the bot's profile shows."""


@dataclass(frozen=True, slots=True)
class Menus:
    """What chats show that have no menu of their own."""

    private: Menu
    groups: Menu
    admins: Menu
    """To the administrators of groups; empty where it is that of all."""


class MenuCalls(Protocol):
    """Telegram as this module uses it."""

    async def show_commands(self, menus: Menus) -> None:
        """Set the menus of all chats, where they are not so already."""
        ...

    async def show_translated(self, language: str, menus: Menus) -> None:
        """Set them for the people who use Telegram in a language, where they are not so already."""
        ...

    async def show_own_commands(self, chat: int, menu: Menu, translated: Mapping[str, Menu]) -> None:
        """Set the menu of one chat, also by language, where it is not so already."""
        ...

    async def hide_own_commands(self, chat: int, languages: Sequence[str]) -> None:
        """Give a chat the menu of all again."""
        ...

    async def describe(self, description: str, short: str) -> None:
        """Set what an empty chat shows, unless the operator has set it."""
        ...

    async def describe_translated(self, usual: Described, translated: Mapping[str, Described]) -> None:
        """Set the same by language, where the operator has set neither the usual words nor those."""
        ...


OTHERS = tuple(language for language in LANGUAGES if language != ENGLISH)
"""English is what Telegram shows where a language has no menu of its own."""
_TRIES, _LEAST_WAIT_S = 6, 1.0
"""Of calls that Telegram did not take, with the wait that it asks for between them."""
_MOST = 50
"""Chats with a menu of their own beside those of admins: each is a dozen calls at a start."""


class CommandMenus:
    """Best effort: a menu that is missing takes no command away."""

    def __init__(
        self,
        calls: MenuCalls,
        people: PeopleView,
        offer: CommandOffer,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Prepare it.

        Args:
            calls: Telegram.
            people: Tells who has which role.
            offer: Tells which commands a role may use.
            sleep: Waits for Telegram.
        """
        self._sleep = sleep
        self._calls = calls
        self._people = people
        self._offer = offer
        self._changed = asyncio.Event()
        self._begun = asyncio.Event()
        self._shown: Mapping[int, Menu] = {}
        self._shown_to_all: Menus | None = None
        """Both in English: words of cards change, too."""

    def changed(self) -> None:
        """People or rules may have changed; ``run`` looks whether menus have to."""
        self._changed.set()

    async def show(self) -> None:
        """Set the menus that all have, in English.

        Raises:
            Misconfigured: the token is wrong.
        """
        try:
            await self._show(tries=1)
        finally:
            self._begun.set()

    async def _show(self, tries: int = _TRIES) -> None:
        menus = self._menus()
        shown = await self._try(lambda: self._calls.show_commands(menus), tries)
        described = await self._try(lambda: self._calls.describe(*_described()), tries)
        # At the start nothing is waited for: ``run`` does the rest.
        self._shown_to_all = menus if (shown and described) or tries > 1 else None

    async def run(self) -> None:
        """Keep the menus as they should be, until cancelled; after ``show``, set those of other languages."""
        await self._begun.wait()
        if self._shown_to_all is not None:
            await self.translate()
        while True:
            self._changed.clear()
            if self._menus() != self._shown_to_all:
                await self._show()
                await self.translate()
            await self.show_to_some()
            await self._changed.wait()

    async def show_to_some(self) -> None:
        """Set the menus of chats whose people may use other commands than most, and take away those of others."""
        wanted = dict[int, Menu]()
        for chat, names in self._to_some().items():
            wanted[chat] = menu = _menu(names, self._offer.own())
            if self._shown.get(chat) != menu:
                translated = {language: self._in(language, names) for language in OTHERS}
                await self._try(partial(self._calls.show_own_commands, chat, menu, translated))
        for chat in self._shown:
            if chat not in wanted:
                await self._try(partial(self._calls.hide_own_commands, chat, OTHERS))
        self._shown = wanted

    def _to_all(self) -> tuple[Names, Names, Names]:
        """The commands of private chats, of groups, and of groups' administrators."""
        access = self._people.access
        usual = access.everyone if access.everybody else "member"
        groups = (self._offer.names(usual, group=True, administers=administers) for administers in (False, True))
        return self._offer.names(usual), *map(_of_groups, groups)  # type: ignore[return-value]

    def _to_some(self) -> dict[int, Names]:
        """Those of single chats: of admins, and of the newest others with another role than most."""
        access, entries = self._people.access, self._people.people.entries
        private, groups, _ = self._to_all()
        others = sorted(entries.keys() - access.in_charge, key=lambda who: -entries[who].at)
        found: dict[int, Names] = {}
        for who in (*sorted(access.in_charge), *others):
            role = access.role(who, who)
            names = self._offer.names(role) if who > 0 else _of_groups(self._offer.names(role, group=True))
            if role is not None and names != (private if who > 0 else groups):
                found[who] = names
            if len(found) >= len(access.in_charge) + _MOST:
                break
        return found

    async def translate(self) -> None:
        """Set the menus and the words of an empty chat in the other languages, as far as they are not so already."""
        for language in OTHERS:
            with speaking(language):
                menus = self._menus()
            if not await self._try(partial(self._calls.show_translated, language, menus)):
                return
        words: dict[str, Described] = {}
        for language in OTHERS:
            with speaking(language):
                words[language] = _described()
        await self._try(lambda: self._calls.describe_translated(_described(), words))

    def _menus(self) -> Menus:
        """Those of all chats, in the language that is spoken now."""
        private, groups, admins = (_menu(names, self._offer.own()) for names in self._to_all())
        return Menus(private, groups, admins if admins != groups else ())

    def _in(self, language: str, names: Names) -> Menu:
        with speaking(language):
            return _menu(names, self._offer.own())

    async def _try(self, call: Callable[[], Awaitable[None]], tries: int = _TRIES) -> bool:
        """Make calls, again where Telegram is away or has had too many: each sets only what is not so already."""
        while True:
            tries -= 1
            try:
                await call()
            except Misconfigured:
                raise
            except CohortError as problem:
                log.warning("commands.not_shown", extra={"problem": str(problem)})
                if not tries or not isinstance(problem, TelegramAway):
                    return False
                await self._sleep(max(problem.wait, _LEAST_WAIT_S))
            else:
                return True


def _menu(names: Names, own: Mapping[str, str]) -> Menu:
    """In the language that is spoken now, as far as the words are ours."""
    usual = phrase("menu-of-agents")
    return [(name, (own[name] or usual) if name in own else phrase(f"menu-{name}")) for name in names]


def _of_groups(names: Names) -> Names:
    return tuple(name for name in names if name not in texts.NOT_IN_GROUPS)


def _described() -> Described:
    return phrase("description"), phrase("short-description")
