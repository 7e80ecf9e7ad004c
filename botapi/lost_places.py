"""Messages and topics that Telegram says are no more, so that no call is spent on what must fail."""

from collections.abc import Generator
from contextlib import contextmanager

from telegram.error import BadRequest

from botapi.refusals import Refusal, classify
from tasks.bounded_dict import BoundedDict
from tasks.clock import Clock
from tasks.session import SessionKey

_REMEMBERED = 1000
_NO_MESSAGE = "message to edit not found"
LOST_S = 60.0
"""Telegram says that there is no topic also while a group's topics are switched off, so it is asked again."""


class LostPlaces:
    """What the calls of one client have heard."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._topics = BoundedDict[tuple[int, int], float](_REMEMBERED)
        self._messages = BoundedDict[tuple[int, int], None](_REMEMBERED)

    @contextmanager
    def hearing(self, session: SessionKey, *, topic: int | None = None, message: int | None = None) -> Generator[None]:
        """Around a call that sends into a topic, or edits a message."""
        try:
            yield
        except BadRequest as error:
            if message is not None and _NO_MESSAGE in error.message.lower() and _numbered(session):
                self._messages[session.chat, message] = None
            if topic is not None and classify(error) is Refusal.LOST_TOPIC:
                self._topics[session.chat, topic] = self._clock.monotonic()
            raise

    def topic(self, session: SessionKey) -> bool:
        """Whether the session's topic was not found a moment ago: what was said in it is gone, too."""
        at = self._topics.get((session.chat, session.topic or 0))
        return at is not None and self._clock.monotonic() - at < LOST_S

    def message(self, session: SessionKey, message: int | None) -> bool:
        """Whether a message is known to be deleted: its number never comes again."""
        return _numbered(session) and (session.chat, message or 0) in self._messages


def _numbered(session: SessionKey) -> bool:
    """Whether the session's messages are known by their chat and number: a business account numbers its own."""
    return session.inline is None and session.business is None
