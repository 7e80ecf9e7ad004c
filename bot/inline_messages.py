"""Questions in chats that are not the bot's own: each becomes an inline message, whose answer takes its place.

A person who types gets one article at once and costs no model call. The turn begins when Telegram tells that they sent
it, or when they press the button below it: without /setinlinefeedback at BotFather Telegram does not tell. A press does
not say what they typed, so that is kept. What comes first begins the turn. A guest's first words are said before its
question is accepted: only the answer to the query tells the message's id.
"""

import logging
from dataclasses import replace
from datetime import timedelta
from typing import Protocol

from bot.access.people import PeopleView
from bot.acknowledgements import Acknowledgements
from bot.article import Article
from bot.recent import Allowance
from bot.updates.buttons import WAITS
from bot.updates.inline_messages import in_message
from bot.updates.meaning import AskedInline, Incoming, MalformedValue
from tasks.bounded_dict import BoundedDict
from tasks.clock import Clock
from tasks.envelope import Inbound
from tasks.errors import CohortError
from tasks.phrases import phrase
from tasks.store.records.typed import TypedQuestions

log = logging.getLogger("cohort.bot")

_REMEMBERED = 10_000
_GUESTS, _GUESTS_IN = 20, timedelta(minutes=1)
"""Messages of one person that the bot answers as a guest within that time: each takes a call before it is accepted."""
_ABOUT = 200
"""Characters of the question that the article shows."""
_SHOWN = 3_500
"""Characters of the question that stand in the message until the answer comes."""


class GuestCalls(Protocol):
    """Telegram as this module uses it."""

    async def answer_guest(self, query: str, article: Article) -> str:
        """Say the first words; the id of the inline message."""
        ...


class InlineMessages:
    """Decides who is answered, and opens the messages."""

    def __init__(
        self, calls: GuestCalls, people: PeopleView, acks: Acknowledgements, typed: TypedQuestions, clock: Clock
    ) -> None:
        self._calls = calls
        self._typed = typed
        self._people = people
        self._acks = acks
        self._guests = Allowance(_GUESTS, _GUESTS_IN, _REMEMBERED, clock)
        self._logged = Allowance(1, _GUESTS_IN, _REMEMBERED, clock)
        self._opened = BoundedDict[str, str](_REMEMBERED)
        """Guest queries -> messages: an update that comes again finds its query answered."""

    async def take(self, asked: AskedInline) -> Incoming | None:
        """What is asked in a message that is there by now; None: nothing yet, or it is not answered.

        Raises:
            StoreUnavailable: Redis is away.
        """
        inbound = asked.heard.inbound
        admitted = self._people.access.decide(inbound.person, inbound.key.chat) == "admit"
        if asked.how == "typed":
            self._acks.offer(asked.query, await self._offered(inbound) if admitted and inbound.text else None)
            return None
        if asked.how == "pressed":
            return await self._pressed(asked)
        if not admitted:
            # In a chat of other people a stranger is told nothing.
            return None
        if not self._guests.take(inbound.person, asked.update_id):
            if self._logged.take(inbound.person):
                log.warning("guest.too_many", extra={"a_minute": _GUESTS})
            return None
        try:
            inline = self._opened.get(asked.query)
            if inline is None:
                inline = await self._calls.answer_guest(asked.query, _article())
                self._opened[asked.query] = inline
            return in_message(asked.heard, inline)
        except (CohortError, MalformedValue) as problem:
            log.warning("guest.not_answered", extra={"problem": str(problem)})
            return None

    async def _offered(self, inbound: Inbound) -> Article:
        person, question = inbound.person or 0, inbound.text
        name = await self._typed.keep(inbound.key.bot, person, question)
        return Article(
            title=phrase("inline-title"),
            about=question[:_ABOUT],
            text=f"{question[:_SHOWN]}\n\n{phrase('inline-offered')}",
            button=phrase("inline-show"),
            data=f"{WAITS}:{person}:{name}",
        )

    async def _pressed(self, asked: AskedInline) -> Incoming | None:
        heard, (owner, _, name) = asked.heard, asked.query.partition(":")
        person = heard.inbound.person or 0
        own = owner == str(person)
        question = await self._typed.find(heard.inbound.key.bot, person, name) if own else None
        if question is not None:
            return replace(heard, inbound=heard.inbound.model_copy(update={"text": question}))
        if heard.callback is not None:
            self._acks.press(heard.callback, phrase("inline-expired") if own else phrase("inline-not-yours"))
        return None


def _article() -> Article:
    """A guest's first words."""
    waits = phrase("inline-waits")
    return Article(title=phrase("inline-title"), about="", text=waits, button=phrase("inline-button"), data=WAITS)
