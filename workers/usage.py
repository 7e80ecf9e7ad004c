"""What model calls cost and how long they took (pure)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one turn, over all its model calls."""

    input_tokens: int = 0
    output_tokens: int = 0
    model: str = ""
    """The model that answered."""


MOST_TOKENS = 1_000_000_000
"""The largest count that is believed; no provider's window comes near it."""


def tokens(said: object) -> int:
    """Read a count of tokens as a provider gave it; 0 when it is not one (negative, not a number, another type)."""
    if isinstance(said, str) and said.isascii() and said.isdigit():
        return min(int(said[:20]), MOST_TOKENS)
    if isinstance(said, bool) or not isinstance(said, int | float) or not said > 0:
        return 0
    return int(min(said, MOST_TOKENS))


def not_counted(_usage: Usage) -> None:
    """Ignore the cost of a turn."""


@dataclass(frozen=True, slots=True)
class CallSeen:
    """One call of a model that has ended, for the timeline of its turn; no text stands in it."""

    agent: str
    model: str
    seconds: float
    input_tokens: int = 0
    output_tokens: int = 0
    failed: bool = False


def not_noted(_call: CallSeen) -> None:
    """Ignore the times of a call."""
