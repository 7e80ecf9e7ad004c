"""What the bot says to people whose message it did not take: rarely, and after all other messages."""

import logging
from collections.abc import Callable
from datetime import timedelta

from bot import texts
from bot.access.rate import PersonalRate
from bot.admission import AccessControl, LaterLine
from bot.commands.languages import Languages
from bot.commands.saying import say
from bot.entries import After
from bot.recent import Allowance, Once, Recent
from bot.updates.commands import UNREADABLE
from bot.updates.meaning import Incoming
from tasks.clock import Clock
from tasks.envelope import Inbound, Reply
from tasks.errors import StoreUnavailable
from tasks.phrases import language_of, phrase, speaking
from tasks.store.intake import TOLD_AGAIN, IntakeStore
from tasks.turn_record import with_reference

log = logging.getLogger("cohort.bot")

_TELL_FULL = timedelta(minutes=1)
_UNREAD_AGAIN = timedelta(hours=1)
_REMEMBERED = 10_000
"""Names that each of these memories holds; a flood of strangers must not fill the process's memory."""


class Notices:
    """Remembers who was told. Best effort: these messages were not taken, so a lost line loses no message."""

    def __init__(
        self, bot: int, store: IntakeStore, clock: Clock, *, admission: AccessControl, rate: PersonalRate
    ) -> None:
        self._bot = bot
        self._admission = admission
        self._rate = rate
        self._store = store
        self._clock = clock
        self._strangers = Recent(TOLD_AGAIN, _REMEMBERED, clock)
        self._full = Allowance(1, _TELL_FULL, _REMEMBERED, clock)
        self._crowded = Allowance(1, _TELL_FULL, _REMEMBERED, clock)
        self._failed = Allowance(1, _TELL_FULL, _REMEMBERED, clock)
        self._unread = Recent(_UNREAD_AGAIN, _REMEMBERED, clock)
        self._once = Once()

    def repeats(self, heard: Incoming) -> bool:
        """Whether a message that cannot be read has its line above it already: of those in a row one is told so, and
        one again after an hour. Another message of its person there ends the row.
        """
        name = heard.inbound.session, heard.inbound.person
        if heard.ask is not UNREADABLE:
            if heard.callback is None:
                self._unread.drop(name)
            return False
        repeated = self._once.of(heard.update_id, lambda: name in self._unread)
        if not repeated:
            self._unread.add(name)
        return repeated

    async def tell(self, after: After, languages: Languages) -> bool:
        """Tell strangers, once an hour per person and chat, that they are not let in, and admins of each; then those
        whose session is full, or who write or ask too much.

        Returns:
            Whether there is a line to send now.
        """
        later = [line for refused in after.full if (line := self._to_full(refused)) is not None]
        later += [line for refused in after.rated if (line := self._to_rated(refused)) is not None]
        later += [line for refused in after.crowded if (line := self._to_crowded(refused)) is not None]
        later += [line for failed in after.sorry if (line := self._to_failed(failed)) is not None]
        lines, replies = list[Reply](), list[Reply]()
        try:
            lines += await self._to_strangers(after.strangers)
            later += self._admission.lines()
            for line in later:
                with speaking(await languages.of(line.session, line.tongue)):
                    replies.append(line.said())
            await self._store.push_replies(self._bot, replies)
        except StoreUnavailable as problem:
            log.warning("store.unavailable", extra={"problem": str(problem)})
        return bool(lines or later)

    async def _to_strangers(self, strangers: list[Incoming]) -> list[Reply]:
        """Keep lines to those who have heard none within the hour, not from an earlier life of the bot either."""
        # A code in the same batch has let them in, or this process has told them: Redis is not asked about these.
        fresh = [heard for heard in strangers if not self._admission.admits(*_who(heard)) and not self._heard(heard)]
        ids = sorted({one for heard in fresh for one in _who(heard)})
        for one, left in (await self._store.told(self._bot, ids, self._clock.now())).items():
            self._strangers.add(one, left=left)
        lines, told = list[Reply](), set[int]()
        for heard in fresh:
            if self._heard(heard):
                continue
            for one in _who(heard):
                self._strangers.add(one)
                told.add(one)
            await self._admission.request(heard.inbound, heard.group)
            with speaking(language_of(heard.inbound.tongue)):
                said = say(heard.inbound, texts.stranger(*_who(heard)))
            lines.append(said.model_copy(update={"at": self._clock.now()}))
        await self._store.push_strangers(self._bot, lines, dict.fromkeys(told, self._clock.now()))
        return lines

    def _heard(self, heard: Incoming) -> bool:
        return any(one in self._strangers for one in _who(heard))

    def _to_full(self, inbound: Inbound) -> LaterLine | None:
        if not self._full.take(inbound.session):
            return None
        log.warning("inbox.full", extra={"session": inbound.session})
        return _line(inbound, lambda: phrase("inbox-full"))

    def _to_crowded(self, inbound: Inbound) -> LaterLine | None:
        if not self._crowded.take(inbound.session):
            return None
        log.info("message.rated", extra={"session": inbound.session})
        return _line(inbound, lambda: phrase("rate"))

    def _to_failed(self, inbound: Inbound) -> LaterLine | None:
        if not self._failed.take(inbound.session):
            return None
        return _line(inbound, lambda: with_reference(phrase("defect"), inbound.key.bot, (inbound.update_id,)))

    def _to_rated(self, refused: Incoming) -> LaterLine | None:
        inbound = refused.inbound
        if refused.silent:
            # A line would be one more message to what answers, or to all readers.
            log.warning("message.rated", extra={"session": inbound.session})
            return None
        if inbound.key.inline is None and not self._rate.tells(inbound.person or 0, refused.sent):
            return None
        log.info("message.rated", extra={"session": inbound.session})
        return _line(inbound, lambda: phrase("rate"))


def _who(heard: Incoming) -> tuple[int, int]:
    """The stranger and the chat; in a private chat both have the same id."""
    inbound = heard.inbound
    return inbound.sender.id if inbound.sender else inbound.key.chat, inbound.key.chat


def _line(inbound: Inbound, said: Callable[[], str]) -> LaterLine | None:
    key = inbound.key
    return LaterLine(key, inbound.tongue, lambda: say(inbound, said())) if key.business is None else None
