"""What a worker reads of its slots when most of them are empty."""

import pytest

from tasks import keys
from tasks.status.worker import WorkerStatus
from tasks.store import Store
from tests.tasks.test_sessions_store import LONG

SLOTS = tuple(range(8))


async def reads(store: Store) -> int:
    """Round trips so far."""
    return (await store.redis.info("stats"))["total_reads_processed"]


async def test_a_slot_is_occupied_by_work_and_by_turns_that_wait_for_people_and_by_what_is_damaged(
    store: Store,
) -> None:
    assert await store.sessions.occupied(SLOTS) == ()
    assert await store.sessions.occupied(()) == ()
    await store.redis.zadd(keys.pending(1), {"4242:5": 1.0})
    await store.redis.zadd(keys.parked(3), {"4242:6": 1.0})
    await store.redis.set(keys.pending(5), "no set")
    before = await reads(store)
    assert await store.sessions.occupied(SLOTS) == (1, 3, 5)
    assert await reads(store) - before == 2, "one round trip, and the look itself"
    await store.redis.delete(keys.pending(5))


@pytest.mark.parametrize("gone", [False, True])
async def test_members_that_were_listed_before_take_one_round_trip(store: Store, gone: bool) -> None:
    for name in ("w-one", "w-two"):
        await store.members.beat(name, WorkerStatus(), LONG)
    first = await store.members.look()
    if gone:
        await store.redis.delete(keys.worker("w-two"))
    before = await reads(store)
    view = await store.members.look()
    assert await reads(store) - before == 2, "one round trip, and the look itself"
    assert set(first.members) == {"w-one", "w-two"}
    assert (set(view.members), view.gone) == (({"w-one"}, ("w-two",)) if gone else ({"w-one", "w-two"}, ()))
    await store.members.beat("w-three", WorkerStatus(), LONG)
    assert "w-three" in (await store.members.look()).members
