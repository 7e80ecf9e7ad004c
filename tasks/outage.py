"""An outage as a loop that tries again sees it: it begins once and ends once, however often it was tried."""

from collections.abc import Callable

from tasks.clock import SystemClock

STEADY_S = 60.0
"""What failed again so soon after it was told to be back counts as back when it has worked for so long."""


class Outage:
    """Tells a loop when to say something, so that a log has two lines of an outage and not one for each try.

    Where each second try fails (connections of before work, new ones are refused), the log has two such pairs, and then
    nothing until it works for a minute.
    """

    def __init__(self, monotonic: Callable[[], float] | None = None) -> None:
        self._monotonic = monotonic or SystemClock().monotonic
        self._since: float | None = None
        self._works_since: float | None = None
        self._ended_at: float | None = None
        self._unsteady = False

    def began(self) -> bool:
        """It failed. Returns whether this is to be told."""
        self._works_since = None
        if self._since is not None:
            return False
        self._since = self._monotonic()
        self._unsteady = self._ended_at is not None and self._since - self._ended_at < STEADY_S
        return True

    def ended(self) -> float | None:
        """It worked. Returns for how many seconds it had failed, where that is to be told; else None."""
        if self._since is None:
            return None
        now = self._monotonic()
        if self._works_since is None:
            self._works_since = now
        if self._unsteady and now - self._works_since < STEADY_S:
            return None
        lasted, self._since, self._ended_at = self._works_since - self._since, None, now
        return round(lasted, 1)


class OnceAMinute:
    """Tells when a line that may come often is to be told again, with how many were left out."""

    def __init__(self, monotonic: Callable[[], float] | None = None) -> None:
        self._monotonic = monotonic or SystemClock().monotonic
        self._told_at: float | None = None
        self._more = 0

    def told(self) -> dict[str, int] | None:
        """What the line says of those before it (``more``, where there were any); None: it is left out."""
        now = self._monotonic()
        if self._told_at is not None and now - self._told_at < STEADY_S:
            self._more += 1
            return None
        more, self._told_at, self._more = self._more, now, 0
        return {"more": more} if more else {}
