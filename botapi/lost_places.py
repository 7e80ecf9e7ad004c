"""Messages and topics that Telegram says are no more, so that no call is spent on what must fail."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

from telegram.error import BadRequest

from tasks.bounded_dict import BoundedDict
from tasks.clock import Clock
from tasks.session import SessionKey

_REMEMBERED = 1000
_NO_TOPIC = ("topic_deleted", "message thread not found")
_NO_MESSAGE = "message to edit not found"
LOST_S = 60.0
"""Telegram says that there is no topic also while a group's topics are switched off, so it is asked again."""


@dataclass(frozen=True, slots=True)
class LostTopic:
    """A topic that takes no messages."""

    at: float
    """When Telegram said so, by ``Clock.monotonic``."""
    empty: bool
    """What was said in it is gone, too: it was deleted."""


class LostPlaces:
    """What the calls of one client have heard."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._topics = BoundedDict[tuple[int, int], LostTopic](_REMEMBERED)
        self._messages = BoundedDict[tuple[int, int], None](_REMEMBERED)

    @contextmanager
    def hearing(self, session: SessionKey, *, topic: int | None = None, message: int | None = None) -> Generator[None]:
        """Around a call that sends into a topic, or edits a message."""
        try:
            yield
        except BadRequest as error:
            words = error.message.lower()
            if message is not None and _NO_MESSAGE in words and _numbered(session):
                self._messages[session.chat, message] = None
            if topic is not None and any(one in words for one in _NO_TOPIC):
                self.lose(session.chat, topic)
            raise

    def lose(self, chat: int, topic: int, *, empty: bool = False) -> None:
        """Note that a topic takes no messages."""
        before = self.topic(chat, topic)
        self._topics[chat, topic] = LostTopic(self._clock.monotonic(), empty or (before is not None and before.empty))

    def topic(self, chat: int, topic: int | None) -> LostTopic | None:
        """What is known of a topic that takes no messages."""
        found = self._topics.get((chat, topic or 0))
        return found if found is not None and self._clock.monotonic() - found.at < LOST_S else None

    def message(self, session: SessionKey, message: int | None) -> bool:
        """Whether a message is known to be deleted: its number never comes again."""
        return _numbered(session) and (session.chat, message or 0) in self._messages


def _numbered(session: SessionKey) -> bool:
    """Whether the session's messages are known by their chat and number: a business account numbers its own."""
    return session.inline is None and session.business is None
