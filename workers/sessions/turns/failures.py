"""How often a running turn failed in passing, and how long to wait before it is tried again (pure)."""

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Failures:
    """Counts the passing faults of the running turn, and says how long to wait before the next try."""

    count: int = 0

    LIMIT = 5
    """Tries of one turn while its provider has passing faults; together about a minute."""

    LONGEST_S = 90.0
    """A provider that asks for a longer pause is not tried again: people are told, and press Retry when they like."""

    def next(self) -> "Failures":
        return replace(self, count=self.count + 1)

    @property
    def exhausted(self) -> bool:
        return self.count >= self.LIMIT

    def gives_up(self, at_least: float) -> bool:
        """Whether it is told now: after the last try, and where the provider wants more patience than people have."""
        return self.exhausted or at_least > self.LONGEST_S

    def pause_s(self, at_least: float, jitter: float) -> float:
        """Seconds to wait before the next try: about 1, 3, 9, 27.

        Args:
            at_least: What the provider asked for.
            jitter: From 0 to 1, at random, so that chats do not retry at the same moment.
        """
        return max(at_least * (1 + jitter / 2), 3 ** (self.count - 1) * (0.75 + jitter / 2))
