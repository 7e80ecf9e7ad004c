"""What a turn is asked, and what it gives to commit (values only)."""

from collections.abc import Callable
from dataclasses import dataclass, field

from tasks.envelope import DeadLetter, Inbound, Reply
from tasks.store.sessions import Commit
from tasks.store.state import StateField
from workers.sessions.planning.parked import Resumed
from workers.sessions.turns.steering import InboxSteering
from workers.showing import Unheard, goes_on


@dataclass(frozen=True, slots=True)
class Asked:
    """What a turn answers."""

    messages: tuple[Inbound, ...]
    """Answered together; a single ``compact`` asks for a summary instead."""
    answers: tuple[int, ...]
    """The update ids that the answer is for."""
    retry: bool = False
    """All of ``messages`` failed before, in an outage."""
    among: Callable[[], bool] = lambda: False
    """Whether other messages of the chat stand between these and the answer, by now."""
    resumed: Resumed | None = None
    """The turn was parked, and goes on with its answers."""
    by: Inbound | None = None
    """The command to run them again."""
    steering: InboxSteering | None = None
    """Lets messages join the turn."""
    unheard: Unheard = goes_on
    """Told why its chat takes nothing of it."""

    @property
    def led_by(self) -> tuple[Inbound, ...]:
        """What led to this run of it: its messages, or what came later and has it run again."""
        if self.by is not None:
            return (self.by,)
        return (self.resumed.consumed if self.resumed else ()) or self.messages

    @property
    def start(self) -> dict[str, str]:
        """The payload of the link by which a person came with these messages, as a field of the state."""
        found = next((message.start for message in reversed(self.messages) if message.start), None)
        return {StateField.start: found} if found else {}

    @property
    def joined(self) -> tuple[Inbound, ...]:
        """The messages that joined it."""
        return tuple(self.steering.messages) if self.steering is not None else ()

    @property
    def left(self) -> tuple[Inbound, ...]:
        """Of ``keeps`` what has not joined the turn."""
        joined = {message.update_id for message in self.joined}
        return tuple(entry for entry in self.keeps if entry.update_id not in joined)

    @property
    def keeps(self) -> tuple[Inbound, ...]:
        """Entries that stand among the answers, and are answered by the next turn."""
        return self.resumed.keeps if self.resumed else ()

    @property
    def names(self) -> tuple[int, ...]:
        """The update ids that name the turn: those of its messages, without the answers to its questions."""
        return self.answers[: self.resumed.taken] if self.resumed else self.answers


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of a turn, ready to be committed."""

    replies: tuple[Reply, ...]
    history: bytes | None = None
    set: dict[str, str] = field(default_factory=dict[str, str])
    unset: tuple[str, ...] = ()
    add: dict[str, int] = field(default_factory=dict[str, int])
    dead: tuple[DeadLetter, ...] = ()
    parks: Commit | None = None
    """The turn waits for people: the commit that asks them."""
    how: str = "refused"
    """How it ended without an answer: ``failed``, ``buried``, or ``refused`` (no model was asked)."""

    @property
    def kind(self) -> str:
        """For the metric of turns."""
        return "parked" if self.parks is not None else "answered" if self.add else self.how

    def commit(self, drop: int, keeps: tuple[Inbound, ...] = ()) -> Commit:
        """Make the commit.

        Args:
            drop: How many inbox entries it handles.
            keeps: Those among them that are answered by the next turn.
        """
        if self.parks is not None:
            return self.parks
        return Commit(drop, self.replies, self.history, self.set, self.unset, self.add, dead=self.dead, then=keeps)
