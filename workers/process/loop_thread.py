"""The worker's asyncio loop in its own thread, and the port through which Celery's thread reaches it."""

import asyncio
import logging
import os
import signal
import threading
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import Future
from contextlib import suppress
from typing import Any

from tasks.ports import TurnReport
from tasks.process.stack_room import with_room
from tasks.session import SessionKey
from workers.sessions.scheduler import SessionScheduler

log = logging.getLogger("cohort.host")

_FORGET_S = 20.0
"""Seconds that the end of a session's turn and servers may take."""
_RELOAD_S = 60.0
"""Seconds that a reload may take. An MCP server that hangs must not hang Celery's remote control."""


def end_process() -> None:
    """Send this process SIGTERM: it hands its slots over, lets running turns end, and exits."""
    os.kill(os.getpid(), signal.SIGTERM)


class LoopThread:
    """Runs one coroutine in a thread: the worker's whole asyncio side, from entering fast-agent to leaving it."""

    def __init__(
        self, main: Callable[["LoopThread"], Coroutine[Any, Any, None]], *, died: Callable[[], None] = end_process
    ) -> None:
        """Prepare the thread.

        Args:
            main: The coroutine; it is given this thread and sets ``ready``.
            died: Called in the thread when a defect ends it after it was ready. The process is of no use then.
        """
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
            Exception: why it could not start.
        """
        self._thread.start()
        return self.ready.result()

    def join(self) -> None:
        """Wait for its end.

        Raises:
            Exception: the defect that ended it.
        """
        self._thread.join()
        self.ended.result()

    def _run(self) -> None:
        try:
            with_room(asyncio.run)(self._main(self))
        except BaseException as problem:
            self.ended.set_exception(problem)
            if not self.ready.done():
                self.ready.set_exception(problem)
            else:
                # Without the loop, Celery would go on taking doorbells that are never answered.
                with suppress(ValueError):  # a tool may have closed what logs are written to
                    log.critical("worker.loop_died", exc_info=problem)
                self._died()
        else:
            self.ended.set_result(None)


class LoopThreadPort:
    """What Celery's thread may ask of the loop thread, for its pool, its remote-control commands and its signals."""

    def __init__(
        self,
        thread: LoopThread,
        scheduler: SessionScheduler,
        group: asyncio.TaskGroup,
        *,
        reload: Callable[[], Coroutine[Any, Any, tuple[str, ...]]],
        forget: Callable[..., Coroutine[Any, Any, int]],
    ) -> None:
        """Called in the loop thread; ``group`` is the parent of the tasks that are begun through this port."""
        self._loop = asyncio.get_running_loop()
        self._thread = thread
        self._reload = reload
        self._forget = forget
        self._scheduler = scheduler
        self._group = group

    def start(self) -> None:
        """Celery consumes now, so slots may be taken."""
        with suppress(RuntimeError):  # it has ended already
            self._loop.call_soon_threadsafe(self._thread.consuming.set)

    async def visit(self, session: SessionKey) -> TurnReport:
        """Answer a doorbell (``tasks.ports.Host``). In the loop thread."""
        return await self._scheduler.visit(session)

    def begin[T](self, work: Callable[[], Coroutine[Any, Any, T]], done: Callable[[T | None], None]) -> None:
        """Run a coroutine in the loop thread.

        Callbacks scheduled while the loop closes are dropped; ``when_ended`` fires once that cannot happen any more.

        Args:
            work: Makes the coroutine, which must raise nothing.
            done: Called in the loop thread with what it returned, or None if it was cancelled.

        Raises:
            RuntimeError: the loop has ended already.
        """
        self._loop.call_soon_threadsafe(self._begin, work, done)

    def when_ended(self, call: Callable[[], None]) -> None:
        """Have ``call`` called, in any thread, when the loop thread has ended and runs nothing any more."""
        self._thread.ended.add_done_callback(lambda _: call())

    def cancel(self, session: SessionKey) -> None:
        """A control word is in the session's inbox: end its running turn, if it runs here."""
        with suppress(RuntimeError):  # the loop has ended, and the turn with it
            self._loop.call_soon_threadsafe(self._scheduler.interrupt, session)

    def reload(self) -> tuple[str, ...]:
        """Check the agent cards and load them; returns the agents that can be chosen then.

        Raises:
            Misconfigured: one line for each problem; nothing has changed.
        """
        return asyncio.run_coroutine_threadsafe(self._reload(), self._loop).result(_RELOAD_S)

    def forget(self, sessions: Sequence[SessionKey], struck: Sequence[SessionKey], media: Sequence[str]) -> int:
        """End what runs of erased sessions and remove their files; returns how many files there were.

        Raises:
            TimeoutError: a turn or a server does not end.
        """
        return asyncio.run_coroutine_threadsafe(self._forget(sessions, struck, media), self._loop).result(_FORGET_S)

    def drain(self) -> None:
        """Start draining: no new turns, then the loop thread ends."""
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
