"""The Celery side of a worker, with a real worker in a thread."""

import threading
from collections.abc import Iterator

import pytest
from celery.worker.control import Panel
from redis import Redis

from tasks.app import make_app
from tasks.config.settings import Settings
from tasks.doorbell import Doorbells
from tasks.session import SessionKey
from tasks.slots import queue_of, slot_of
from tasks.turn import bind
from tests.support.until import until
from tests.workers.celery_worker import LoopSide, working
from workers.process.celery_worker import Consumers, bind_commands

ONE = SessionKey(4242, 1)
QUEUE = queue_of(slot_of(ONE, 64))


@pytest.fixture
def redis(settings: Settings) -> Iterator[Redis]:
    with Redis.from_url(settings.redis) as redis:
        yield redis


async def test_a_doorbell_that_was_taken_and_not_begun_is_not_put_back(settings: Settings, redis: Redis) -> None:
    app, side, stopped = make_app(settings), LoopSide(), threading.Event()
    bind(app, side.host)
    with working(app, side.host, limit=1, stopped=stopped):
        Doorbells(app, slots=64).send([(ONE, 1), (ONE, 2)])
        assert side.one_came()
        while redis.llen(QUEUE):
            # The second is taken, too: it waits for the first.
            redis.ping()
    assert stopped.is_set()
    side.host.drain()
    side.thread.join()
    assert side.visitors.seen == [ONE]
    assert redis.llen(QUEUE) == 0
    assert redis.keys("unacked*") == []


async def test_a_worker_consumes_the_queues_of_the_slots_that_it_serves_and_lets_the_others_go(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for kept in ("data", "meta"):  # Celery has one set of commands in a process, which other tests use as well.
        monkeypatch.setattr(Panel, kept, dict(getattr(Panel, kept)))
    app, side = make_app(settings), LoopSide()
    bind_commands(side.host, lambda: None)
    consumers, wanted = Consumers(app), frozenset(queue_of(slot) for slot in (2, 3, 9))

    async def serves() -> bool:
        # A worker that is ready may listen to commands a little later, so each look tells it once more.
        consumers.serve(wanted)
        return frozenset(queue.name for queue in worker.consumer.task_consumer.queues) == wanted

    with working(app, side.host, limit=1, slots=4) as worker:
        consumers.bind(worker)
        await until(serves)
    side.host.drain()
    side.thread.join()
