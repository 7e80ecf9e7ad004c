"""Measures how late an event loop is: a loop that is blocked answers no chat."""

import asyncio
from collections.abc import Callable

from tasks.telemetry import metrics

_EVERY_S = 0.5


async def measure(monotonic: Callable[[], float]) -> None:
    """Measure until cancelled."""
    while True:
        due = monotonic() + _EVERY_S
        await asyncio.sleep(_EVERY_S)
        metrics.LOOP_LAG_SECONDS.observe(max(0.0, monotonic() - due))
