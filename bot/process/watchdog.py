"""Ends the process when polling hangs: from outside, a bot that fetches no updates looks alive."""

import logging
import os
import threading
from collections.abc import Callable
from datetime import timedelta
from types import TracebackType
from typing import Self

from tasks.clock import Clock

log = logging.getLogger("cohort.bot")

LIMIT = timedelta(seconds=120)
"""Four long polls: no network fault lasts this long without an error."""

STOOD = timedelta(seconds=20)
"""A look that comes so late says that the process was stopped, or the machine slept: the poll had no time either."""

EXIT_STATUS = 70
"""EX_SOFTWARE: the supervisor starts the process again."""


def end_process() -> None:
    """End at once: what hangs would hang an orderly end, too. No update is lost, because none was confirmed."""
    logging.shutdown()
    os._exit(EXIT_STATUS)


class Watchdog:
    """Watches from its own thread, so that it notices a blocked event loop as well. Use it as a context manager."""

    def __init__(
        self,
        clock: Clock,
        *,
        limit: timedelta = LIMIT,
        every: timedelta = timedelta(seconds=5),
        stood: timedelta = STOOD,
        on_stall: Callable[[], None] = end_process,
    ) -> None:
        self._clock = clock
        self._limit = limit.total_seconds()
        self._every = every.total_seconds()
        self._stood = stood.total_seconds()
        self._on_stall = on_stall
        self._fed_until = 0.0
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def beat(self, patience: float = 0.0) -> None:
        """A poll has ended, with or without success; the next may begin ``patience`` seconds later than usual."""
        self._fed_until = self._clock.monotonic() + self._limit + patience

    def __enter__(self) -> Self:
        self.beat()
        self._ended.clear()
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        if self._thread is not None:
            self._thread.join()

    def _watch(self) -> None:
        looked = self._clock.monotonic()
        while not self._ended.wait(self._every):
            now = self._clock.monotonic()
            since, looked = now - looked, now
            if since > self._stood:
                self._fed_until += since
            if now > self._fed_until:
                log.critical("bot.stalled", extra={"seconds": self._limit, "what": "no poll of Telegram has finished"})
                self._on_stall()
                return
