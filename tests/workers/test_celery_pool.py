"""Our pool in a real Celery worker: what Flower sees, what is bounded, who fails alone, what is waited for."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from queue import SimpleQueue
from typing import Any

import pytest
from celery import Celery
from celery.worker import state as celery_state
from redis import Redis

from tasks.app import make_app
from tasks.config.settings import Settings
from tasks.doorbell import Doorbells
from tasks.session import SessionKey
from tasks.slots import queue_of, slot_of
from tasks.turn import NAME, bind
from tests.workers.celery_worker import ANSWERED, LoopSide, working
from tests.workers.fakes import PATIENCE_S
from tests.workers.pool import session
from workers.process.celery_pool import pool_on

ONE, TWO, THREE = session(1), session(2), session(3)


class Flower:
    """Everything that the workers tell."""

    def __init__(self) -> None:
        self.heard: SimpleQueue[dict[str, Any]] = SimpleQueue()

    def until(self, kind: str, *, uuid: str) -> list[dict[str, Any]]:
        """The events of one task, up to that one."""
        events: list[dict[str, Any]] = []
        while not events or events[-1]["type"] != kind:
            event = self.heard.get(timeout=PATIENCE_S)
            if event.get("uuid") == uuid:
                events.append(event)
        return events


@contextmanager
def flower(app: Celery) -> Iterator[Flower]:
    """As Flower listens, from when this is entered."""
    seen, probed = Flower(), threading.Event()

    def take(event: dict[str, Any]) -> None:
        seen.heard.put(event)
        if event["type"] == "test-probe":
            probed.set()

    with app.connection_for_read() as line:
        receiver = app.events.Receiver(line, handlers={"*": take})
        listening = threading.Thread(target=receiver.capture)
        listening.start()
        with app.connection_for_write() as other, app.events.Dispatcher(other) as told:
            while not probed.wait(0.05):
                told.send("test-probe")
            try:
                yield seen
            finally:
                receiver.should_stop = True
                told.send("test-probe")
                listening.join(PATIENCE_S)


@pytest.fixture
def redis(settings: Settings) -> Iterator[Redis]:
    with Redis.from_url(settings.redis) as redis:
        yield redis


@pytest.fixture
def app(settings: Settings) -> Celery:
    return make_app(settings)


@pytest.fixture
def side(app: Celery) -> Iterator[LoopSide]:
    """A loop thread; its visitors leave at the end, so that no test's worker waits for them."""
    side = LoopSide()
    bind(app, side.host)
    # Of this process, and not of a worker: what was revoked, what an ended one left behind.
    celery_state.reset_state()
    yield side
    side.host.drain()
    side.thread.join()


def send(app: Celery, *doorbells: tuple[SessionKey, int]) -> None:
    Doorbells(app, slots=64).send(doorbells)


def pool_of(app: Celery, worker: Any) -> dict[str, Any]:
    """What ``celery inspect`` says of it."""
    asked = app.control.inspect([worker.hostname], timeout=PATIENCE_S, limit=1)
    return asked.stats()[worker.hostname]["pool"]


def test_flower_sees_a_doorbell_come_begin_and_end(app: Celery, side: LoopSide) -> None:
    with flower(app) as seen, working(app, side.host, limit=4):
        before = celery_state.total_count[NAME]
        send(app, (ONE, 7))
        assert side.one_came()
        assert [event["type"] for event in seen.until("task-started", uuid="4242-7")] == [
            "task-received",
            "task-started",
        ]
        assert [request.id for request in celery_state.active_requests] == ["4242-7"]
        side.let_go()
        (ended,) = seen.until("task-succeeded", uuid="4242-7")
        assert ended["result"] == repr(ANSWERED)
        assert 0 <= ended["runtime"] < PATIENCE_S
        assert celery_state.total_count[NAME] == before + 1
        assert not [*celery_state.active_requests, *celery_state.reserved_requests, *celery_state.requests]


def test_no_more_run_than_may_and_no_more_are_taken_than_can_wait(app: Celery, side: LoopSide, redis: Redis) -> None:
    doorbells = [(session(chat), chat) for chat in range(1, 8)]
    queues = {queue_of(slot_of(where, 64)) for where, _ in doorbells}
    with working(app, side.host, limit=2) as worker:
        send(app, *doorbells)
        assert side.one_came()
        assert side.one_came()
        while sum(redis.llen(queue) for queue in queues) > 3:
            redis.ping()
        pool = pool_of(app, worker)
        assert (pool["max-concurrency"], pool["running"], pool["waiting"]) == (2, 2, 2)
        assert sum(redis.llen(queue) for queue in queues) == 3
        assert len(side.visitors.seen) == 2
        side.let_go()
        assert all(side.one_came() for _ in range(5))
        assert sorted(side.visitors.seen, key=str) == [where for where, _ in doorbells]
        assert side.visitors.most == 2


