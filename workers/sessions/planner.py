"""What to do next in a session, decided from what is waiting (pure: no I/O, no clock)."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import takewhile
from typing import Literal

from tasks.envelope import DeadLetter, Inbound
from tasks.errors import EnvelopeInvalid, EnvelopeTooNew
from tasks.journal import Mark, turn_of
from workers.sessions import texts
from workers.sessions.batching import album_left, gather
from workers.sessions.edits import Said, changes_nothing, said_in

type QueueMode = Literal["collect", "followup", "interrupt"]

MAX_TRIES = 3
"""A message begun this often without an end kills its worker; it goes to the dead letters."""


_TRIES_TOGETHER = 2
"""A turn that kept steps goes on once with all of its messages; after that, one of them may be what ends the worker."""


@dataclass(frozen=True, slots=True)
class Handled:
    """The entries that a step handled, at the head of the inbox.

    ``drop``: how many. ``answers``: their update ids, of those that can be read. ``suspects``: so many of the entries
    behind them were begun together with one that ended its worker; they are run one at a time. ``said``: what the
    messages among them say (``workers.sessions.edits``).
    """

    drop: int
    answers: tuple[int, ...]
    suspects: int = 0
    said: Said = field(default_factory=dict[int, str], compare=False)


@dataclass(frozen=True, slots=True)
class Run:
    """Run the agent on ``messages``."""

    handled: Handled
    messages: tuple[Inbound, ...]


@dataclass(frozen=True, slots=True)
class Skip:
    """Edits that change nothing: they are dropped without a word."""

    handled: Handled


@dataclass(frozen=True, slots=True)
class Control:
    """No agent: say ``words``, and change what the control words change.

    ``forget``: the history goes. ``then``: a message that is to be answered next. ``cuts``: reminders that reminders
    have set end, too.
    """

    handled: Handled
    words: str
    set: dict[str, str]
    forget: bool = False
    then: Inbound | None = None
    cuts: bool = False


@dataclass(frozen=True, slots=True)
class Compact:
    """Summarise the history."""

    handled: Handled
    to: Inbound


@dataclass(frozen=True, slots=True)
class Retry:
    """Run the messages of the turns that were given up again."""

    handled: Handled


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Give up on the head; ``to`` is None when it cannot even be read."""

    handled: Handled
    letter: DeadLetter
    to: Inbound | None


@dataclass(frozen=True, slots=True)
class Wait:
    """An album may still grow: look again in ``seconds``."""

    seconds: float


@dataclass(frozen=True, slots=True)
class HandOff:
    """The head was written by a newer release: leave the session to a worker that can read it."""

    reason: str


@dataclass(frozen=True, slots=True)
class Move:
    """The group has become the supergroup ``chat``: what waits is answered there. ``entries``: those that say so."""

    chat: int
    entries: tuple[bytes, ...]


type Plan = Run | Skip | Control | Compact | Retry | GiveUp | Wait | HandOff | Move


@dataclass(frozen=True, slots=True)
class Earlier:
    """What earlier steps left: in the session's state, and at the head of its inbox."""

    tries: int = 1
    """How often the head was begun, this time included."""
    together: int = 0
    """How many entries the try before took; of use with more than one try."""
    suspects: int = 0
    """As the step before left them (``Handled.suspects``)."""
    said: Said = field(default_factory=dict[int, str])
    """What the last messages said that left the inbox."""
    mark: Mark | None = None
    """Whose steps are kept. That turn is run again with just its messages, whatever has come since."""


def decide(
    inbox: Sequence[bytes],
    earlier: Earlier,
    *,
    mode: QueueMode,
    now: float,
) -> Plan:
    """The next step.

    Args:
        inbox: Raw entries, oldest first; at least one. For a ``stop`` or ``new`` behind more messages than were read,
            the whole inbox.
        earlier: What earlier steps left.
        mode: What happens to messages that came while a turn ran.
        now: Seconds since the epoch.
    """
    tries, suspects, said = earlier.tries, earlier.suspects, earlier.said
    entries = _read(inbox, now, max(0, suspects - 1))
    if not isinstance(entries, list):
        return entries
    # Before everything else: in a group that is no more, nothing can be said.
    if (move := _move(entries, inbox)) is not None:
        return move
    # A suspect was begun once before it became the head.
    begun = tries + (1 if suspects else 0)
    if tries > 1 and not suspects:
        suspects = earlier.together

    def handled(drop: int) -> Handled:
        answers = tuple(entry.update_id for entry in entries[:drop])
        return Handled(drop, answers, max(0, suspects - drop), said_in(entries[:drop], said))

    # The last of them wins: everything before it was meant to go away.
    cuts = [place for place, entry in enumerate(entries, 1) if entry.kind in ("stop", "new")]
    if cuts:
        return _cut(handled(cuts[-1]), entries[: cuts[-1]])

    head = entries[0]
    # After a turn that never ended, one at a time: the others must not share a poisonous message's end.
    same = _resumed(earlier.mark, entries, tries)
    alone = not same and (mode == "followup" or tries > 1 or suspects > 0)
    messages, taken = gather(entries[: same or None], alone=alone, said=said)
    if begun > MAX_TRIES:
        reason = f"begun {begun - 1} times without an end"
        # An album's parts share its end as they share its message.
        whole = messages[0] if messages else head
        return GiveUp(handled(len(taken) or 1), letter(whole, reason, now), whole)
    match head.kind:
        case "choose":
            return Control(handled(1), texts.chosen(head.choice), dict(head.choice))
        case "compact":
            return Compact(handled(_alike(entries)), head)
        case "retry":
            return Retry(handled(_alike(entries)))
        case _:
            return _run(handled(len(taken)), messages, album_left(taken[-1], now) if len(taken) == len(entries) else 0)


