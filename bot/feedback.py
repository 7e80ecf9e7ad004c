"""Records people's thumbs at answers, for `cohort feedback`."""

from datetime import timedelta

from bot.access.people import PeopleView
from bot.recent import Allowance
from bot.updates.meaning import Reacted
from tasks.chats.feedback import Opinion
from tasks.clock import Clock
from tasks.store.intake import Accept
from tasks.store.records.feedback import FeedbackStore

_EACH, _WITHIN = 30, timedelta(minutes=1)
"""Reactions of one person that are looked at within that time."""
_REMEMBERED = 10_000


class Feedback:
    """Takes reactions of people who may talk to the bot."""

    def __init__(self, bot: int, store: FeedbackStore, people: PeopleView, clock: Clock) -> None:
        self._bot = bot
        self._store = store
        self._people = people
        self._allowance = Allowance(_EACH, _WITHIN, _REMEMBERED, clock)

    async def take(self, change: Reacted) -> Accept:
        """Record a thumb, or take back what was recorded, if the message is an answer.

        Returns:
            The update, to be marked as seen.

        Raises:
            StoreUnavailable: Redis is away; the update comes again.
        """
        await self._take(change)
        return Accept(change.update_id)

    async def _take(self, change: Reacted) -> None:
        if self._people.access.decide(change.person, change.chat) != "admit":
            return
        if not self._allowance.take(change.person, change.update_id):
            return
        found = await self._store.answer(self._bot, change.chat, change.message_id)
        if found is None:
            return
        session, update = found
        opinion = Opinion(session, change.message_id, update, change.person, change.thumb or "up")
        await (self._store.withdraw(opinion) if change.thumb is None else self._store.put(opinion))
