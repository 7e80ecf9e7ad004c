"""The worker's asyncio loop in a thread of its own, and the doors into it from Celery's threads."""

import asyncio
import logging
import os
import signal
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from typing import Any

from tasks.ports import TurnReport
from tasks.session import SessionKey
from workers.mailbox import Mailbox

log = logging.getLogger("cohort.host")

_RELOAD_S = 60.0
"""Seconds that checking and making agents may take; an MCP server that hangs must not hang remote control."""


_LOOK_S = 5.0
"""Seconds between two looks whether the loop that a thread waits for still runs."""


def end_process() -> None:
    """As an operator's SIGTERM would."""
    os.kill(os.getpid(), signal.SIGTERM)


class LoopThread:
    """Runs one coroutine, the worker's whole asyncio side, from entering fast-agent to leaving it."""

    def __init__(
        self, main: Callable[["LoopThread"], Coroutine[Any, Any, None]], *, died: Callable[[], None] = end_process
    ) -> None:
        """``died``: called in the thread when it ends by a defect, after it was ready: the process is of no use."""
        self._main = main
        self._died = died
        self._thread = threading.Thread(target=self._run, name="cohort-loop")
        self.ready: Future[CeleryHost] = Future()
        self.ended: Future[None] = Future()

    def start(self) -> "CeleryHost":
        """Start it and wait until it can take doorbells.

        Raises:
            Exception: whatever kept it from starting.
        """
        self._thread.start()
        return self.ready.result()

    def join(self) -> None:
        """Wait for its end.

        Raises:
            Exception: whatever ended it.
        """
        self._thread.join()
        self.ended.result()

    def _run(self) -> None:
        try:
            asyncio.run(self._main(self))
        except BaseException as problem:
            self.ended.set_exception(problem)
            if not self.ready.done():
                self.ready.set_exception(problem)
            else:
                # Without it Celery would go on, taking doorbells that nobody answers.
                log.critical("worker.loop_died", exc_info=problem)
                self._died()
        else:
            self.ended.set_result(None)


class CeleryHost:
    """What Celery's threads may ask of the loop thread (``tasks.ports.Host`` and the remote-control commands)."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        mailbox: Mailbox,
        *,
        reload: Callable[[], Coroutine[Any, Any, tuple[str, ...]]],
        started: asyncio.Event,
        stop: asyncio.Event,
        look_s: float = _LOOK_S,
    ) -> None:
        self._loop = loop
        self._reload = reload
        self._mailbox = mailbox
        self._started = started
        self._stop = stop
        self._look_s = look_s

    def start(self) -> None:
        """Celery consumes now: slots may be taken."""
        with suppress(RuntimeError):  # it has ended already
            self._loop.call_soon_threadsafe(self._started.set)

    def ring(self, session: SessionKey) -> TurnReport:
        """Wake the session and wait until its loop ends (``tasks.ports.Host``)."""
        visit = self._mailbox.visit(session)
        try:
            future = asyncio.run_coroutine_threadsafe(visit, self._loop)
            while True:
                try:
                    return future.result(self._look_s)
                except TimeoutError:
                    # What a loop was told in its last moment it never does.
                    if future.done() or self._loop.is_closed():
                        raise
        except (CancelledError, asyncio.CancelledError, RuntimeError, TimeoutError):
            # The worker is ending; the message stays where it is and its next owner finds it.
            visit.close()
            return {"outcome": "elsewhere", "turns": 0, "messages": 0}

    def cancel(self, session: SessionKey) -> None:
        """End the session's running turn, if it runs here."""
        with suppress(RuntimeError):  # the loop has ended, and the turn with it
            self._loop.call_soon_threadsafe(self._mailbox.arrived, session)

    def reload(self) -> tuple[str, ...]:
        """Check the agent cards and let them in; the agents there are then.

        Raises:
            Misconfigured: one line for each problem; nothing has changed.
        """
        return asyncio.run_coroutine_threadsafe(self._reload(), self._loop).result(_RELOAD_S)

    def drain(self) -> None:
        """Begin to leave: no new turns, then the end of the loop thread."""
        with suppress(RuntimeError):  # it has ended already
            self._loop.call_soon_threadsafe(self._stop.set)
