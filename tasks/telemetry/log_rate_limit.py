"""Libraries' own log lines, each at most once a minute: while Redis is away some log a traceback with each try."""

import logging
import time
from collections.abc import Callable

_EVERY_S = 60.0
_MOST = 1_000
"""Different lines that are remembered; a library may put what changes into the text itself."""


class LogRateLimit(logging.Filter):
    """Lets our own events through, and of each line of others the first in a minute (``more``: how many were not)."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._monotonic = monotonic
        self._said: dict[tuple[str, int, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name.partition(".")[0] == "cohort" or record.levelno < logging.WARNING:
            return True
        line, now = (record.name, record.levelno, str(record.msg)), self._monotonic()
        at, more = self._said.get(line, (float("-inf"), 0))
        if now - at < _EVERY_S:
            self._said[line] = at, more + 1
            return False
        if len(self._said) >= _MOST:
            self._said.clear()
        self._said[line] = now, 0
        if more:
            record.more = more
        return True
