"""A dict model of the store, for the Hypothesis state machine that compares Redis with it."""

from dataclasses import dataclass, field


@dataclass
class ModelSession:
    """One session as the contract has it."""

    inbox: list[int] = field(default_factory=list)
    outbox: list[str] = field(default_factory=list)
    owner: str | None = None
    epoch: int = 0
    tries: int = 0
    history: bytes = b""
    tokens: int = 0
    pending: bool = False
    migrated_to: str | None = None
    migrating_from: str | None = None
    migration_done: bool = False

    def read(self, *, begun: bool = True) -> None:
        """The owner reads: with no reply in the way, the head of the inbox is begun."""
        if self.inbox and not self.outbox and begun:
            self.tries += 1

    @property
    def shown_tries(self) -> int:
        return self.tries if self.inbox and not self.outbox else 0


@dataclass
class Model:
    """The whole store."""

    sessions: dict[str, ModelSession]
    seen: set[int] = field(default_factory=set)
    alive: set[str] = field(default_factory=set)
    dead: int = 0
    replies: int = 0
    accepted: set[int] = field(default_factory=set)
