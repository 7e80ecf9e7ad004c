"""Whether this process can be sure of its claims without asking: its heartbeat as it knows it itself."""

from datetime import timedelta

from tasks.clock import Clock


class Heartbeat:
    """Nobody takes a session from a worker whose heartbeat never missed its time.

    A process that was paused (SIGSTOP, a machine that swaps) finds here, before it says anything, that it may have been
    taken for dead, and that what it knew before the pause proves nothing.
    """

    def __init__(self, clock: Clock, ttl: timedelta) -> None:
        """``ttl``: how long a heartbeat holds."""
        self._clock = clock
        self._ttl_s = ttl.total_seconds()
        self._renewed_at: float | None = None
        self._unbroken_from = 0.0

    def now(self) -> float:
        """Monotonic seconds, for the other two methods."""
        return self._clock.monotonic()

    def renewed(self, since: float, *, was_there: bool = True) -> float | None:
        """The heartbeat was renewed.

        Args:
            since: ``now()`` before it was.
            was_there: Whether the last one was still there.

        Returns:
            Seconds since the last one, if it may have been missing meanwhile; None when it surely never was.
        """
        now, last = self.now(), self._renewed_at
        self._renewed_at = since
        if last is not None and was_there and now - last <= self._ttl_s:
            return None
        self._unbroken_from = now
        return None if last is None else now - last

    def unbroken_since(self, proved: float) -> bool:
        """Whether what was ours when Redis was asked at ``proved`` (``now()`` before the question) is ours still."""
        last = self._renewed_at
        return last is not None and proved >= self._unbroken_from and self.now() - last < self._ttl_s
