"""What a worker's heartbeat says of it: one shape, for the worker that writes it and for all that read it."""

from collections.abc import Iterable, Mapping
from typing import Any, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    field_validator,
)

_GREATEST = 2**53
"""Counts and times are below it, and JavaScript keeps each such number exactly."""


class ModelTrouble(BaseModel):
    """A model that fails."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)

    since: float
    """When the first of these faults came, seconds since the epoch."""
    open: bool = False
    """The breaker is open: turns wait for the model or use another one."""
    reason: str = ""
    """Why the provider refuses all requests (a key, a quota), in the operator's words; empty for passing faults."""


class Sends(BaseModel):
    """Calls to Telegram within the last minute."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    sent: int = 0
    """Those that Telegram counts as messages: sends and edits."""
    refused: int = 0
    """Those that it refused with 429."""


class ProcessStatus(BaseModel):
    """What a process says of itself. Each field has a default: it may be of another release, or damaged."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    @classmethod
    def from_json(cls, said: bytes) -> Self:
        """Read it; what cannot be read says nothing, and its process lives all the same."""
        try:
            return cls.model_validate_json(said)
        except ValidationError:
            return cls()

    @field_validator("*", mode="wrap")
    @classmethod
    def _or_default(cls, value: Any, read: ValidatorFunctionWrapHandler, info: ValidationInfo) -> Any:
        """A field that cannot be read does not hide the others."""
        default = cls.model_fields[info.field_name or ""].default
        try:
            found = read(value)
        except ValidationError:
            return default
        # Not a number, too: it is not below anything.
        return default if isinstance(found, int | float) and not abs(found) < _GREATEST else found


class WorkerStatus(ProcessStatus):
    """The facts of one worker."""

    host: str = "?"
    node: str = ""
    """Its name for Celery and Flower: ``cohort-1@host``, the same over restarts."""
    pid: int = 0
    lanes: int = 0
    """How many turns it can run at a time."""
    awake: int = 0
    """Sessions with a turn loop."""
    at_work: int = 0
    """Sessions with a running turn."""
    queued: int = 0
    """Those of them that wait for a lane."""
    queued_s: float = 0.0
    """Seconds that the first of those has waited."""
    turns: int | None = None
    """Turns answered since it started; None when it does not tell."""
    agents: tuple[str, ...] = ()
    """The agents that it can run, the default first."""
    agents_of: Mapping[str, tuple[str, ...]] = {}
    """The same of each bot that has cards of its own, by its number."""
    descriptions: Mapping[str, str] = {}
    """What the cards of ``agents`` say of them, a line each."""
    descriptions_of: Mapping[str, Mapping[str, str]] = {}
    """The same of each bot that has cards of its own, by its number."""
    translated: Mapping[str, Mapping[str, str]] = {}
    """What they say in one language or another: its code -> agent -> a line."""
    translated_of: Mapping[str, Mapping[str, Mapping[str, str]]] = {}
    """The same of each bot that has cards of its own, by its number."""
    commands: Mapping[str, Mapping[str, str]] = {}
    """The commands that the cards of ``agents`` take: agent -> command -> what the menu says of it, or nothing."""
    commands_of: Mapping[str, Mapping[str, Mapping[str, str]]] = {}
    """The same of each bot that has cards of its own, by its number."""
    model_facts: Mapping[str, tuple[str, ...]] = {}
    """Of each model that chats may choose: its provider, and what it reads (``tasks.chats.model_lines``)."""
    servers_down: tuple[str, ...] = ()
    """Shared MCP servers that it cannot reach."""
    agents_away: tuple[str, ...] = ()
    """Remote agents (``type: a2a``) that do not answer here."""
    cards_kept: str = ""
    """Why it uses agent cards that were kept, and not those of its files; empty: it uses these."""
    keeps_no_files: str = ""
    """Why its state directory keeps no files of chats; empty: it keeps them."""
    models: dict[str, ModelTrouble] = {}
    """The models that fail here."""
    sends: Sends = Sends()
    idle_since: float | None = None
    """Of a session's own process: since when it rests (seconds since the epoch); None while it works."""

    def node_of(self, incarnation: str) -> str:
        """The name under which remote control reaches it. A worker of an older release is named by its incarnation."""
        return self.node or f"{incarnation}@{self.host}"


def older_cards(reasons: Iterable[str]) -> tuple[str, ...]:
    """What operators are told of workers that use kept cards; ``reasons``: each worker's ``cards_kept``."""
    return tuple(f"the agents of before answer: {why}" for why in sorted({*reasons} - {""}))


class OwnHostStatus(ProcessStatus):
    """The facts of one host of sessions' own processes (``isolation: process``)."""

    host: str = "?"
    pid: int = 0
    most: int = 0
    """How many it runs at most (``COHORT_OWN_MAX``)."""
    alive: int = 0
    """How many it runs now, those included that start."""
    busy: int = 0
    """Those of them that work or start."""
    starts: int = 0
    """How many it has started."""
    evictions: int = 0
    """How many ended before their time, to make room."""
    failures: int = 0
    """How many failed, at their start or later."""
    processes: dict[str, str] = {}
    """Those that it runs: the incarnation, and the name of its place (``own-3``)."""
    at: float = 0.0
    """When it said so."""
