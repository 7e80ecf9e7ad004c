"""An outage as a loop that tries again sees it: it begins once and ends once, however often it was tried."""

from collections.abc import Callable

from tasks.clock import SystemClock


class Outage:
    """Tells a loop when to say something, so that a log has two lines of an outage and not one for each try."""

    def __init__(self, monotonic: Callable[[], float] | None = None) -> None:
        self._monotonic = monotonic or SystemClock().monotonic
        self._since: float | None = None

    def began(self) -> bool:
        """It failed. Returns whether this is the first time."""
        first = self._since is None
        if self._since is None:
            self._since = self._monotonic()
        return first

    def ended(self) -> float | None:
        """It worked. Returns for how many seconds it had failed; None when it had not."""
        since, self._since = self._since, None
        return None if since is None else round(self._monotonic() - since, 1)
