"""What people think of answers: thumbs as reactions, by answer; and which message shows which turn's answer (pure)."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal, Self, cast

from tasks.session import SessionKey
from tasks.turn_record import reference

type Thumb = Literal["up", "down"]

THUMBS: dict[str, Thumb] = {"👍": "up", "👎": "down"}


def mark(session: SessionKey, messages: Sequence[int], answers: Sequence[int]) -> str:
    """What is kept of a delivered answer: its messages, what it answers, and its topic, which no reaction names.

    It is empty where there is nothing to keep.
    """
    if not messages or not answers or session.business is not None or session.inline is not None:
        return ""
    return f"{','.join(map(str, messages))}:{answers[0]}:{session.topic or ''}"


def marked(bot: int, chat: int, message_id: int, marks: Sequence[str]) -> tuple[SessionKey, int] | None:
    """The session of a message, and the update that it answers; None when it is no answer that is known."""
    for one in marks:
        messages, update, topic = (*one.split(":"), "", "")[:3]
        with suppress(ValueError):
            if str(message_id) in messages.split(","):
                return SessionKey(bot, chat, int(topic) if topic else None), int(update)
    return None


@dataclass(frozen=True, slots=True)
class Opinion:
    """One person's thumb at one answer."""

    session: SessionKey
    message_id: int
    update: int
    """What the answer answers."""
    person: int
    thumb: Thumb
    at: float = 0.0
    """Seconds since the epoch."""

    @property
    def reference(self) -> str:
        """What ``cohort find`` finds the turn by."""
        return reference(self.session.bot, self.update)

    def written(self, thumb: Thumb | None = None) -> str:
        """As it is stored; ``thumb`` in place of its own."""
        return f"{self.session} {self.message_id} {self.update} {self.person} {thumb or self.thumb}"

    @classmethod
    def read(cls, written: str, at: float) -> Self | None:
        """What is stored; None for what this release cannot read."""
        parts = written.split(" ")
        with suppress(ValueError):
            session, message_id, update, person, thumb = parts
            if thumb in THUMBS.values():
                numbers = int(message_id), int(update), int(person)
                return cls(SessionKey.parse(session), *numbers, cast("Thumb", thumb), at)
        return None
