"""The calls between Celery's thread and the loop thread."""

import asyncio
import logging
from concurrent.futures import Future

import pytest

from tasks.ports import TurnReport
from tests.workers.celery_worker import ANSWERED, LoopSide
from tests.workers.fakes import PATIENCE_S
from tests.workers.pool import session
from workers.process.loop_thread import LoopThread

ONE = session(1)


def begun(side: LoopSide) -> "Future[TurnReport | None]":
    """A visit, as Celery's thread begins it, that has reached the loop thread."""
    report: Future[TurnReport | None] = Future()
    side.host.begin(lambda: side.host.visit(ONE), report.set_result)
    assert side.one_came()
    return report


def test_a_visit_ends_when_its_sessions_loop_does() -> None:
    side = LoopSide()
    report = begun(side)
    assert not report.done()
    side.let_go()
    assert report.result(PATIENCE_S) == ANSWERED
    side.host.cancel(ONE)
    side.host.drain()
    side.thread.join()
    assert side.visitors.told == [ONE]
    assert not side.died.is_set()


def test_who_began_a_visit_hears_that_its_loop_has_ended() -> None:
    side = LoopSide()
    ended: Future[None] = Future()
    side.host.when_ended(lambda: ended.set_result(None))
    report = begun(side)
    side.host.drain()
    side.thread.join()
    assert report.result(PATIENCE_S) is None
    assert ended.done()
    with pytest.raises(RuntimeError):
        side.host.begin(lambda: side.host.visit(ONE), lambda _report: None)
    side.host.cancel(ONE)
    side.host.drain()


def test_a_visit_that_is_begun_while_everything_breaks_is_answered() -> None:
    reports: list[TurnReport | None] = []
    side = LoopSide()
    side.breaks = True

    async def last_words() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            side.host._begin(lambda: side.host.visit(ONE), reports.append)

    side.host.begin(last_words, lambda _nothing: None)
    side.host.drain()
    with pytest.raises(ExceptionGroup):
        side.thread.join()
    assert reports == [None]
    assert side.visitors.seen == []


def test_a_loop_that_dies_ends_its_process() -> None:
    side = LoopSide()
    side.breaks = True
    report = begun(side)
    side.host.drain()
    assert side.died.wait(PATIENCE_S)
    assert report.result(PATIENCE_S) is None
    with pytest.raises(ExceptionGroup) as died:
        side.thread.join()
    assert died.group_contains(ValueError, match="a defect")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_loop_that_dies_ends_its_process_though_its_log_cannot_be_written() -> None:
    class Closed(logging.Handler):
        """What a handler does whose stream a tool has closed, and ``sys.stderr`` with it."""

        def emit(self, record: logging.LogRecord) -> None:
            raise ValueError(f"{record.msg}: I/O operation on closed file")

    side, handler = LoopSide(), Closed()
    side.breaks = True
    logging.getLogger("cohort.host").addHandler(handler)
    try:
        begun(side)
        side.host.drain()
        assert side.died.wait(PATIENCE_S)
    finally:
        logging.getLogger("cohort.host").removeHandler(handler)


def test_a_worker_that_cannot_start_says_why() -> None:
    async def broken(_thread: LoopThread) -> None:
        raise ValueError("no card")

    thread = LoopThread(broken, died=lambda: None)
    with pytest.raises(ValueError, match="no card"):
        thread.start()
