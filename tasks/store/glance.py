"""How one session stands, as the bot reads it from outside (values only)."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace


@dataclass(frozen=True, slots=True)
class Glance:
    """A look from outside, for /status: nothing is claimed."""

    waiting: int
    """Entries of its inbox."""
    oldest: float | None
    """When the first of its messages was accepted, seconds since the epoch."""
    running_on: str | None
    """The incarnation that owns the session now."""
    agent: str | None
    model: str | None
    usage_in: int
    usage_out: int
    heard_s: int = 0
    """Seconds of recordings that were written down."""
    spoken: int = 0
    """Characters that were spoken."""
    choices: Mapping[str, str] = field(default_factory=dict[str, str])
    """What the session chose of ``tasks.chats.choices``."""
    question: str | None = None
    """What a parked turn asks: its first open question."""
    messages: int = 0
    """How many of those that wait are a person's messages."""
    coming: Mapping[str, str] = field(default_factory=dict[str, str])
    """Choices, and a title, that wait behind what is being worked on; an empty choice is the default's."""

    asking: int = 0
    """How many of ``messages`` the turn answers that asks the question."""

    def next(self, what: str) -> str | None:
        """What holds for the session's next message: its choice of an agent, a model, or a setting."""
        if what in self.coming:
            return self.coming[what]
        return {"agent": self.agent, "model": self.model}.get(what) or self.choices.get(what)

    def with_choice(self, what: str, value: str) -> "Glance":
        """The same, behind one more choice."""
        return replace(self, coming={**self.coming, what: value})
