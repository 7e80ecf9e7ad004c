"""The only place that asks what time it is; everybody else is handed a Clock."""

import time
from typing import Protocol


class Clock(Protocol):
    """A source of time, so that tests decide what time it is."""

    def now(self) -> float:
        """Seconds since the epoch (UTC)."""
        ...

    def monotonic(self) -> float:
        """Seconds from an arbitrary start; never goes back."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> float:
        return time.time()  # noqa: TID251 - this is the place

    def monotonic(self) -> float:
        return time.monotonic()
