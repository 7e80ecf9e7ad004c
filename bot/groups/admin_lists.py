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
PROMOTED = timedelta(seconds=5)
"""Who is not in a list that old may have been made an admin since: it is asked for again."""
PATIENCE_S = 2.0
"""How long a word waits for a list. The words of all chats wait behind it."""
_REMEMBERED = 1000


class AdminLists:
    """Keeps the lists for a while. A Telegram that does not answer holds up others once a minute for each group."""

    def __init__(self, administrators: Administrators, clock: Clock, patience_s: float = PATIENCE_S) -> None:
        self._administrators = administrators
        self._clock = clock
        self._patience_s = patience_s
        self._known = BoundedDict[int, tuple[float, frozenset[int] | None, bool]](_REMEMBERED)

    async def of(self, chat: int) -> frozenset[int] | None:
        """The ids of the group's administrators; None where Telegram has not told them.

        Of a list that cannot be renewed the last one counts.
        """
        return await self._of(chat, FRESH)

    async def has(self, person: int | None, chat: int) -> bool:
        """Whether a person is one of the group's administrators, as far as Telegram tells."""
        return bool(await self.tells_of(person, chat))

    async def tells_of(self, person: int | None, chat: int) -> bool | None:
        """The same; None where Telegram has not told them."""
        known = await self._of(chat, FRESH)
        if known is not None and person not in known:
            known = await self._of(chat, PROMOTED)
        return None if known is None else person in known

    async def _of(self, chat: int, fresh: timedelta) -> frozenset[int] | None:
        now = self._clock.monotonic()
        at, known, failed = self._known.get(chat, (now - FRESH.total_seconds(), None, False))
        if now - at < (FRESH if failed else fresh).total_seconds():
            return known
        failed = False
        try:
            async with asyncio.timeout(self._patience_s):
                known = await self._administrators(chat)
        except (CohortError, TimeoutError) as problem:
            log.warning("admins.unknown", extra={"problem": str(problem) or "no answer in time"})
            failed = True
        self._known[chat] = (now, known, failed)
        return known
