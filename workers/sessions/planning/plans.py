"""What a turn loop can be told to do next (values only)."""

from dataclasses import dataclass, field

from tasks.envelope import DeadLetter, Inbound
from tasks.store.sessions import Rest
from workers.sessions.planning.edits import MessagePrints
from workers.sessions.planning.parked import Expired, Noted, Resumed, Withdrawn

TRIES_TOGETHER = 2
"""A turn that kept steps goes on once with all of its messages; after that, one of them may be what ends the worker."""


@dataclass(frozen=True, slots=True)
class Handled:
    """The entries at the head of the inbox that a step handles; its commit drops them."""

    drop: int
    """How many entries."""
    answers: tuple[int, ...]
    """The update ids of those that can be read."""
    isolate_next: int = 0
    """How many of the following entries were in a batch whose turn crashed a worker; they are retried one by one to
    isolate the poison message."""
    said: MessagePrints = field(default_factory=dict[int, str], compare=False)
    """Fingerprints of the messages among them (``workers.sessions.planning.edits``)."""
    trace: str | None = field(default=None, compare=False)
    """The span that accepted the last of them: what is told without a turn goes on with its trace."""
    tongue: str | None = field(default=None, compare=False)
    """The language of the person who is answered, as far as it is told."""


@dataclass(frozen=True, slots=True)
class Run:
    """Run the agent on ``messages``."""

    handled: Handled
    messages: tuple[Inbound, ...]
    resumed: Resumed | None = None
    """The turn was parked, and goes on with its answers."""


@dataclass(frozen=True, slots=True)
class BegunTurn:
    """A turn that was begun and has no answer."""

    messages: tuple[Inbound, ...]
    updates: tuple[int, ...]
    """The update ids that it answers; they name its journal."""


@dataclass(frozen=True, slots=True)
class Interrupted:
    """Commit what there is of a turn that a newer message interrupted."""

    handled: Handled


@dataclass(frozen=True, slots=True)
class Park:
    """A turn waits for people: what it does with what they said, or with the time."""

    handled: Handled
    """What the end of the turn drops."""
    step: Rest | Noted | Expired | Withdrawn
    begun: BegunTurn
    """That turn."""


@dataclass(frozen=True, slots=True)
class Skip:
    """Drop edits that change nothing, without an answer."""

    handled: Handled


@dataclass(frozen=True, slots=True)
class Control:
    """Carry out control words, without the agent."""

    handled: Handled
    words: str
    """What the user is told."""
    set: dict[str, str]
    """Fields of the session's state: its choice of agent and model."""
    forget: bool = False
    """Remove the history."""
    then: Inbound | None = None
    """A message that comes to the head of the inbox and is answered next."""
    pressed: int | None = None
    """The picker whose button chose; it is edited in place."""
    hides: tuple[str, ...] = ()
    """The names that the picker does not show."""
    cuts: bool = False
    """Cancel the reminders that turns of other reminders have set."""
    word: Inbound | None = None
    """It goes on with an earlier conversation, or names this one (``workers.sessions.commands.conversations``)."""
    begun: BegunTurn | None = None
    """The turn that is stopped: what is there of it stays in the history."""
    stood_in: str = ""
    """What the bot called that turn's exchange when it told in a worker's place that it is stopped."""
    told: str = ""
    """What it told."""


@dataclass(frozen=True, slots=True)
class Compact:
    """Summarise the history."""

    handled: Handled
    to: Inbound


@dataclass(frozen=True, slots=True)
class Retry:
    """Run messages again: those whose turns were given up in an outage, or the last one."""

    handled: Handled
    by: Inbound
    """The command, or the button under the words about the outage."""
    resumed: Resumed | None = None
    """The turn was parked, and goes on with its answers."""


@dataclass(frozen=True, slots=True)
class Undo:
    """Take the last exchange out of the history."""

    handled: Handled
    by: Inbound
    """The command, or the button under the exchange that it means."""


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Move the head of the inbox to the dead letters."""

    handled: Handled
    letter: DeadLetter
    to: Inbound | None
    """The message whose sender is told; None when it cannot be read."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Read the inbox again in ``seconds``, or when something comes: an album or a burst may still be incomplete."""

    seconds: float


@dataclass(frozen=True, slots=True)
class HandOff:
    """Hand the session off: a newer release wrote the head, and a worker of that release can read it."""

    reason: str


@dataclass(frozen=True, slots=True)
class Move:
    """Move the session: its group became a supergroup, and what waits is answered there."""

    chat: int
    """The supergroup."""
    entries: tuple[bytes, ...]
    """The entries that say so; they are dropped."""


type SessionPlan = Run | Park | Interrupted | Skip | Control | Compact | Retry | Undo | GiveUp | Wait | HandOff | Move
