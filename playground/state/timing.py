"""The playground's source of time, so that tests decide what time it is."""

import time
from typing import Protocol


class Time(Protocol):
    """What ``State`` asks for the time."""

    def now(self) -> float:
        """Seconds since the epoch (UTC)."""
        ...

    def monotonic(self) -> float:
        """Seconds from an arbitrary start; never goes back."""
        ...


class SystemTime:
    """The machine's own time."""

    def now(self) -> float:
        return time.time()  # noqa: TID251 - the playground's one place

    def monotonic(self) -> float:
        return time.monotonic()
