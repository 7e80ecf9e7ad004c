"""What BotFather may change while the bot runs: its @name, by which people call it at once, and its privacy mode."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import timedelta

from bot.updates.meaning import BotIdentity
from tasks.errors import CohortError

log = logging.getLogger("cohort.bot")

LOOK_EVERY = timedelta(minutes=1)


class OwnName:
    """Asks Telegram from time to time, and tells who has to know."""

    def __init__(
        self,
        me: BotIdentity,
        ask: Callable[[], Awaitable[BotIdentity]],
        told: Sequence[Callable[[BotIdentity], None]],
    ) -> None:
        self._me = me
        self._ask = ask
        self._told = told

    async def watch(self) -> None:
        """Look until cancelled; without Telegram the name stays as it is."""
        while True:
            await asyncio.sleep(LOOK_EVERY.total_seconds())
            # A token that is taken back ends the poller, which says so.
            with suppress(CohortError):
                await self.look()

    async def look(self) -> None:
        """Ask for both.

        Raises:
            CohortError: Telegram does not tell.
        """
        me = await self._ask()
        if me.id != self._me.id or me == self._me:
            return
        if me.username != self._me.username:
            log.info("bot.renamed", extra={"bot": me.id, "username": me.username})
        self._me = me
        for tell in self._told:
            tell(me)
