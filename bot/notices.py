"""What the bot says to people whose message it did not take: rarely, and after all other messages."""

import logging
from collections.abc import Sequence
from datetime import timedelta

from bot import texts
from bot.answers import say
from bot.recent import Recent
from tasks.clock import Clock
from tasks.envelope import Inbound, Reply
from tasks.errors import StoreUnavailable
from tasks.store.intake import IntakeStore

log = logging.getLogger("cohort.bot")

_TELL_STRANGERS = timedelta(hours=1)
_TELL_FULL = timedelta(minutes=1)
_REMEMBERED = 10_000
"""Names that each of these memories holds; a flood of strangers must not fill the process's memory."""


class Notices:
    """Remembers who was told. Best effort: these messages were not taken, so a lost line loses no message."""

    def __init__(self, bot: int, store: IntakeStore, clock: Clock) -> None:
        self._bot = bot
        self._store = store
        self._clock = clock
        self._strangers = Recent(_TELL_STRANGERS, _REMEMBERED, clock)
        self._full = Recent(_TELL_FULL, _REMEMBERED, clock)

    async def tell(self, strangers: Sequence[Inbound], full: Sequence[Inbound]) -> bool:
        """Tell strangers, once an hour per person and chat, that they are not let in, and full sessions so.

        Returns:
            Whether there is a line to send now.
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
        # In a private chat both have the same id.
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
