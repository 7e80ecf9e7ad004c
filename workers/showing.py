"""What a running turn shows beside its text, and where (values only)."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Literal

type Unheard = Callable[[str], Awaitable[None]]
"""Told why Telegram shows no more of a turn."""


async def goes_on(_: str) -> None:
    """An ``Unheard`` of a turn that goes on whatever Telegram says."""


@dataclass(frozen=True, slots=True)
class Showing:
    """How a turn is shown while it runs."""

    reply_to: int | None = None
    """The message to answer, or None."""
    message_ids: Sequence[int] = ()
    """Messages that an earlier try of this turn already created, to be taken over."""
    thinking: str = "hide"
    """What is shown of the model's thoughts, above its text: ``hide``, ``fold`` or ``show``."""
    turn: str = ""
    """Names the turn, also where another worker goes on with it."""
    older: bool = False
    """The last message shows words of a try whose worker died: they stay until this one has said as much."""
    unheard: Unheard = goes_on
    """Told when Telegram shows no more of it."""


@dataclass(frozen=True, slots=True)
class Step:
    """A tool call as its user sees it. A later one of the same ``key`` takes its place."""

    key: str
    tool: str
    state: Literal["running", "done", "failed"] = "running"
    done: float = 0.0
    """How far it says that it is, of ``total``."""
    total: float | None = None


@dataclass(frozen=True, slots=True)
class Trace:
    """What is shown beside an answer of how it came about."""

    steps: tuple[str, ...] = ()
    """Lines below it."""
    thoughts: str = ""
    """What the model thought, as a quote above it."""
    folds: bool = True
    """That quote is folded until its reader opens it."""
    heard: str = ""
    """What the user's recordings say, as a folded quote above all."""


NO_TRACE = Trace()
