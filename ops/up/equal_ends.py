"""What an operator has read already of a process that ends for one reason again and again (pure)."""

import re


class EqualEnds:
    """Counts how often a process has ended in the same way, so that it is not told for each try."""

    def __init__(self) -> None:
        self._last: tuple[int | str, tuple[str, ...]] | None = None
        self._times = 0

    def forget(self) -> None:
        """It has run well: its next end is told."""
        self._last = None

    def times(self, status: int | str, words: list[str]) -> int:
        """It ended: how often so by now, with this time. Numbers (a time, a pid) make no difference."""
        now = status, tuple(re.sub(r"\d+", "#", line) for line in words)
        self._times = self._times + 1 if now == self._last else 1
        self._last = now
        return self._times
