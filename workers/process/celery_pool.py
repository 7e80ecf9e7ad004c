"""A task pool for Celery: coroutines, as doorbells are, run in the loop thread, and no thread waits for them.

Celery's bookkeeping (acknowledgements, events, counts) stays in Celery's thread, because it may write to Redis. The
loop thread only hands over the outcome. Celery's signals, links and time limits do not apply to doorbells: they are not
used here.
"""

import asyncio
import logging
import os
from collections import deque
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from inspect import iscoroutinefunction
from queue import Empty, SimpleQueue
from time import monotonic
from typing import Any, Protocol, cast

from celery.concurrency.base import BasePool, ExceptionInfo  # pyright: ignore[reportAttributeAccessIssue] - no stub
from celery.exceptions import WorkerLostError

from tasks.errors import EnvelopeInvalid
from tasks.ports import ELSEWHERE
from workers.process.broker import broken

log = logging.getLogger("cohort.pool")

type TaskOutcome = tuple[int, object, float]
"""An outcome as Celery's requests take it: failed (0 or 1), the result's text or the exception, seconds."""

_LEFT: TaskOutcome = (0, repr(ELSEWHERE), 0.0)
"""The outcome of a doorbell when the worker ends: the message stays in its inbox, where the next owner finds it."""

_WAKE_AFTER_S = 0.02
"""Seconds until Celery's thread is woken for outcomes. Waking it for each takes a twentieth of a busy worker's time."""


def _failed(problem: Exception) -> TaskOutcome:
    info = ExceptionInfo((type(problem), problem, problem.__traceback__))
    # Celery's own tracer does this, too. Otherwise Flower shows a wrapper that is made for other processes.
    info.exception = problem
    return 1, info, 0.0


def _called[T](run: Callable[..., T], args: object, kwargs: object) -> T:
    """The task's coroutine.

    Raises:
        EnvelopeInvalid: the task does not take such arguments.
    """
    try:
        return run(*cast("Any", args), **cast("Any", kwargs))
    except TypeError:
        raise EnvelopeInvalid("TypeError: arguments that the task does not take") from None


class Loop(Protocol):
    """The loop thread (``workers.process.loop_thread.LoopThreadPort``)."""

    def begin(
        self, work: Callable[[], Coroutine[Any, Any, TaskOutcome]], done: Callable[[TaskOutcome | None], None]
    ) -> None:
        """Run a coroutine in the loop thread; ``done`` is called there, with None if it was cancelled.

        Raises:
            RuntimeError: the loop has ended.
        """
        ...

    def when_ended(self, call: Callable[[], None]) -> None:
        """Have ``call`` called, in any thread, when the loop has ended and runs nothing any more."""
        ...


class _Job:
    """A task that Celery handed to the pool."""

    def __init__(
        self,
        target: Callable[..., TaskOutcome],
        args: tuple[Any, ...],
        *,
        accepted: Callable[[int, float], None],
        ended: Callable[[TaskOutcome], None],
    ) -> None:
        self.target = target
        """Celery's own way to run the task, with ``args``: name, id, headers (with the arguments), body."""
        self.args = args
        self.accepted = accepted
        self.ended = ended
        self.in_loop = False


