"""What comes behind a running turn: a reason to interrupt it, or something that waits for its end (pure)."""

from collections.abc import Sequence

from tasks.envelope import Inbound
from tasks.errors import EnvelopeInvalid, EnvelopeTooNew
from workers.sessions.planning.edits import MessagePrints, changes_nothing

_WAITS = ("answer", "choose", "compact", "conversation")


def waits(entries: Sequence[Inbound]) -> bool:
    """Whether entries, at least one, ask for no other answer: their turn is behind the answer that is at work."""
    return bool(entries) and all(entry.kind in _WAITS for entry in entries)


def is_news(entries: Sequence[bytes], said: MessagePrints) -> bool:
    """Whether entries that came behind a running turn are a reason to interrupt it.

    Args:
        entries: Raw entries behind those that the turn took.
        said: Fingerprints, including those of the messages that the turn answers.
    """
    for number, raw in enumerate(entries):
        try:
            entry = Inbound.from_json(raw)
        except (EnvelopeInvalid, EnvelopeTooNew):
            # It is looked at when it is the head.
            return number == 0
        if not (waits([entry]) or changes_nothing(entry, said)):
            return True
    return False
