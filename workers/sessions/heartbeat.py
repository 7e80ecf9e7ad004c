"""The heartbeat as its own process knows it: whether claims are certain without asking Redis."""

from datetime import timedelta

from tasks.clock import Clock

_CERTAIN = 0.4
"""The part of the time to live for which a renewal makes claims certain. Renewals come after each fifth of it."""


class Heartbeat:
    """Knows how long the heartbeat has been unbroken. While it is, no other worker can take a session from this one.

    A process may be paused (SIGSTOP, a machine that swaps). Before it sends anything, it finds out here that the other
    workers may have taken it for dead. Then it has to verify its claims in Redis.
    """

    def __init__(self, clock: Clock, ttl: timedelta) -> None:
        """``ttl``: how long the key in Redis lives after each renewal."""
        # At the second renewal that does not come, a control word may have found this worker silent (``takeover``).
        self._certain_s = ttl.total_seconds() * _CERTAIN
        self._clock = clock
        self._ttl_s = ttl.total_seconds()
        self._renewed_at: float | None = None
        self._unbroken_from = 0.0

    def now(self) -> float:
        """Monotonic seconds, for the arguments of the other two methods."""
        return self._clock.monotonic()

    def renewed(self, since: float, *, was_there: bool = True) -> float | None:
        """Record that the heartbeat was renewed in Redis.

        Args:
            since: ``now()`` before the renewal was sent.
            was_there: Whether the key of the last renewal still existed.

        Returns:
            Seconds since the last renewal, if the key may have expired in between; None when it certainly did not.
        """
        now, last = self.now(), self._renewed_at
        self._renewed_at = since
        if last is not None and was_there and now - last <= self._ttl_s:
            return None
        self._unbroken_from = now
        return None if last is None else now - last

    @property
    def late_s(self) -> float:
        """Seconds since the last renewal, once two have not come behind it; 0 while they come."""
        silent = 0.0 if self._renewed_at is None else self.now() - self._renewed_at
        return silent if silent >= self._certain_s else 0.0

    def unbroken_since(self, verified: float) -> bool:
        """Whether a claim that Redis verified at ``verified`` (``now()`` before the call) still stands for certain."""
        last = self._renewed_at
        return last is not None and verified >= self._unbroken_from and self.now() - last < self._certain_s
