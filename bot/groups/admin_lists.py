"""Who administers a group, as Telegram told it lately."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta

from tasks.bounded_dict import BoundedDict
from tasks.clock import Clock
from tasks.errors import CohortError

log = logging.getLogger("cohort.bot")

type Administrators = Callable[[int], Awaitable[frozenset[int]]]
"""Asks Telegram for a group's administrators (getChatAdministrators)."""

FRESH = timedelta(minutes=1)
"""A list is asked for again after that time, and after a failure too."""
PATIENCE_S = 2.0
"""How long a word waits for a list. The words of all chats wait behind it."""
_REMEMBERED = 1000


class AdminLists:
    """Keeps the lists for a while. A Telegram that does not answer holds up others once a minute for each group."""

    def __init__(self, administrators: Administrators, clock: Clock, patience_s: float = PATIENCE_S) -> None:
        self._administrators = administrators
        self._clock = clock
        self._patience_s = patience_s
        self._known = BoundedDict[int, tuple[float, frozenset[int] | None]](_REMEMBERED)

    async def of(self, chat: int) -> frozenset[int] | None:
        """The ids of the group's administrators; None where Telegram has not told them.

        Of a list that cannot be renewed the last one counts.
        """
        now = self._clock.monotonic()
        at, known = self._known.get(chat, (now - FRESH.total_seconds(), None))
        if now - at < FRESH.total_seconds():
            return known
        try:
            async with asyncio.timeout(self._patience_s):
                known = await self._administrators(chat)
        except (CohortError, TimeoutError) as problem:
            log.warning("admins.unknown", extra={"problem": str(problem) or "no answer in time"})
        self._known[chat] = (now, known)
        return known