def _resumed(mark: Mark | None, entries: Sequence[Inbound], tries: int) -> int:
    """How many entries at the head a turn took whose steps are kept; 0 for none."""
    if mark is None or tries > _TRIES_TOGETHER or len(entries) < mark.taken:
        return 0
    return mark.taken if turn_of([entry.update_id for entry in entries[: mark.taken]]) == mark.turn else 0


def _run(handled: Handled, messages: Sequence[Inbound], album_s: float) -> Run | Skip | Wait:
    """Answer ``messages``, once the album that they end with is complete."""
    if not messages:
        return Skip(handled)
    return Wait(album_s) if album_s else Run(handled, tuple(messages))


def is_news(entries: Sequence[bytes], said: Said) -> bool:
    """Whether entries behind a running turn are a reason to interrupt it; ``said``: what that turn answers, too."""
    found = _read(entries, 0, 0)
    return not isinstance(found, list) or any(not changes_nothing(entry, said) for entry in found)


def letter(message: Inbound, reason: str, now: float) -> DeadLetter:
    """What is kept of a message that is given up."""
    return DeadLetter(reason=reason, at=now, session=message.session, update_id=message.update_id, inbound=message)


def _read(inbox: Sequence[bytes], now: float, suspects: int) -> list[Inbound] | Plan:
    """The readable entries at the head; when the very first is not one, what to do about it."""
    entries: list[Inbound] = []
    for raw in inbox:
        try:
            entries.append(Inbound.from_json(raw))
        except EnvelopeTooNew as problem:
            return entries or HandOff(str(problem))
        except EnvelopeInvalid as problem:
            lost = DeadLetter(reason=str(problem), at=now, raw=raw.decode(errors="replace"))
            return entries or GiveUp(Handled(1, (), suspects), lost, None)
    return entries


def _move(entries: Sequence[Inbound], inbox: Sequence[bytes]) -> Move | None:
    """Both chats say so, and perhaps twice."""
    saying = [(entry.moved_to, raw) for entry, raw in zip(entries, inbox, strict=False) if entry.moved_to is not None]
    return Move(saying[0][0], tuple(raw for _, raw in saying)) if saying else None


def _alike(entries: Sequence[Inbound]) -> int:
    """How many at the head ask for the same as the first: a button pressed twice is pressed once."""
    return sum(1 for _ in takewhile(lambda entry: entry.kind == entries[0].kind, entries))


def _cut(handled: Handled, entries: Sequence[Inbound]) -> Control:
    """A ``stop`` or ``new``, the last of ``entries``.

    The messages before it are set aside unanswered, as their user wants; an earlier ``new`` and what was chosen hold.
    What stands behind the word ``new`` itself is the new conversation's first message.
    """
    last = entries[-1]
    messages = {
        entry.album or entry.message_id or f"update {entry.update_id}"
        for entry in entries[:-1]
        if entry.kind in ("message", "reminder", "retry", "compact") or (entry.kind == "new" and entry.text.strip())
    }
    choice = {name: value for entry in entries if entry.kind == "choose" for name, value in entry.choice.items()}
    anew = any(entry.kind == "new" for entry in entries)
    said = [texts.started_anew(len(messages))] if last.kind == "new" else [texts.stopped(len(messages))]
    if anew and last.kind == "stop":
        said.append(texts.STARTED_ANEW)
    if choice:
        said.append(texts.chosen(choice))
    then = None
    if last.kind == "new" and last.text.strip():
        then = last.model_copy(update={"kind": "message"})
        # It stands in front of what is left, and has its answer still to come.
        handled = Handled(handled.drop, handled.answers[:-1], handled.suspects and handled.suspects + 1, handled.said)
    return Control(handled, " ".join(said), choice, forget=anew, then=then, cuts=True)


@dataclass(frozen=True, slots=True)
class Failures:
    """How often the running turn failed in passing, and how long to wait before the next try."""

    count: int = 0

    LIMIT = 5
    """Tries of one turn while a provider has passing faults; about a minute in all."""

    def next(self) -> "Failures":
        return replace(self, count=self.count + 1)

    @property
    def exhausted(self) -> bool:
        return self.count >= self.LIMIT

    def pause_s(self, at_least: float, jitter: float) -> float:
        """Seconds to wait: about 1, 3, 9, 27, at least ``at_least``; ``jitter`` (0..1) keeps chats out of step."""
        return max(at_least * (1 + jitter / 2), 3 ** (self.count - 1) * (0.75 + jitter / 2))
