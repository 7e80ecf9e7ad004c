"""What to do next in a session, decided from what is waiting (pure: no I/O, no clock)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from tasks.envelope import DeadLetter, Inbound
from tasks.errors import EnvelopeInvalid, EnvelopeTooNew
from workers import words

type QueueMode = Literal["collect", "followup", "interrupt"]

MAX_TRIES = 3
"""A message begun this often without an end kills its worker; it goes to the dead letters."""

ALBUM_PAUSE_S = 0.7
"""Telegram sends an album's parts as updates of their own; it is complete when none came for this long."""

COLLECT_CHARACTERS = 24_000
"""Waiting messages are answered together up to this much text; more would crowd out the history."""


@dataclass(frozen=True, slots=True)
class Run:
    """Run the agent on ``messages``; its commit drops ``drop`` entries."""

    messages: tuple[Inbound, ...]
    drop: int


@dataclass(frozen=True, slots=True)
class Answer:
    """No agent: drop ``drop`` entries, say ``words``, and change what the control word changes."""

    drop: int
    words: str
    to: Inbound
    set: dict[str, str]
    forget: bool = False


@dataclass(frozen=True, slots=True)
class Compact:
    """Summarise the history; drops ``drop`` entries."""

    drop: int
    to: Inbound


@dataclass(frozen=True, slots=True)
class Retry:
    """Run the messages of the last failed turn again; drops ``drop`` entries."""

    drop: int
    to: Inbound


@dataclass(frozen=True, slots=True)
class Bury:
    """Give up on the first ``drop`` entries."""

    drop: int
    letter: DeadLetter
    to: Inbound | None


@dataclass(frozen=True, slots=True)
class Wait:
    """An album may still grow: look again in ``seconds``."""

    seconds: float


@dataclass(frozen=True, slots=True)
class LeaveIt:
    """The head was written by a newer release: leave the session to a worker that can read it."""

    reason: str


type Plan = Run | Answer | Compact | Retry | Bury | Wait | LeaveIt


def decide(inbox: Sequence[bytes], *, tries: int, mode: QueueMode, now: float) -> Plan:
    """The next step.

    Args:
        inbox: Raw entries, oldest first; at least one. For a ``stop`` or ``new`` behind more messages than were read,
            the whole inbox.
        tries: How often the head was begun, this time included.
        mode: What happens to messages that came while a turn ran.
        now: Seconds since the epoch.
    """
    entries = _read(inbox, now)
    if not isinstance(entries, list):
        return entries
    # The last of them wins: everything before it was meant to go away.
    for place in range(len(entries) - 1, -1, -1):
        if entries[place].kind in ("stop", "new"):
            return _cut(entries, place)

    head = entries[0]
    if tries > MAX_TRIES:
        return bury(head, f"begun {tries - 1} times without an end", now)
    match head.kind:
        case "choose":
            return Answer(1, words.chosen(head.choice), head, dict(head.choice))
        case "compact":
            return Compact(1, head)
        case "retry":
            return Retry(1, head)
        case _:
            return _gather(entries, tries=tries, mode=mode, now=now)


def bury(head: Inbound, reason: str, now: float) -> Bury:
    """Give up on the head of the inbox."""
    letter = DeadLetter(reason=reason, at=now, session=head.session, update_id=head.update_id, inbound=head)
    return Bury(1, letter, head)


def _read(inbox: Sequence[bytes], now: float) -> list[Inbound] | Plan:
    """The readable entries at the head; when the very first is not one, what to do about it."""
    entries: list[Inbound] = []
    for raw in inbox:
        try:
            entries.append(Inbound.from_json(raw))
        except EnvelopeTooNew as problem:
            return entries or LeaveIt(str(problem))
        except EnvelopeInvalid as problem:
            return entries or Bury(1, DeadLetter(reason=str(problem), at=now, raw=raw.decode(errors="replace")), None)
    return entries


def _cut(entries: Sequence[Inbound], place: int) -> Answer:
    """A ``stop`` or ``new``: what stands before it is dropped unanswered, as its user wants."""
    word = entries[place]
    set_aside = sum(1 for entry in entries[:place] if entry.kind in ("message", "reminder", "retry"))
    said = words.stopped(set_aside) if word.kind == "stop" else words.STARTED_ANEW
    return Answer(place + 1, said, word, {}, forget=word.kind == "new")


def _gather(entries: Sequence[Inbound], *, tries: int, mode: QueueMode, now: float) -> Plan:
    """Messages for one turn: all that wait (``followup``: one), albums put together, edits applied."""
    # After a turn that never ended, one at a time: the others must not share a poisonous message's end.
    alone = mode == "followup" or tries > 1
    messages: list[Inbound] = []
    size = 0
    taken = 0
    for entry in entries:
        if entry.kind not in ("message", "reminder"):
            break
        last = messages[-1] if messages else None
        if last is not None and entry.album is not None and entry.album == last.album:
            messages[-1] = _merge(last, entry)
        elif (place := _edited(messages, entry)) is not None:
            messages[place] = messages[place].model_copy(update={"text": entry.text})
        elif messages and (alone or size + len(entry.text) > COLLECT_CHARACTERS):
            break
        else:
            messages.append(entry)
            size += len(entry.text)
        taken += 1
    last_entry = entries[taken - 1]
    if last_entry.album is not None and taken == len(entries):
        left = last_entry.at + ALBUM_PAUSE_S - now
        # A clock that jumped must not hold an album for ever.
        if 0 < left <= ALBUM_PAUSE_S:
            return Wait(left)
    return Run(tuple(messages), taken)


def _merge(first: Inbound, part: Inbound) -> Inbound:
    """An album's parts are one message: all their files, and the caption, which stands on one of them."""
    text = first.text or part.text
    return first.model_copy(update={"media": (*first.media, *part.media), "text": text})


def _edited(messages: Sequence[Inbound], entry: Inbound) -> int | None:
    """Where the message stands that ``entry`` is a new version of, if it is still waiting."""
    if not entry.edited:
        return None
    for place, message in enumerate(messages):
        if message.message_id == entry.message_id:
            return place
    return None


@dataclass(frozen=True, slots=True)
class Failures:
    """How often the running turn failed in passing, and how long to wait before the next try."""

    count: int = 0

    LIMIT = 5
    """Tries of one turn while a provider has passing faults; about a minute and a half in all."""

    def next(self) -> "Failures":
        return replace(self, count=self.count + 1)

    @property
    def exhausted(self) -> bool:
        return self.count >= self.LIMIT

    def pause_s(self, at_least: float, jitter: float) -> float:
        """Seconds to wait: 1, 3, 9, 27, at least ``at_least``; ``jitter`` (0..1) keeps chats from marching in step."""
        return max(at_least, float(3 ** (self.count - 1))) * (0.75 + jitter / 2)
