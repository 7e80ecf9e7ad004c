"""Messages in a queue that are not doorbells are dropped, counted and logged, and the consumer goes on."""

import json
import logging
from base64 import b64encode
from typing import Any

import pytest
from celery import Celery
from redis import Redis

from tasks.app import make_app
from tasks.config.settings import Settings
from tasks.doorbell import Doorbells
from tasks.slots import queue_of, slot_of
from tasks.telemetry.metrics import BROKEN_DOORBELLS
from tasks.turn import bind
from tests.workers.celery_worker import LoopSide, working
from tests.workers.pool import session

ONE = session(1)
QUEUE = queue_of(slot_of(ONE, 64))


def envelope(app: Celery, **changes: Any) -> dict[str, Any]:
    """A doorbell as it is written, with some of it replaced (``headers`` and ``properties``: merged)."""
    message = json.loads(Doorbells(app, slots=64).of(ONE, 1).message)
    for name, value in changes.items():
        merged = {**message[name], **value} if isinstance(value, dict) else value
        message[name] = merged
    return message


def body(value: Any) -> str:
    return b64encode(value if isinstance(value, bytes) else json.dumps(value).encode()).decode()


SHAPES = [
    "",
    "not JSON",
    "\0",
    "[]",
    "5",
    "null",
    '"text"',
    "{}",
    '{"properties": 5}',
    '{"properties": {}}',
    "[" * 50_000,
]
CHANGES: list[dict[str, Any]] = [
    *[{"headers": value} for value in (None, [], "text", 5)],
    *[{"headers": {"task": value}} for value in (None, 5, [], {}, "no.such.task", "x" * 5000)],
    *[{"headers": {"id": value}} for value in (None, 5, [], {})],
    *[{"headers": {"eta": value}} for value in (5, "never", [], "9999-99-99")],
    *[{"headers": {"expires": value}} for value in ("never", [], {})],
    *[{"headers": {"timelimit": value}} for value in (5, "x", [1])],
    *[{"headers": {"retries": "x"}}, {"headers": {"argsrepr": 5}}, {"headers": {"lang": None, "args": 5}}],
    *[{"body": value} for value in ("*", 5, [], None, body(b"\xff"), body("text"), body(5), body(None), body([]))],
    *[
        {"body": value}
        for value in (body([[], {}]), body([5, 5, 5]), body([[], [], {}]), body({"args": 5, "kwargs": 5}))
    ],
    *[{"body": body([[], {"a": 1}, {}])}, {"body": body([["x" * 100_000, 1], {}, {}])}, {"body": "x" * 3_000_000}],
    *[{"content-type": value} for value in (None, "application/x-python-serialize", 5, "text/nothing")],
    *[{"content-encoding": value} for value in (None, "no-such-encoding", 5)],
    *[{"properties": {"body_encoding": value}} for value in ("rot13", 5, [])],
    *[{"properties": {"delivery_tag": value}} for value in (None, [], {})],
]


def dropped() -> float:
    return BROKEN_DOORBELLS._value.get()


@pytest.mark.promise("broken-messages")
def test_the_consumer_goes_on_over_every_broken_message(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    app, side = make_app(settings), LoopSide()
    bind(app, side.host)
    side.let_go()
    broken = [*SHAPES, *[json.dumps(envelope(app, **change)) for change in CHANGES]]
    before = dropped()
    with Redis.from_url(settings.redis) as redis, working(app, side.host, limit=1) as worker:
        for number, message in enumerate(broken):
            redis.lpush(QUEUE, message)
            Doorbells(app, slots=64).send([(ONE, number)])
            assert side.one_came(), message[:300]
            assert worker.consumer.restart_count == 0, message[:300]
        while redis.llen(QUEUE):
            redis.ping()
    side.host.drain()
    side.thread.join()
    assert dropped() - before > len(SHAPES)
    told = [record for record in caplog.records if record.getMessage() == "doorbell.broken"]
    assert 1 <= len(told) <= 4, "a flood of them is no flood of lines"
    assert {record.getMessage() for record in caplog.records} == {"doorbell.broken"}
    assert max(len(logging.Formatter().format(record)) for record in caplog.records) < 10_000


@pytest.mark.parametrize(
    "payload", ["[]", "5", "not JSON", "{}", '{"properties": {}}', '{"body": 5, "properties": {"delivery_tag": 1}}']
)
def test_a_broken_remote_control_message_does_not_end_the_consumer(settings: Settings, payload: str) -> None:
    app, side = make_app(settings), LoopSide()
    bind(app, side.host)
    side.let_go()
    with Redis.from_url(settings.redis) as redis, working(app, side.host, limit=1) as worker:
        while not redis.publish("/0.celery.pidbox", payload):
            pass  # it does not listen yet
        Doorbells(app, slots=64).send([(ONE, 1)])
        assert side.one_came()
        assert app.control.inspect([worker.hostname], timeout=60, limit=1).ping()
        assert worker.consumer.restart_count == 0
    side.host.drain()
    side.thread.join()


def test_an_unknown_task_takes_no_place(settings: Settings) -> None:
    app, side = make_app(settings), LoopSide()
    bind(app, side.host)
    side.let_go()
    with Redis.from_url(settings.redis) as redis, working(app, side.host, limit=1):
        # More than a worker takes at a time.
        for _ in range(20):
            redis.lpush(QUEUE, json.dumps(envelope(app, headers={"task": "no.such.task"})))
        Doorbells(app, slots=64).send([(ONE, 1)])
        assert side.one_came()
    side.host.drain()
    side.thread.join()
