"""Counts what happened within the last minute, at a cost that does not depend on how much that was (pure)."""

from collections.abc import Callable

SPAN_S = 60
"""Seconds that are counted."""
_PARTS = 12


class LastMinute:
    """The number of events within the last minute, to five seconds."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        """``monotonic``: the time, as ``tasks.clock.Clock.monotonic`` gives it."""
        self._monotonic = monotonic
        self._counts = [0] * _PARTS
        self._part = self._now()

    def note(self, events: int = 1) -> None:
        """Count events of this moment."""
        self._forget()
        self._counts[self._part % _PARTS] += events

    @property
    def count(self) -> int:
        """How many there were."""
        self._forget()
        return sum(self._counts)

    def _now(self) -> int:
        return int(self._monotonic() // (SPAN_S / _PARTS))

    def _forget(self) -> None:
        now = self._now()
        for part in range(self._part + 1, min(now, self._part + _PARTS) + 1):
            self._counts[part % _PARTS] = 0
        self._part = now
