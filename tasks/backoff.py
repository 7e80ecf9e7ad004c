"""How long to wait before trying again."""

from collections.abc import Callable
from datetime import timedelta
from random import random


class Backoff:
    """1 s, 2 s, 4 s ... up to ``most``, each shortened by up to a quarter so that many do not march in step."""

    def __init__(
        self,
        first: timedelta = timedelta(seconds=1),
        most: timedelta = timedelta(seconds=10),
        *,
        jitter: Callable[[], float] = random,
    ) -> None:
        self._first = first.total_seconds()
        self._most = most.total_seconds()
        self._jitter = jitter
        self.failures = 0

    def next(self, at_least: float = 0.0) -> float:
        """Seconds to wait after one more failure; ``at_least`` is what the other side asked for."""
        # An exponent that could grow for ever would overflow.
        pause = min(self._first * 2 ** min(self.failures, 30), self._most)
        self.failures += 1
        return max(at_least, pause * (1 - self._jitter() / 4))

    def reset(self) -> None:
        """It worked."""
        self.failures = 0
