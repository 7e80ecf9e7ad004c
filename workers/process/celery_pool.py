"""Celery's task pool: a task that is a coroutine, as a doorbell is, runs in the loop thread and no thread waits for it.

All of Celery's bookkeeping (acks, events, counts) is done in Celery's thread, where it may write to Redis; the loop
thread only hands over what came out. Of what Celery does around a task, doorbells go without its signals, links and
time limits: nothing here uses them.
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

type Outcome = tuple[int, object, float]
"""What Celery's requests want to hear: failed (0 or 1), the result's text or what was raised, seconds."""

_LEFT: Outcome = (0, repr(ELSEWHERE), 0.0)
"""The worker is ending; the message stays where it is and its next owner finds it."""

_HAND_OVER_S = 0.02
"""Seconds that a result waits for Celery's thread to pass by; waking it for each takes a twentieth of a busy worker."""


def _failed(problem: Exception) -> Outcome:
    info = ExceptionInfo((type(problem), problem, problem.__traceback__))
    # As Celery's own tracer does: otherwise Flower shows a wrapper that is made for other processes.
    info.exception = problem
    return 1, info, 0.0


def _called[T](run: Callable[..., T], args: object, kwargs: object) -> T:
    """The task's coroutine.

    Raises:
        EnvelopeInvalid: it does not take such arguments.
    """
    try:
        return run(*cast("Any", args), **cast("Any", kwargs))
    except TypeError:
        raise EnvelopeInvalid("TypeError: arguments that the task does not take") from None


class Loop(Protocol):
    """The loop thread (``workers.process.loop_thread.LoopThreadPort``)."""

    def begin(self, work: Callable[[], Coroutine[Any, Any, Outcome]], done: Callable[[Outcome | None], None]) -> None:
        """Run it there; ``done`` is called there, with None if it was cancelled.

        Raises:
            RuntimeError: the loop has ended.
        """
        ...

    def when_ended(self, call: Callable[[], None]) -> None:
        """Called, in any thread, when nothing runs there any more."""
        ...


class _Job:
    """A task that Celery gave us."""

    def __init__(
        self,
        target: Callable[..., Outcome],
        args: tuple[Any, ...],
        *,
        accepted: Callable[[int, float], None],
        ended: Callable[[Outcome], None],
    ) -> None:
        self.target = target
        """Celery's own way to run the task, with ``args``: name, id, headers (with the arguments), body."""
        self.args = args
        self.accepted = accepted
        self.ended = ended
        self.in_loop = False


class LoopPool(BasePool):
    """At most ``limit`` tasks run at a time; the others wait here, unacknowledged: Celery takes no more than ``limit``.

    Everything is called in Celery's thread, if it does not say otherwise.
    """

    loop: Loop
    """Given by ``pool_on``, as Celery makes the pool."""

    body_can_be_buffer = True
    signal_safe = False

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._running: set[_Job] = set()
        self._waiting: deque[_Job] = deque()
        self._ended: SimpleQueue[tuple[_Job, Outcome] | None] = SimpleQueue()
        """What came out and Celery does not know yet; None: the loop thread has ended."""
        self._hub: Any = None
        """Celery's event loop (``kombu.asynchronous.hub.Hub``, whose types are wrong)."""
        self._handing_over = False
        # For what is not ours: Celery's own tasks, or somebody's who uses this app for more.
        self._thread = ThreadPoolExecutor(1, "cohort-task")

    def on_start(self) -> None:
        self.loop.when_ended(partial(self._ended.put, None))

    def register_with_event_loop(self, loop: Any) -> None:
        """Celery's event loop, at start and whenever it was connected anew."""
        self._hub = loop
        loop.on_tick.add(self._settle_ended)

    def on_apply(
        self,
        target: Callable[..., Outcome],
        args: tuple[Any, ...],
        kwargs: Any,
        *,
        callback: Callable[[Outcome], None],
        accept_callback: Callable[[int, float], None],
        **_: Any,
    ) -> None:
        """Run a task, or have it wait (Celery's requests call this; there are no ``kwargs``)."""
        del kwargs
        self._waiting.append(_Job(target, args, accepted=accept_callback, ended=callback))
        self._settle_ended()
        self._fill()

    def on_stop(self) -> None:
        """Wait for what runs; what waits is not begun."""
        self._waiting.clear()
        self._thread.shutdown()
        while self._running:
            self._settle(self._ended.get())
        if self._hub is not None:
            self._hub.on_tick.discard(self._settle_ended)

    @property
    def info(self) -> dict[str, Any]:
        return {**super().info, "running": len(self._running), "waiting": len(self._waiting)}

    def _fill(self) -> None:
        while self._waiting and len(self._running) < self.limit:
            self._start(self._waiting.popleft())

    def _start(self, job: _Job) -> None:
        self._running.add(job)
        self._tell(job.accepted, os.getpid(), monotonic())
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
            self._hand_over()

    async def _visit(
        self, name: str, run: Callable[..., Coroutine[Any, Any, object]], args: Any, kwargs: Any
    ) -> Outcome:
        """In the loop thread."""
        began = monotonic()
        try:
            report = await _called(run, args, kwargs)
        except EnvelopeInvalid as problem:
            broken.note(str(problem))
            return _failed(problem)
        except Exception as problem:
            # It is this task's end alone: in the loop thread's group it would be the worker's.
            log.exception("task.failed", extra={"task": name})
            return _failed(problem)
        return 0, repr(report), monotonic() - began

    def _visited(self, job: _Job, outcome: Outcome | None) -> None:
        """In the loop thread."""
        self._ended.put((job, outcome or _LEFT))
        if self._waiting:
            self._hand_over()
        elif not self._handing_over:
            self._handing_over = True
            asyncio.get_running_loop().call_later(_HAND_OVER_S, self._hand_over)

    def _work(self, job: _Job) -> None:
        """In the thread for other tasks."""
        try:
            outcome = job.target(*job.args)
        except BaseException as problem:  # noqa: BLE001 - a task that calls exit() ends itself, not the worker
            outcome = _failed(WorkerLostError(repr(problem)).with_traceback(problem.__traceback__))
        self._ended.put((job, outcome))
        self._hand_over()

    def _hand_over(self) -> None:
        """In any thread."""
        self._handing_over = False
        if self._hub is not None and not self._ended.empty():
            self._hub.call_soon(self._settle_ended)

    def _settle_ended(self) -> None:
        while True:
            try:
                ended = self._ended.get_nowait()
            except Empty:
                return
            self._settle(ended)

    def _settle(self, ended: tuple[_Job, Outcome] | None) -> None:
        if ended is None:
            # What the loop was told in its last moment it never does.
            for job in [job for job in self._running if job.in_loop]:
                self._settle((job, _LEFT))
            return
        job, outcome = ended
        if job in self._running:
            self._running.remove(job)
            self._tell(job.ended, outcome)
        self._fill()

    def _tell(self, whom: Callable[..., None], *what: object) -> None:
        try:
            whom(*what)
        except Exception:
            # One task's bookkeeping is not the worker's end.
            log.exception("pool.untold")


def pool_on(loop: Loop) -> type[LoopPool]:
    """The class to give to Celery, whose pools run in this loop thread."""
    return type(LoopPool.__name__, (LoopPool,), {"loop": loop, "__module__": LoopPool.__module__})
