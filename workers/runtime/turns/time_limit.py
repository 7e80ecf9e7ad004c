"""The time that one turn may take."""

import asyncio

from tasks import tracing
from workers.interfaces import TurnFailed
from workers.runtime import faults


class TurnLimit:
    """The time of one turn. Waiting for a lane is not the turn's fault, and is tried again."""

    def __init__(self, seconds: float) -> None:
        self.timeout = asyncio.timeout(seconds)
        self._seconds = seconds
        self._begun = False

    def begin(self) -> None:
        """The turn has a lane."""
        self._begun = True
        tracing.current().event("lane taken")
        self.timeout.reschedule(asyncio.get_running_loop().time() + self._seconds)

    def failure(self, model: str) -> TurnFailed:
        return faults.too_slow(model, self._seconds) if self._begun else faults.no_room(self._seconds)
