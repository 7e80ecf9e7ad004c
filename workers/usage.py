"""What model calls cost and how long they took (pure)."""

from dataclasses import dataclass

from tasks.text import is_digits

TOKENS_A_SECOND = 10
CHARACTERS_A_TOKEN = 4


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one turn, over all its model calls."""

    input_tokens: int = 0
    output_tokens: int = 0
    model: str = ""
    """The model that answered."""
    seconds: int = 0
    """Of recordings that it wrote down, where its server counts no tokens."""
    characters: int = 0
    """That it spoke."""
    apart: bool = False
    """No call of the turn's own models: a transcript, a voice."""

    @property
    def counted(self) -> dict[str, int]:
        """What is added up. A second and four characters weigh as OpenAI's models count them, so that budgets hold."""
        given = tokens(self.input_tokens) + tokens(self.seconds) * TOKENS_A_SECOND
        made = tokens(self.output_tokens) + -(-tokens(self.characters) // CHARACTERS_A_TOKEN)
        further = {"heard_seconds": tokens(self.seconds), "spoken_characters": tokens(self.characters)}
        return {
            "input_tokens": given,
            "output_tokens": made,
            **{name: count for name, count in further.items() if count},
        }


MOST_TOKENS = 1_000_000_000
"""The largest count that is believed; no provider's window comes near it."""


def tokens(said: object) -> int:
    """Read a count of tokens as a provider gave it; 0 when it is not one (negative, not a number, another type)."""
    if isinstance(said, str) and is_digits(said):
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
