"""The time that one turn may take."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from tasks.config.settings import Settings
from tasks.session import SessionKey
from tasks.telemetry import tracing
from workers.interfaces import TurnFailed
from workers.runtime.faults import classify as faults


class TurnLimit:
    """The time of one turn. Waiting for a lane is not the turn's fault, and is tried again."""

    def __init__(self, settings: Settings, session: SessionKey | None) -> None:
        self._waits = settings.turn_timeout.total_seconds()
        self._inline = session is not None and session.inline is not None
        inline = settings.inline_timeout.total_seconds()
        self.seconds = min(self._waits, inline) if self._inline else self._waits
        """From the lane on."""
        self.timeout = asyncio.timeout(self._waits)
        self._begun = False

    def begin(self) -> None:
        """The turn has a lane."""
        self._begun = True
        tracing.current().event("lane taken")
        self.timeout.reschedule(asyncio.get_running_loop().time() + self.seconds)

    def failure(self, model: str) -> TurnFailed:
        """What it is that used up the time: the turn, or the wait for a lane."""
        if not self._begun:
            return faults.no_room(self._waits)
        return faults.too_slow(model, self.seconds, inline=self._inline)


@asynccontextmanager
async def limited(settings: Settings, model: str, session: SessionKey | None = None) -> AsyncGenerator[TurnLimit]:
    """A turn's time: as long until it has a lane, and as long from then on; where ``session`` is inline, less then.

    Raises:
        TurnFailed: it is used up.
    """
    limit = TurnLimit(settings, session)
    try:
        async with limit.timeout:
            yield limit
    except TimeoutError:
        if not limit.timeout.expired():
            raise
        raise limit.failure(model) from None
