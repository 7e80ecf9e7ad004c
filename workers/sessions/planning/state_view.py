"""What a claimed session's state says, so that it need not be read again after each commit."""

import json
import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from tasks.chats.asking import HeldQuestion, parked_in
from tasks.chats.choices import CHAT_CHOICES
from tasks.config.settings import Settings
from tasks.envelope import Inbound
from tasks.errors import EnvelopeInvalid, EnvelopeTooNew
from tasks.journal import JournalTooNew, Mark
from tasks.phrases import ENGLISH
from tasks.session import SessionKey
from tasks.store.connection.redis import text
from tasks.store.state import StateField, shown_in
from tasks.text import is_digits
from workers.sessions.planning import edits
from workers.sessions.planning.parked import Parking
from workers.usage import Usage

log = logging.getLogger("cohort.turns")

_OF_A_MOVE = {
    StateField.owner,
    StateField.epoch,
    StateField.tries,
    StateField.migrated_to,
    StateField.migration_done,
    StateField.touched,
}
"""What the state of a session that moved keeps."""


class StateView:
    """The fields of a session's state, as its owner knows them."""

    def __init__(self, session: SessionKey, state: Mapping[str, bytes]) -> None:
        self.session = session
        self._fields = dict(state)
        self._said: tuple[bytes, dict[int, str]] = b"", {}

    @property
    def history(self) -> bytes | None:
        """As the runtime gave it."""
        return self._fields.get(StateField.history) or None

    @property
    def conversation(self) -> bytes | None:
        """Number and title of the conversation that goes on (``tasks.chats.conversations.Current``)."""
        return self._fields.get(StateField.conversation)

    @property
    def has_answered(self) -> bool:
        """Whether a turn was answered before this claim: without one there are no earlier conversations."""
        return StateField.turns in self._fields

    @property
    def batch_size(self) -> int:
        """How many inbox entries the last turn was begun with; of use when it never ended."""
        return self._number(StateField.batch_size)

    @property
    def isolate_next(self) -> int:
        """How many inbox entries are run one at a time (``workers.sessions.planning.planner.Handled``)."""
        return self._number(StateField.isolate_next)

    @property
    def said(self) -> dict[int, str]:
        """What the last messages said that left the inbox (``workers.sessions.planning.edits``)."""
        field = self._fields.get(StateField.said, b"")
        if field is not self._said[0]:
            # Asked for several times a turn.
            self._said = field, edits.read(field.decode(errors="replace"))
        return self._said[1]

    @property
    def stood_in(self) -> str:
        """What the bot called the last exchange, and its name."""
        return self._fields.get(StateField.stood_in, b"").decode(errors="replace")

    @property
    def migrated_to(self) -> SessionKey | None:
        """What this session's group became: it goes on there."""
        moved = text(self._fields.get(StateField.migrated_to, b""))
        if not moved or moved == str(self.session):
            return None
        with suppress(ValueError):
            return SessionKey.parse(moved)
        log.error("session.damaged", extra={"session": str(self.session), "field": StateField.migrated_to.value})
        return None

    @property
    def is_blank(self) -> bool:
        """Whether the state says nothing but whose it is, and where it moved."""
        return self._fields.keys() <= _OF_A_MOVE

    @property
    def mark(self) -> Mark | None:
        """Whose the session's journal is; None when there is none that this release can read."""
        with suppress(JournalTooNew):
            return self._mark()
        return None

    def ensure_readable(self) -> None:
        """Let a turn begin, unless a newer release began it: run here, all that it had done would be done twice.

        Raises:
            JournalTooNew: it did.
        """
        self._mark()

    def _mark(self) -> Mark | None:
        return Mark.parse(text(self._fields.get(StateField.journal, b"")))

    @property
    def parking(self) -> Parking | None:
        """The turn that waits for a person; None when there is none that this release can read."""
        turn = parked_in(self._fields.get(StateField.parked))
        if turn is None:
            return None
        pairs = (pair.partition(":") for pair in text(self._fields.get(StateField.asked, b"")).split())
        return Parking(turn, {ident: int(place) for ident, _, place in pairs if is_digits(place)})

    @property
    def held(self) -> HeldQuestion | None:
        """The question whose call stays open, or stayed so when its worker died."""
        field = self._fields.get(StateField.held)
        with suppress(EnvelopeInvalid, EnvelopeTooNew):
            return HeldQuestion.from_json(field) if field else None
        return None

    def resets(self, turn: str) -> int:
        """How often this turn's tries were set back."""
        name, _, number = text(self._fields.get(StateField.resets, b"")).partition(" ")
        return int(number[:9]) if name == turn and is_digits(number) else 0

    def note_resets(self, written: str) -> None:
        """They were set back once more."""
        self._put(StateField.resets, written)

    def refused(self, turn: str) -> frozenset[int]:
        """The update ids that this turn was begun without; their payers' allowances were used up."""
        name, *updates = text(self._fields.get(StateField.refused, b"")).split() or [""]
        kept = (int(update) for update in updates if is_digits(update))
        return frozenset(kept) if name == turn else frozenset()

    @property
    def over_budget(self) -> str:
        """See ``StateField.over_budget``."""
        return text(self._fields.get(StateField.over_budget, b""))

    @property
    def standing(self) -> str:
        """See ``StateField.standing``."""
        return text(self._fields.get(StateField.standing, b""))

    @property
    def allowed(self) -> tuple[str, ...]:
        """What people of the session always allow (``Question.scope``)."""
        return tuple(self._list(StateField.allowed))

    @property
    def waits_told(self) -> bool:
        """Whether the chat knows that its messages wait for a process of its own."""
        return StateField.waits in self._fields

    @property
    def last_commit(self) -> str:
        """The id of the commit before this turn."""
        return text(self._fields.get(StateField.commit, b""))

    def choice(self, name: str) -> str | None:
        """What the session chose: its ``agent``, its ``model``, ...; None for the default."""
        value = self._fields.get(name)
        return text(value) if value else None

    @property
    def tongue(self) -> str | None:
        """The language that the person of a private chat was answered in last."""
        return text(self._fields.get(StateField.tongue, b"")) or None if self.session.chat > 0 else None

    def _told_in(self, language: str) -> dict[str, str]:
        """The field that notes it, where it is news."""
        news = self.session.chat > 0 and language != (self.tongue or ENGLISH)
        return {StateField.tongue: language} if news else {}

    def effective(self, name: str, settings: Settings) -> str:
        """The value of a setting that the chat may choose for itself."""
        return CHAT_CHOICES[name].effective(self.choice(name), settings)

    def retry_batch(self) -> list[str]:
        """The messages of turns that were given up for an outage, as JSON."""
        return self._list(StateField.retry_batch)

    @property
    def unanswered(self) -> str:
        """Not empty when the last turn gave no answer; ``batch`` when its messages stand in ``retry_batch``."""
        return text(self._fields.get(StateField.unanswered, b""))

    @property
    def pressed(self) -> str:
        """See ``StateField.pressed``."""
        return text(self._fields.get(StateField.pressed, b""))

    def unanswered_messages(self) -> tuple[Inbound, ...]:
        """What the last turn gave no answer to, and is not in ``retry_batch``."""
        return _read(self._list(StateField.unanswered))

    def _list(self, name: str) -> list[str]:
        with suppress(ValueError, RecursionError):
            kept: Any = json.loads(self._fields.get(name, b"[]"))
            return [entry for entry in kept if isinstance(entry, str)] if isinstance(kept, list) else []
        return []

    def retry_messages(self) -> tuple[Inbound, ...]:
        """The same, read.

        Raises:
            EnvelopeTooNew: a newer release gave them up.
        """
        return _read(self.retry_batch())

    @property
    def shown_in(self) -> tuple[int, ...]:
        """The messages that show a turn which never ended."""
        return shown_in(self._fields.get(StateField.live, b""), self._fields.get(StateField.live_more, b""))

    @property
    def drafted(self) -> str:
        """The words that a turn which never ended showed as a draft."""
        commit, _, words = text(self._fields.get(StateField.drafted, b"")).partition("\n")
        return words if commit == self.last_commit else ""

    @property
    def told_in(self) -> int | None:
        """The bot's message that told that this turn is stopped, whose draft is kept."""
        commit, _, message = text(self._fields.get(StateField.told_in, b"")).partition("\n")
        return int(message) if is_digits(message) and commit == self.last_commit else None

    @property
    def _after(self) -> str | None:
        """The id of the last commit. A damaged one never matches, and every write would be refused; so it is None."""
        return self.last_commit if self.last_commit.isascii() else None

    def _put(self, field: StateField, value: str) -> None:
        """What was written; an empty value removes the field."""
        self._fields.pop(field, None)
        if value:
            self._fields[field] = value.encode()

    def _further(self) -> tuple[str, ...]:
        """The fields for the second and later messages and for a draft, where they are there: a commit removes them."""
        further = StateField.live_more, StateField.drafted, StateField.told_in
        return tuple(field for field in further if field in self._fields)

    @property
    def used(self) -> tuple[Usage, int]:
        """What the session had used, in how many turns, when it was claimed."""
        tokens = (self._number(StateField.input_tokens), self._number(StateField.output_tokens))
        return Usage(*tokens), self._number(StateField.turns)

    def _number(self, name: str) -> int:
        with suppress(ValueError):
            return int(self._fields.get(name, b"0"))
        return 0


def _read(entries: Sequence[str]) -> tuple[Inbound, ...]:
    kept: list[Inbound] = []
    for entry in entries:
        with suppress(EnvelopeInvalid):
            kept.append(Inbound.from_json(entry))
    return tuple(kept)
