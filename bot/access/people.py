"""Who may talk, as this process knows it: the operator's settings with what is stored, kept current beside the bot."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

from tasks.chats.access import Access, OperatorsWord, People, access_by
from tasks.chats.roles import RoleRules
from tasks.errors import StoreUnavailable
from tasks.store.chats.people import PeopleStore

log = logging.getLogger("cohort.bot")

LOOK_EVERY = timedelta(seconds=1)
"""Another process of the bot may have let a person in."""


class PeopleView:
    """What was seen last. To ask it costs nothing, so strangers cost nothing."""

    def __init__(
        self, bot: int, store: PeopleStore, word: OperatorsWord, rules: Callable[[], RoleRules] = RoleRules
    ) -> None:
        """Prepare it.

        Args:
            bot: The bot's id.
            store: Where people are kept.
            word: What this bot's settings say.
            rules: What the operator's file says of roles now.
        """
        self._rules = rules
        self.bot = bot
        self.store = store
        self.word = word
        self._access = access_by(word, People())
        self._people = People()
        self._seen = False
        self._changed: Callable[[], None] = lambda: None

    @property
    def access(self) -> Access:
        """Who may talk."""
        if self._access.everyone != (everyone := self._rules().everyone):
            self._access = replace(self._access, everyone=everyone)
        return self._access

    @property
    def people(self) -> People:
        """What is stored."""
        return self._people

    @property
    def pairs(self) -> bool:
        """Whether pairing codes count."""
        return self.word.mode == "pairing"

    async def ready(self) -> None:
        """Return when the stored people are known: a person who was let in is never taken for a stranger.

        Raises:
            StoreUnavailable: Redis is away, and they are not known yet.
        """
        if not self._seen:
            await self.refresh()

    async def refresh(self) -> None:
        """Look; an error leaves what was seen before.

        Raises:
            StoreUnavailable: Redis is away.
        """
        self._people = await self.store.look(self.bot)
        self._access = access_by(self.word, self._people)
        self._seen = True
        self._changed()

    async def watch(self, changed: Callable[[], None] = lambda: None) -> None:
        """Keep it current until cancelled; without Redis it stays as it is.

        Args:
            changed: Called after each look that may have found something else.
        """
        self._changed = changed
        published = False
        while True:
            with suppress(StoreUnavailable):
                if not published:
                    await self.store.publish(self.bot, self.word)
                    published = True
                if not self._seen or await self.store.version(self.bot) != self._people.version:
                    await self.refresh()
            await asyncio.sleep(LOOK_EVERY.total_seconds())
