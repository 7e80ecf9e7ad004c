"""The time that one turn may take."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from tasks.config.settings import Settings
from tasks.telemetry import tracing
from workers.interfaces import TurnFailed
from workers.runtime.faults import classify as faults


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


@asynccontextmanager
async def limited(settings: Settings, model: str) -> AsyncGenerator[TurnLimit]:
    """A turn's time: as long until it has a lane, and as long from then on.

    Raises:
        TurnFailed: it is used up.
    """
    limit = TurnLimit(settings.turn_timeout.total_seconds())
    try:
        async with limit.timeout:
            yield limit
    except TimeoutError:
        if not limit.timeout.expired():
            raise
        raise limit.failure(model) from None
