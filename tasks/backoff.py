"""How long to wait before trying again."""

from collections.abc import Callable
from random import random


class Backoff:
    """``first_s``, twice that, four times that ... up to ``most_s``.

    Each pause is shortened by up to a quarter, so that many that failed together do not try again together.
    """

    __slots__ = ("_first_s", "_jitter", "_most_s", "failures")

    def __init__(self, first_s: float = 1.0, most_s: float = 10.0, *, jitter: Callable[[], float] = random) -> None:
        """``jitter`` gives 0 (the whole pause) to 1 (three quarters of it)."""
        self._first_s = first_s
        self._most_s = most_s
        self._jitter = jitter
        self.failures = 0

    def next(self, at_least: float = 0.0) -> float:
        """Seconds to wait after one more failure; ``at_least`` is what the other side asked for."""
        # An exponent that grows without a bound overflows.
        pause = min(self._first_s * 2 ** min(self.failures, 30), self._most_s)
        self.failures += 1
        return max(at_least, pause * (1 - self._jitter() / 4))

    def reset(self) -> None:
        """It worked."""
        self.failures = 0
