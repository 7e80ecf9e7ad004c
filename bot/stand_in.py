"""Tells a person who said /stop that it holds where no worker can: their only one died, or none is there yet.

A turn whose worker died does not run, and the word in the inbox keeps every later worker from it. So it is true at
once, and its person need not wait until a worker has started. What is left to do, the next worker does.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from bot.commands.languages import Languages
from bot.commands.saying import say
from tasks.envelope import Inbound
from tasks.errors import StoreUnavailable
from tasks.phrases import speaking
from tasks.stopping import set_aside, stopped
from tasks.store.owners import Owners

log = logging.getLogger("cohort.bot")

_FIRST_S = 0.1
"""A living worker has carried the word out by then."""
_RENEWS_S = 0.65
"""A living worker renews its heartbeat within milliseconds of being asked; others wait 0.6 s for it
(``workers.sessions.takeover``), and are to come first."""
_CLAIMS_S = 0.4
"""Another worker takes a session without an owner by then."""


class StandIn:
    """Looks after each /stop for a second."""

    def __init__(
        self,
        owners: Owners,
        languages: Languages,
        wake: Callable[[], None],
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """``wake``: there is a line of the bot to send."""
        self._owners = owners
        self._languages = languages
        self._wake = wake
        self._sleep = sleep

    async def watch(self, word: Inbound) -> None:
        """Say that the turn is stopped unless a worker does."""
        if word.kind != "stop" or word.key.inline is not None:
            return
        try:
            if await self._said(word):
                log.warning("stop.stood_in", extra={"session": word.session})
                self._wake()
        except StoreUnavailable as problem:
            # The word waits in the inbox.
            log.warning("store.unavailable", extra={"session": word.session, "problem": str(problem)})

    async def _said(self, word: Inbound) -> bool:
        owners, session = self._owners, word.key
        await self._sleep(_FIRST_S)
        if not await owners.ahead_of(session, word):
            return False
        owner = await owners.of(session)
        alive = owner is not None and not owner.is_gone
        if alive:
            await owners.ask()
        await self._sleep(_RENEWS_S if alive else _CLAIMS_S)
        if not (ahead := await owners.ahead_of(session, word)):
            return False
        shown = await owners.shown(session)
        with speaking(await self._languages.of(session, word.tongue)):
            line = say(word, stopped(set_aside(ahead))).model_copy(update={"disarms": shown[-1:]})
        return await owners.stand_in(session, owner, word, line)
