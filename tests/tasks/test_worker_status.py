"""What a heartbeat says of its worker, whatever release wrote it."""

import json
from datetime import timedelta

import pytest

from tasks import keys
from tasks.status.worker import WorkerStatus
from tasks.store import Store
from tests.support.redis_of import redis_of

TOLD = WorkerStatus(host="a", pid=7, lanes=4, at_work=1, turns=3, agents=("main", "other"), servers_down=("sky",))


@pytest.mark.promise("version-skew")
async def test_a_heartbeat_is_read_as_it_was_written(store: Store) -> None:
    await store.members.beat("w-one", TOLD, timedelta(minutes=1))
    assert (await store.members.look()).members == {"w-one": TOLD}


@pytest.mark.promise("version-skew")
@pytest.mark.parametrize(
    ("changed", "read"),
    [
        ({"of_a_newer_release": [1]}, TOLD),
        ({"pid": "seven"}, TOLD.model_copy(update={"pid": 0})),
        ({"agents": "main"}, TOLD.model_copy(update={"agents": ()})),
        ({"agents": ["main", None]}, TOLD.model_copy(update={"agents": ()})),
        ({"queued_s": float("nan")}, TOLD),
        (
            {"queued_s": float("-inf"), "lanes": 10**400, "turns": -(10**400)},
            TOLD.model_copy(update={"lanes": 0, "turns": None}),
        ),
        ({"models": {"m": {"since": float("inf")}}}, TOLD),
        ({"turns": None}, TOLD.model_copy(update={"turns": None})),
    ],
)
def test_a_field_that_cannot_be_read_hides_no_other(changed: dict[str, object], read: WorkerStatus) -> None:
    said = json.dumps({**TOLD.model_dump(), **changed})
    assert WorkerStatus.from_json(said.encode()) == read


@pytest.mark.promise("version-skew")
@pytest.mark.parametrize("said", [b"", b"no JSON", b"[]", b"null", b"\xff", b'{"host": "a"'])
async def test_a_worker_whose_heartbeat_cannot_be_read_lives_and_says_nothing(store: Store, said: bytes) -> None:
    await store.members.beat("w-one", TOLD, timedelta(minutes=1))
    await redis_of(store).hset(keys.MEMBERS, "w-one", said)
    assert (await store.members.look()).members == {"w-one": WorkerStatus()}