@pytest.mark.parametrize("arguments", [["nonsense", 1], [str(ONE)], [None, 1]])
def test_a_doorbell_that_cannot_be_read_fails_alone(app: Celery, side: LoopSide, arguments: list[Any]) -> None:
    side.let_go()
    with flower(app) as seen, working(app, side.host, limit=1):
        app.send_task(NAME, args=arguments, task_id="bad", queue=queue_of(0), ignore_result=True)
        failed = seen.until("task-failed", uuid="bad")[-1]
        assert failed["exception"].startswith("EnvelopeInvalid")
        send(app, (ONE, 1))
        seen.until("task-succeeded", uuid="4242-1")
        assert side.visitors.seen == [ONE]
        assert not celery_state.active_requests


def test_other_tasks_run_too_and_fail_alone(app: Celery, side: LoopSide) -> None:
    threads: list[str] = []

    def add(first: int, second: int) -> int:
        threads.append(threading.current_thread().name)
        return first + second

    def leave() -> None:
        raise SystemExit

    app.task(add, name="other.add")
    app.task(leave, name="other.leave")
    with flower(app) as seen, working(app, side.host, limit=3):
        send(app, (ONE, 1))
        assert side.one_came()
        app.send_task("other.leave", task_id="leave", queue=queue_of(0))
        app.send_task("other.add", args=[1, 2], task_id="add", queue=queue_of(0))
        assert "WorkerLostError" in seen.until("task-failed", uuid="leave")[-1]["exception"]
        assert seen.until("task-succeeded", uuid="add")[-1]["result"] == "3"
        assert threads == ["cohort-task_0"]
        side.let_go()


def test_a_revoked_doorbell_wakes_no_session(app: Celery, side: LoopSide) -> None:
    side.let_go()
    with flower(app) as seen, working(app, side.host, limit=1):
        while not app.control.revoke("4242-1", reply=True, timeout=1, limit=1):
            pass  # it does not listen yet
        send(app, (ONE, 1))
        seen.until("task-revoked", uuid="4242-1")
        send(app, (TWO, 2))
        seen.until("task-succeeded", uuid="4242-2")
        assert side.visitors.seen == [TWO]


def test_a_warm_shutdown_waits_for_what_runs_and_begins_nothing(app: Celery, side: LoopSide, redis: Redis) -> None:
    stopped = threading.Event()
    with working(app, side.host, limit=1, stopped=stopped) as worker:
        send(app, (ONE, 1), (TWO, 2))
        assert side.one_came()
        while any(redis.llen(queue_of(slot_of(where, 64))) for where in (ONE, TWO)):
            redis.ping()
        try:
            celery_state.should_stop = 0
            assert stopped.wait(PATIENCE_S)
            assert [job.in_loop for job in worker.pool._running] == [True]
            side.let_go()
            while worker.pool._running:
                redis.ping()
        finally:
            celery_state.should_stop = None
    assert len(side.visitors.seen) == 1
    assert not celery_state.active_requests


def test_no_caller_waits_for_a_loop_that_has_ended(app: Celery, side: LoopSide) -> None:
    with flower(app) as seen, working(app, side.host, limit=2):
        send(app, (ONE, 1))
        assert side.one_came()
        side.host.drain()
        side.thread.join()
        assert "elsewhere" in seen.until("task-succeeded", uuid="4242-1")[-1]["result"]
        send(app, (TWO, 2), (THREE, 3))
        assert "elsewhere" in seen.until("task-succeeded", uuid="4242-2")[-1]["result"]
        assert side.visitors.seen == [ONE]


class LastMoment:
    """A loop that takes an order and is closed before it gets to it."""

    def begin(self, *_: Any) -> None:
        self.ended()

    def when_ended(self, call: Any) -> None:
        self.ended = call


def test_what_a_loop_is_told_in_its_last_moment_keeps_no_worker(app: Celery, side: LoopSide) -> None:
    del side  # its doorbell is the app's
    told: list[Any] = []
    pool = pool_on(LastMoment())(limit=2, app=app)
    pool.start()
    headers = {"args": [str(ONE), 1], "kwargs": {}}
    pool.apply_async(
        None, args=(NAME, "id", headers), accept_callback=lambda *_: told.append("begun"), callback=told.append
    )
    pool.stop()
    assert told == [
        "begun",
        (0, "{'outcome': 'elsewhere', 'turns': 0, 'messages': 0, 'tokens': 0, 'seconds': 0.0}", 0.0),
    ]


class Hub:
    """Celery's event loop while nothing else happens to it."""

    def __init__(self) -> None:
        self.on_tick: set[Any] = set()
        self.asked: SimpleQueue[Any] = SimpleQueue()

    def call_soon(self, callback: Any) -> None:
        self.asked.put(callback)


def test_celerys_thread_is_woken_for_what_came_out_and_begins_what_waited(app: Celery, side: LoopSide) -> None:
    hub, told = Hub(), list[str]()
    pool = pool_on(side.host)(limit=1, app=app)
    pool.start()
    pool.register_with_event_loop(hub)
    for name, where in (("one", ONE), ("two", TWO)):
        pool.apply_async(
            None,
            args=(NAME, name, {"args": [str(where), 1], "kwargs": {}}),
            accept_callback=lambda *_, name=name: told.append(f"{name} begun"),
            callback=lambda _outcome, name=name: told.append(f"{name} ended"),
        )
    side.let_go()
    while "two ended" not in told:
        hub.asked.get(timeout=PATIENCE_S)()
    assert told == ["one begun", "one ended", "two begun", "two ended"]
    pool.stop()
