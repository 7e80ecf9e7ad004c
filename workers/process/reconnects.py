"""What Celery's consumer does between a lost connection and the next one: a line for each outage, and a pause.

By itself it connects again at once. A Redis that takes connections and refuses the first command (read-only, loading,
another password) is then asked a hundred times a second, and each try is eight lines of log.
"""

import logging
import time
from collections.abc import Callable

from tasks.backoff import Backoff

log = logging.getLogger("cohort.consumers")

_FIRST_S, _LONGEST_S = 0.2, 3.0
_HELD_S = 30.0
"""A connection that held for so long ends an outage."""


class Reconnects:
    """Of one consumer, in Celery's thread."""

    def __init__(
        self, *, monotonic: Callable[[], float] = time.monotonic, pause: Callable[[float], object] = time.sleep
    ) -> None:
        self._monotonic = monotonic
        self._pause = pause
        self._backoff = Backoff(_FIRST_S, _LONGEST_S)
        self._last = float("-inf")

    def lost(self, problem: BaseException) -> None:
        """The connection is lost; comes back when it is time for the next one. The first one is tried at once."""
        if self._monotonic() - self._last > _HELD_S:
            log.warning("consumer.lost", extra={"problem": type(problem).__name__})
            self._backoff.reset()
        else:
            self._pause(self._backoff.next())
        self._last = self._monotonic()