class LoopPool(BasePool):
    """Runs at most ``limit`` tasks at a time. At most as many more, which Celery has taken, wait here unacknowledged.

    Methods are called in Celery's thread unless they say otherwise.
    """

    loop: Loop
    """Set by ``pool_on``, because Celery makes the pool itself."""

    body_can_be_buffer = True
    signal_safe = False

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._running: set[_Job] = set()
        self._waiting: deque[_Job] = deque()
        self._ended: SimpleQueue[tuple[_Job, TaskOutcome] | None] = SimpleQueue()
        """Outcomes that Celery does not know yet; None when the loop thread has ended."""
        self._hub: Any = None
        """Celery's event loop (``kombu.asynchronous.hub.Hub``, whose types are wrong)."""
        self._waking_celery = False
        # For plain functions: Celery's own tasks, and tasks that others add to this app.
        self._thread = ThreadPoolExecutor(1, "cohort-task")

    def on_start(self) -> None:
        self.loop.when_ended(partial(self._ended.put, None))

    def register_with_event_loop(self, loop: Any) -> None:
        """Take Celery's event loop; called at start and after each reconnect."""
        self._hub = loop
        loop.on_tick.add(self._finish_ended)

    def on_apply(
        self,
        target: Callable[..., TaskOutcome],
        args: tuple[Any, ...],
        kwargs: Any,
        *,
        callback: Callable[[TaskOutcome], None],
        accept_callback: Callable[[int, float], None],
        **_: Any,
    ) -> None:
        """Run a task or let it wait (called by Celery's requests, which pass no ``kwargs``)."""
        del kwargs
        self._waiting.append(_Job(target, args, accepted=accept_callback, ended=callback))
        self._finish_ended()
        self._fill()

    def on_stop(self) -> None:
        """Wait for running tasks; waiting ones are not begun."""
        self._waiting.clear()
        self._thread.shutdown()
        while self._running:
            self._finish(self._ended.get())
        if self._hub is not None:
            self._hub.on_tick.discard(self._finish_ended)

    @property
    def info(self) -> dict[str, Any]:
        return {**super().info, "running": len(self._running), "waiting": len(self._waiting)}

    def _fill(self) -> None:
        while self._waiting and len(self._running) < self.limit:
            self._start(self._waiting.popleft())

    def _start(self, job: _Job) -> None:
        self._running.add(job)
        self._call_celery(job.accepted, os.getpid(), monotonic())
        name, _, headers, *_ = job.args
        run = self.app.tasks[name].run
        if not iscoroutinefunction(run):
            self._thread.submit(self._work, job)
            return
        job.in_loop = True
        try:
            self.loop.begin(
                partial(self._visit, name, run, headers["args"], headers["kwargs"]), partial(self._visited, job)
            )
        except RuntimeError:
            self._ended.put((job, _LEFT))
            self._wake_celery()

    async def _visit(
        self, name: str, run: Callable[..., Coroutine[Any, Any, object]], args: Any, kwargs: Any
    ) -> TaskOutcome:
        """In the loop thread."""
        began = monotonic()
        try:
            report = await _called(run, args, kwargs)
        except EnvelopeInvalid as problem:
            broken.note(str(problem))
            return _failed(problem)
        except Exception as problem:
            # Only this task fails. In the loop thread's group the exception would end the worker.
            log.exception("task.failed", extra={"task": name})
            return _failed(problem)
        return 0, repr(report), monotonic() - began

    def _visited(self, job: _Job, outcome: TaskOutcome | None) -> None:
        """In the loop thread."""
        self._ended.put((job, outcome or _LEFT))
        if self._waiting:
            self._wake_celery()
        elif not self._waking_celery:
            self._waking_celery = True
            asyncio.get_running_loop().call_later(_WAKE_AFTER_S, self._wake_celery)

    def _work(self, job: _Job) -> None:
        """In the thread for other tasks."""
        try:
            outcome = job.target(*job.args)
        except BaseException as problem:  # noqa: BLE001 - a task that calls exit() ends itself, not the worker
            outcome = _failed(WorkerLostError(repr(problem)).with_traceback(problem.__traceback__))
        self._ended.put((job, outcome))
        self._wake_celery()

    def _wake_celery(self) -> None:
        """In any thread."""
        self._waking_celery = False
        if self._hub is not None and not self._ended.empty():
            self._hub.call_soon(self._finish_ended)

    def _finish_ended(self) -> None:
        while True:
            try:
                ended = self._ended.get_nowait()
            except Empty:
                return
            self._finish(ended)

    def _finish(self, ended: tuple[_Job, TaskOutcome] | None) -> None:
        if ended is None:
            # Callbacks scheduled while the loop closed were dropped, so these tasks have no outcome.
            for job in [job for job in self._running if job.in_loop]:
                self._finish((job, _LEFT))
            return
        job, outcome = ended
        if job in self._running:
            self._running.remove(job)
            self._call_celery(job.ended, outcome)
        self._fill()

    def _call_celery(self, callback: Callable[..., None], *arguments: object) -> None:
        try:
            callback(*arguments)
        except Exception:
            # A fault in the bookkeeping of one task must not end the worker.
            log.exception("pool.untold")


def pool_on(loop: Loop) -> type[LoopPool]:
    """Make the pool class for Celery; its pools run coroutines in this loop thread."""
    return type(LoopPool.__name__, (LoopPool,), {"loop": loop, "__module__": LoopPool.__module__})
