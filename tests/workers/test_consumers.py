"""The Celery side of a worker, with a real worker in a thread."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from celery import Celery
from celery.contrib.testing.worker import start_worker
from redis import Redis

from tasks.app import make_app
from tasks.doorbell import Doorbells
from tasks.ports import TurnReport
from tasks.session import SessionKey
from tasks.settings import Settings
from tasks.slots import queue_of, slot_of
from tasks.turn import bind
from tests.workers.fakes import PATIENCE_S
from workers.consumers import CohortConsumer

ONE = SessionKey(4242, 1)
QUEUE = queue_of(slot_of(ONE, 64))


class Host:
    """Answers no doorbell before it may."""

    def __init__(self) -> None:
        self.rung = threading.Semaphore(0)
        self.go = threading.Event()

    def ring(self, session: SessionKey) -> TurnReport:
        del session
        self.rung.release()
        self.go.wait(PATIENCE_S)
        return {"outcome": "idle", "turns": 0, "messages": 0}


@contextmanager
def consuming(app: Celery, closed: threading.Event) -> Iterator[None]:
    """A worker with one thread; leaving it is a warm shutdown: its connection is ``closed`` before its pool."""

    class Watched(CohortConsumer):
        def shutdown(self) -> None:
            super().shutdown()
            closed.set()

    app.amqp.queues.select([QUEUE])
    options = {"pool": "threads", "concurrency": 1, "consumer_cls": Watched, "perform_ping_check": False}
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    try:
        with start_worker(app, **options):
            yield
    finally:
        # Celery sets up logging for a process of its own.
        root.setLevel(level)
        root.handlers[:] = handlers


@pytest.fixture
def redis(settings: Settings) -> Iterator[Redis]:
    with Redis.from_url(settings.redis) as redis:
        yield redis


async def test_a_doorbell_that_was_taken_and_not_begun_is_not_put_back(settings: Settings, redis: Redis) -> None:
    app, host = make_app(settings), Host()
    bind(app, host)
    with consuming(app, host.go):
        Doorbells(app, slots=64).ring([(ONE, 1), (ONE, 2)])
        assert host.rung.acquire(timeout=PATIENCE_S)
        while redis.llen(QUEUE):
            # The second is taken, too: it waits for the only thread.
            redis.ping()
    assert redis.llen(QUEUE) == 0
    assert redis.keys("unacked*") == []
