"""A doorbell is a Celery message like those that Celery publishes itself."""

import json
from base64 import b64decode
from typing import Any, cast

import pytest
from celery import Celery
from celery.app.task import Context
from celery.worker.request import Request
from kombu.transport import virtual

from tasks.app import make_app
from tasks.config.settings import Settings
from tasks.doorbell import Doorbells
from tasks.session import SessionKey
from tasks.slots import queue_of, slot_of
from tasks.store import Store
from tasks.telemetry.logs import hash_sessions, session_hash
from tasks.turn import NAME, bind
from tests.support.redis_of import redis_of

KEYS = [SessionKey(4242, 700), SessionKey(4242, -100123, 17), SessionKey(4242, 700, None, "BQ-_a1")]


@pytest.mark.parametrize("session", KEYS, ids=str)
async def test_a_doorbell_is_what_celery_would_have_published(
    settings: Settings, store: Store, session: SessionKey
) -> None:
    doorbells = Doorbells(make_app(settings), slots=64)
    doorbells.send([(session, 77)])
    (published,) = await redis_of(store).lrange(queue_of(slot_of(session, 64)), 0, -1)
    doorbell = doorbells.of(session, 77)
    assert doorbell.queue == queue_of(slot_of(session, 64))
    ours, celerys = _untagged(doorbell.message), _untagged(published)
    left_out = celerys["headers"].keys() - ours["headers"].keys()
    assert json.loads(b64decode(ours.pop("body"))) == json.loads(b64decode(celerys.pop("body")))
    # A worker's request has these values before it reads a header; a pair of limits is none.
    assert {name: celerys["headers"].pop(name) or getattr(Context, name, None) for name in left_out} == {
        "shadow": None,
        "eta": None,
        "expires": None,
        "group_index": None,
        "retries": 0,
        "replaced_task_nesting": 0,
        "timelimit": [None, None],
        "stamped_headers": None,
        "stamps": None,
    }
    assert celerys["properties"].pop("argsrepr") == celerys["headers"]["argsrepr"]
    del celerys["properties"]["reply_to"]
    assert ours == celerys


async def test_a_worker_reads_the_same_request_of_it(settings: Settings, store: Store) -> None:
    app = make_app(settings)
    bind(app, cast("Any", None))
    doorbells = Doorbells(app, slots=64)
    doorbells.send([(KEYS[0], 77)])
    (published,) = await redis_of(store).lrange(queue_of(slot_of(KEYS[0], 64)), 0, -1)
    ours, celerys = (_request(app, message) for message in (doorbells.of(KEYS[0], 77).message, published))
    assert ours.info() == celerys.info()
    for name in ("id", "root_id", "parent_id", "eta", "expires", "group", "group_index", "stamps"):
        assert getattr(ours, name) == getattr(celerys, name), name
    assert list(ours.time_limits) == list(celerys.time_limits)
    assert ours.correlation_id == celerys.correlation_id
    assert ours.ignore_result is celerys.ignore_result is True


def test_a_doorbell_is_two_thirds_of_what_celery_publishes(settings: Settings) -> None:
    assert len(Doorbells(make_app(settings), slots=64).of(KEYS[0], 77).message) < 760


@pytest.mark.promise("flower-wordless")
def test_flower_is_shown_a_sessions_hash_its_slot_and_the_update(settings: Settings) -> None:
    doorbells = Doorbells(make_app(settings), slots=64)
    hash_sessions(b"k" * 32)
    try:
        for session in KEYS:
            shown = json.loads(doorbells.of(session, 77).message)["headers"]["argsrepr"]
            hashed, slot = session_hash(str(session)), slot_of(session, 64)
            assert shown == f"(session {hashed}, slot {slot:02d}, update 77)"
            assert str(session.chat) not in shown
    finally:
        hash_sessions(None)


async def test_workers_listen_where_doorbells_are_stored_whatever_broker_the_environment_names(
    settings: Settings, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CELERY_BROKER_URL", "redis://127.0.0.1:1/7")
    app = make_app(settings)
    Doorbells(app, slots=64).send([(KEYS[0], 77)])
    with app.connection_for_read() as line:
        assert line.default_channel.client.llen(queue_of(slot_of(KEYS[0], 64))) == 1
    assert await redis_of(store).llen(queue_of(slot_of(KEYS[0], 64))) == 1


def test_no_two_doorbells_have_one_delivery_tag(settings: Settings) -> None:
    doorbells = Doorbells(make_app(settings), slots=64)
    first, second = (json.loads(doorbells.of(KEYS[0], 77).message) for _ in range(2))
    assert first["properties"].pop("delivery_tag") != second["properties"].pop("delivery_tag")
    assert first == second


def _request(app: Celery, message: str | bytes) -> Any:
    """What a worker makes of a message from its queue."""
    read = virtual.Message(json.loads(message), channel=cast("Any", app.connection_for_read().default_channel))
    return Request(read, app=app, task=app.tasks[NAME], body=read.body, headers=read.headers, decoded=False, utc=True)


def _untagged(message: str | bytes) -> dict[str, Any]:
    found = json.loads(message)
    assert found["properties"].pop("delivery_tag")
    return found
