"""A real Celery worker in a thread, its pool, and a loop thread with a scheduler that tests control."""

import asyncio
import logging
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, cast

from celery import Celery
from celery.contrib.testing.worker import start_worker

from tasks.ports import TurnReport
from tasks.session import SessionKey
from tasks.slots import queue_of
from tests.workers.fakes import PATIENCE_S
from workers.process.celery_pool import pool_on
from workers.process.celery_worker import CohortConsumer
from workers.process.loop_thread import LoopThread, LoopThreadPort

ANSWERED: TurnReport = {"outcome": "answered", "turns": 1, "messages": 1, "tokens": 15, "seconds": 0.5}


class Visitors:
    """A scheduler that keeps its visitors until it lets them go."""

    def __init__(self) -> None:
        self.came = threading.Semaphore(0)
        self.go = asyncio.Event()
        self.seen: list[SessionKey] = []
        self.told: list[SessionKey] = []
        self.inside = 0
        self.most = 0

    async def visit(self, session: SessionKey) -> TurnReport:
        self.seen.append(session)
        self.inside += 1
        self.most = max(self.most, self.inside)
        self.came.release()
        await self.go.wait()
        self.inside -= 1
        return ANSWERED

    def interrupt(self, where: SessionKey) -> None:
        self.told.append(where)


async def _no_files(*_: object) -> int:
    return 0


async def _no_reload() -> tuple[str, ...]:
    return ("agent",)


class LoopSide:
    """A loop thread that serves until it is told to stop, or to break."""

    def __init__(self) -> None:
        self.visitors = Visitors()
        self.died = threading.Event()
        self.breaks = False
        self.thread = LoopThread(self._main, died=self.died.set)
        self.host = self.thread.start()

    def let_go(self) -> None:
        """All visitors leave, and later ones at once."""
        self.host._loop.call_soon_threadsafe(self.visitors.go.set)

    def one_came(self) -> bool:
        return self.visitors.came.acquire(timeout=PATIENCE_S)

    async def _main(self, thread: LoopThread) -> None:
        scheduler = cast("Any", self.visitors)
        async with asyncio.TaskGroup() as group:
            thread.ready.set_result(LoopThreadPort(thread, scheduler, group, reload=_no_reload, forget=_no_files))
            await thread.stopping.wait()
            if self.breaks:
                raise ValueError("a defect")
            # As the real scheduler when it has drained: no task stays.
            me = asyncio.current_task()
            for task in asyncio.all_tasks() - {me}:
                task.cancel()


class Watched(CohortConsumer):
    """Tells when it takes nothing any more; then the pool is stopped."""

    stopped: threading.Event

    def stop(self) -> None:
        super().stop()
        self.stopped.set()


@contextmanager
def working(app: Celery, host: LoopThreadPort, *, limit: int, slots: int = 64, **options: Any) -> Iterator[Any]:
    """A Celery worker for these queues; leaving it is Celery's cold shutdown."""
    app.amqp.queues.select([queue_of(slot) for slot in range(slots)])
    consumer = type("Watched", (Watched,), {"stopped": options.pop("stopped", threading.Event())})
    given: Mapping[str, Any] = {
        "pool": pool_on(host),
        "concurrency": limit,
        "consumer_cls": consumer,
        "perform_ping_check": False,
        "task_events": True,
        **options,
    }
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    try:
        with start_worker(app, **given) as worker:
            yield worker
        with app.connection_for_write() as line:
            # Its last question is still open: it would take the next test's doorbell.
            while line.default_channel.client.info("clients")["blocked_clients"]:
                pass
    finally:
        # Celery sets up logging for a process of its own.
        root.setLevel(level)
        root.handlers[:] = handlers
