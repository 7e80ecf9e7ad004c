"""What the bot says to people whose message it did not take: seldom, and behind everything else."""

import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol

from bot import texts
from bot.answers import say
from bot.recent import Recent
from tasks.clock import Clock
from tasks.envelope import Inbound, Reply
from tasks.errors import StoreUnavailable

log = logging.getLogger("cohort.bot")

_TELL_STRANGERS = timedelta(hours=1)
_TELL_FULL = timedelta(minutes=1)
_REMEMBERED = 10_000
"""Names in each of these memories; a flood of strangers must not fill ours."""


class NoticeStore(Protocol):
    """Where the lines wait to be sent (``tasks.store.intake``)."""

    async def push_replies(self, bot: int, replies: Sequence[Reply]) -> None:
        """Add replies that belong to no update."""
        ...

    async def push_strangers(self, bot: int, replies: Sequence[Reply]) -> None:
        """Add lines to strangers; they are dropped when there are many, or when they are old."""
        ...


class Notices:
    """Remembers who was told. Best effort: the messages were not taken, so nothing is lost with a line."""

    def __init__(self, bot: int, store: NoticeStore, clock: Clock) -> None:
        self._bot = bot
        self._store = store
        self._clock = clock
        self._strangers = Recent(_TELL_STRANGERS, _REMEMBERED, clock)
        self._full = Recent(_TELL_FULL, _REMEMBERED, clock)

    async def tell(self, strangers: Sequence[Inbound], full: Sequence[Inbound]) -> bool:
        """Say to strangers that they are, once an hour a person and a chat; and to sessions that their inbox is full.

        Returns:
            Whether there is something to send now.
        """
        lines = [line for stranger in strangers if (line := self._to_stranger(stranger)) is not None]
        replies = [reply for refused in full if (reply := self._to_full(refused)) is not None]
        try:
            await self._store.push_strangers(self._bot, lines)
            await self._store.push_replies(self._bot, replies)
        except StoreUnavailable as problem:
            log.warning("store.unavailable", extra={"problem": str(problem)})
        return bool(lines or replies)

    def _to_stranger(self, inbound: Inbound) -> Reply | None:
        chat = inbound.key.chat
        user = inbound.sender.id if inbound.sender else chat
        # In a private chat both are one id.
        told = user in self._strangers or chat in self._strangers
        self._strangers.add(user)
        self._strangers.add(chat)
        if told:
            return None
        return say(inbound, texts.stranger(user, chat)).model_copy(update={"at": self._clock.now()})

    def _to_full(self, inbound: Inbound) -> Reply | None:
        if inbound.session in self._full:
            return None
        self._full.add(inbound.session)
        log.warning("inbox.full", extra={"session": inbound.session})
        return say(inbound, texts.TOO_MANY) if inbound.key.business is None else None
