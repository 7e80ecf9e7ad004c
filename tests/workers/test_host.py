"""The doors between Celery's threads and the loop thread."""

import asyncio
import threading
from typing import Any, cast

import pytest

from tasks.ports import TurnReport
from tasks.session import SessionKey
from tests.workers.pool import session
from workers.host import CeleryHost, LoopThread

ONE = session(1)
ELSEWHERE: TurnReport = {"outcome": "elsewhere", "turns": 0, "messages": 0}
ANSWERED: TurnReport = {"outcome": "answered", "turns": 1, "messages": 1}


class Visitors:
    """A mailbox that keeps its visitors until it lets them go."""

    def __init__(self) -> None:
        self.came = threading.Event()
        self.go = asyncio.Event()
        self.told: list[SessionKey] = []

    async def visit(self, _session: SessionKey) -> TurnReport:
        self.came.set()
        await self.go.wait()
        return ANSWERED

    def arrived(self, where: SessionKey) -> None:
        self.told.append(where)


async def no_reload() -> tuple[str, ...]:
    return ("agent",)


class Worker:
    """A loop thread that serves until it is told to stop, or to break."""

    def __init__(self) -> None:
        self.visitors = Visitors()
        self.died = threading.Event()
        self.breaks = False
        self.thread = LoopThread(self._main, died=self.died.set)
        self.host = self.thread.start()

    async def _main(self, thread: LoopThread) -> None:
        stop = asyncio.Event()
        mailbox = cast("Any", self.visitors)
        loop = asyncio.get_running_loop()
        thread.ready.set_result(CeleryHost(loop, mailbox, reload=no_reload, started=asyncio.Event(), stop=stop))
        await stop.wait()
        if self.breaks:
            raise ValueError("a defect")

    def ring(self) -> tuple[threading.Thread, list[TurnReport]]:
        """As one of Celery's threads."""
        reports: list[TurnReport] = []
        bell = threading.Thread(target=lambda: reports.append(self.host.ring(ONE)))
        bell.start()
        assert self.visitors.came.wait(10)
        return bell, reports


def test_a_doorbell_waits_until_its_sessions_loop_ends() -> None:
    worker = Worker()
    bell, reports = worker.ring()
    assert reports == []
    worker.host._loop.call_soon_threadsafe(worker.visitors.go.set)
    bell.join(10)
    assert reports == [ANSWERED]
    worker.host.cancel(ONE)
    worker.host.drain()
    worker.thread.join()
    assert worker.visitors.told == [ONE]
    assert not worker.died.is_set()


def test_no_thread_waits_for_a_loop_that_has_ended() -> None:
    worker = Worker()
    bell, reports = worker.ring()
    worker.host.drain()
    worker.thread.join()
    bell.join(10)
    assert reports == [ELSEWHERE]
    assert worker.host.ring(ONE) == ELSEWHERE
    worker.host.cancel(ONE)
    worker.host.drain()


def test_what_a_loop_is_told_in_its_last_moment_keeps_no_thread() -> None:
    loop = asyncio.new_event_loop()
    mailbox = cast("Any", Visitors())
    host = CeleryHost(loop, mailbox, reload=no_reload, started=asyncio.Event(), stop=asyncio.Event(), look_s=0.001)
    reports: list[TurnReport] = []
    bell = threading.Thread(target=lambda: reports.append(host.ring(ONE)))
    bell.start()
    # It has taken the order, and is closed before it gets to it.
    while not loop._ready:  # type: ignore[attr-defined]
        bell.join(0.001)
    loop.close()
    bell.join(10)
    assert reports == [ELSEWHERE]


def test_a_loop_that_dies_ends_its_process() -> None:
    worker = Worker()
    worker.breaks = True
    worker.host.drain()
    assert worker.died.wait(10)
    with pytest.raises(ValueError, match="a defect"):
        worker.thread.join()


def test_a_worker_that_cannot_start_says_why() -> None:
    async def broken(_thread: LoopThread) -> None:
        raise ValueError("no card")

    died = threading.Event()
    thread = LoopThread(broken, died=died.set)
    with pytest.raises(ValueError, match="no card"):
        thread.start()
    assert not died.is_set()
