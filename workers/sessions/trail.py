"""Turns that ended and are not written yet, for `cohort find`."""

from collections import deque
from collections.abc import Sequence

from tasks.turn_record import TurnRecord

_MOST = 5_000
"""Turns that wait to be written while Redis is away; of more the oldest are forgotten."""


class Trail:
    """Turns that ended and are not written yet: the heartbeat takes them along, so that no message pays for it."""

    def __init__(self) -> None:
        self._records: deque[TurnRecord] = deque(maxlen=_MOST)

    def add(self, records: Sequence[TurnRecord]) -> None:
        """Have them written."""
        self._records.extend(records)

    def take(self) -> list[TurnRecord]:
        """Those to write now."""
        taken = list(self._records)
        self._records.clear()
        return taken
