"""A channel's post comes twice where the channel has a discussion group: it is answered in the channel alone."""

from datetime import timedelta

from bot.access.people import PeopleView
from bot.recent import Recent
from bot.updates.meaning import Incoming
from tasks.clock import Clock
from tasks.session import SessionKey
from tasks.store.intake import IntakeStore
from tasks.store.records.feedback import FeedbackStore

_LATELY = timedelta(hours=1)
_REMEMBERED = 1000


class ChannelPosts:
    """Tells which automatic forwards in discussion groups are for the channels from which they come."""

    def __init__(self, bot: int, intake: IntakeStore, answers: FeedbackStore, people: PeopleView, clock: Clock) -> None:
        self._bot = bot
        self._intake = intake
        self._answers = answers
        self._people = people
        self._lately = Recent(_LATELY, _REMEMBERED, clock)
        """Channels whose posts have come: one and its forward may be in one batch."""

    def note(self, heard: Incoming) -> None:
        """An update came; a post says that those of its channel do."""
        if heard.inbound.chat_type == "channel":
            self._lately.add(heard.inbound.key.chat)

    async def has(self, heard: Incoming) -> bool:
        """Whether a forward of a post is nothing that the bot answers here: the post is, or is the bot's own.

        Raises:
            StoreUnavailable: Redis is away.
        """
        if heard.post is None:
            return False
        channel, number = heard.post
        if await self._answers.answer(self._bot, channel, number) is not None:
            return True
        if self._people.access.decide(channel, channel, business=True) != "admit" or not heard.addressed:
            return False
        return channel in self._lately or await self._intake.knows(SessionKey(self._bot, channel))
