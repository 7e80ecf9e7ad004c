"""What a run did, as seen from outside: people, the model, the store's log and Telegram (pure)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

WORD = re.compile(r"\bm\d{6}q\b")
"""Every message holds one of these, and no two messages the same."""


def words_in(text: str) -> tuple[str, ...]:
    """The marked words of a text, in order, each once."""
    return tuple(dict.fromkeys(WORD.findall(text)))


def norm(text: str) -> str:
    """A text without its line breaks and double blanks, which rendering may change."""
    return " ".join(text.split())


@dataclass(frozen=True, slots=True)
class Said:
    """A person's message. ``at``: seconds since the epoch.

    ``answers``: the name of the call whose question its author answers with it. ``edits``: the word of the message that
    is edited; its new text is told here. ``files``: the marks of what it holds besides.
    ``album``: of which it is a part. ``voice``: the mark of a recording, one of ``files`` that may not be heard.
    """

    session: str
    update_id: int
    word: str
    at: float
    answers: str = ""
    edits: str = ""
    files: tuple[str, ...] = ()
    album: str = ""
    voice: str = ""


@dataclass(frozen=True, slots=True)
class Spoken:
    """One message that the model saw."""

    role: str
    text: str


@dataclass(frozen=True, slots=True)
class Call:
    """One model call. ``spoken``: what it saw, without the system's words. ``whole``: the reply went out to its end.

    Tools and their results are apart: ``results`` of the turn that it goes on with, ``heard`` of all turns, and
    ``asks``, the tools that it asks for, with the names of the calls. ``fault``: what went wrong with it on purpose.
    """

    number: int
    at: float
    until: float
    whole: bool
    spoken: tuple[Spoken, ...]
    reply: str
    results: tuple[str, ...] = ()
    heard: tuple[str, ...] = ()
    asks: tuple[tuple[str, str], ...] = ()
    fault: str = ""

    @property
    def finished(self) -> bool:
        """The worker got all of it, and can go on with it."""
        return self.whole and not self.fault and bool(self.reply or self.asks)

    @property
    def asked(self) -> tuple[str, ...]:
        """The words of the last turn: what this call is to answer."""
        texts: list[str] = []
        for message in reversed(self.spoken):
            if message.role != "user":
                break
            texts.append(message.text)
        return words_in("\n".join(reversed(texts)))


@dataclass(frozen=True, slots=True)
class Execution:
    """A tool ran. ``name``: of the call, the same in each try. ``pid``: of the worker, 0 where that is not known.

    ``until``: infinite when it saw no end. ``sent``: the names of the files that it sends, and their marks.
    """

    tool: str
    name: str
    key: str
    pid: int
    at: float
    until: float
    sent: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Press:
    """A person pressed a button of a question. ``name``: of the call that it is about; ``question``: its id.

    ``rightful``: by the author of the turn's message. ``verdict``: once | always | no, or the choice that was pressed.
    """

    question: str
    name: str
    verdict: str
    rightful: bool
    at: float


@dataclass(frozen=True, slots=True)
class Stop:
    """A person said /stop, when the worker of their turn had died."""

    session: str
    update_id: int
    at: float


@dataclass(frozen=True, slots=True)
class Accepted:
    """The store took an update in. ``place``: its place in the store's log; ``at``: when the bot did."""

    place: int
    session: str
    update_id: int
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class Committed:
    """The store took a turn's replies: one commit, ``answers`` the update ids, ``texts`` its messages."""

    place: int
    session: str
    ident: str
    answers: tuple[int, ...]
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Delivery:
    """A sending or editing call that took effect at Telegram. ``heard``: the caller got its answer."""

    seq: int
    at: float
    chat: int
    message_id: int
    text: str
    edit: bool
    heard: bool


@dataclass(frozen=True, slots=True)
class Bubble:
    """A bot's message as it stands in the chat at the end.

    ``file``: the name of what it shows, the mark of a photo, which has none. ``mark``: what it holds (``bodies``).
    ``album``: of which it is a part.
    """

    session: str
    chat: int
    message_id: int
    text: str
    file: str = ""
    at: float = 0.0
    mark: str = ""
    album: str = ""


@dataclass(frozen=True, slots=True)
class Dead:
    """A dead letter. ``at``: when it was given up, seconds since the epoch."""

    session: str
    update_id: int
    reason: str
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class Fault:
    """What was broken, when, and until when. It touched only ``chat`` and the processes ``pids``, where it has them."""

    kind: str
    at: float
    until: float
    chat: int | None = None
    pids: tuple[int, ...] = ()


@dataclass(slots=True)
class History:
    """Everything of one run. ``left``: what the store still holds at the end and should not, one sentence each."""

    said: list[Said] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    executions: list[Execution] = field(default_factory=list)
    presses: list[Press] = field(default_factory=list)
    questions: set[tuple[int, int]] = field(default_factory=set)
    """Messages that ask: chat and id."""
    refused: set[int] = field(default_factory=set)
    """Chats in which Telegram refused a file for good."""
    unheard: set[tuple[int, int]] = field(default_factory=set)
    """Chat and message of files that came, though their worker did not have Telegram's answer."""
    stops: list[Stop] = field(default_factory=list)
    """One in a session at most."""
    unchanged: set[int] = field(default_factory=set)
    """Updates that tell of an edit with the same words: they are taken in, and begin no turn."""
    accepted: list[Accepted] = field(default_factory=list)
    committed: list[Committed] = field(default_factory=list)
    deliveries: list[Delivery] = field(default_factory=list)
    bubbles: list[Bubble] = field(default_factory=list)
    dead: list[Dead] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    left: list[str] = field(default_factory=list)


type Rule = Literal[
    "accepted", "answered", "doubled", "order", "one turn", "foreign", "memory", "alternation", "invented", "left",
    "executed", "key", "result", "model call", "approved", "asked", "file", "stopped", "given up",
    "heard",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Violation:
    """A broken guarantee, with the part of the history that shows it."""

    rule: Rule
    session: str
    what: str
    shown: tuple[str, ...] = ()

    def __str__(self) -> str:
        lines = [f"[{self.rule}] {self.session}: {self.what}", *(f"    {line}" for line in self.shown)]
        return "\n".join(lines)


def by_session[T: (Said, Accepted, Committed, Bubble, Dead)](events: Sequence[T]) -> dict[str, list[T]]:
    """Events in their order, session by session."""
    found: dict[str, list[T]] = {}
    for event in events:
        found.setdefault(event.session, []).append(event)
    return found
