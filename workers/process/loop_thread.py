"""The worker's asyncio loop in a thread of its own, and the doors into it from Celery's thread."""

import asyncio
import logging
import os
import signal
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from contextlib import suppress
from typing import Any

from tasks.ports import TurnReport
from tasks.session import SessionKey
from workers.sessions.scheduler import SessionScheduler

log = logging.getLogger("cohort.host")

_RELOAD_S = 60.0
"""Seconds that checking and making agents may take; an MCP server that hangs must not hang remote control."""


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
        self.ready: Future[LoopThreadPort] = Future()
        """Done when the loop takes doorbells; an exception: it could not start."""
        self.ended: Future[None] = Future()
        self.consuming = asyncio.Event()
        """Set in the loop when Celery consumes: from then on slots may be taken."""
        self.stopping = asyncio.Event()
        """Set in the loop when the worker is to drain and end."""

    def start(self) -> "LoopThreadPort":
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


class LoopThreadPort:
    """What Celery's thread may ask of the loop thread: its pool, its remote-control commands, its signals."""

    def __init__(
        self,
        thread: LoopThread,
        scheduler: SessionScheduler,
        group: asyncio.TaskGroup,
        *,
        reload: Callable[[], Coroutine[Any, Any, tuple[str, ...]]],
    ) -> None:
        """Made in the loop thread. ``group``: what is begun here are its children."""
        self._loop = asyncio.get_running_loop()
        self._thread = thread
        self._reload = reload
        self._scheduler = scheduler
        self._group = group

    def start(self) -> None:
        """Celery consumes now: slots may be taken."""
        with suppress(RuntimeError):  # it has ended already
            self._loop.call_soon_threadsafe(self._thread.consuming.set)

    async def visit(self, session: SessionKey) -> TurnReport:
        """Answer a doorbell (``tasks.ports.Host``). In the loop thread."""
        return await self._scheduler.visit(session)

    def begin[T](self, work: Callable[[], Coroutine[Any, Any, T]], done: Callable[[T | None], None]) -> None:
        """Run it in the loop thread. It raises nothing; ``done`` is called there, with None if it was cancelled.

        What the loop is told in its last moment it never does; ``when_ended`` tells when that is certain.

        Raises:
            RuntimeError: it has ended already.
        """
        self._loop.call_soon_threadsafe(self._begin, work, done)

    def when_ended(self, call: Callable[[], None]) -> None:
        """Called, in any thread, when the loop thread does nothing any more."""
        self._thread.ended.add_done_callback(lambda _: call())

    def cancel(self, session: SessionKey) -> None:
        """End the session's running turn, if it runs here."""
        with suppress(RuntimeError):  # the loop has ended, and the turn with it
            self._loop.call_soon_threadsafe(self._scheduler.interrupt, session)

    def reload(self) -> tuple[str, ...]:
        """Check the agent cards and let them in; the agents there are then.

        Raises:
            Misconfigured: one line for each problem; nothing has changed.
        """
        return asyncio.run_coroutine_threadsafe(self._reload(), self._loop).result(_RELOAD_S)

    def drain(self) -> None:
        """Begin to leave: no new turns, then the end of the loop thread."""
        with suppress(RuntimeError):  # it has ended already
            self._loop.call_soon_threadsafe(self._thread.stopping.set)

    def _begin[T](self, work: Callable[[], Coroutine[Any, Any, T]], done: Callable[[T | None], None]) -> None:
        coroutine = work()
        try:
            task = self._group.create_task(coroutine, name="doorbell")
        except RuntimeError:  # the group ends with the worker
            coroutine.close()
            done(None)
        else:
            task.add_done_callback(lambda ended: done(None if ended.cancelled() else ended.result()))
