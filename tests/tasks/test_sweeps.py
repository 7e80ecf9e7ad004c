"""What a worker reads of its slots when most of them are empty."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tasks import keys
from tasks.status.worker import WorkerStatus
from tasks.store import Store
from tests.support.redis_of import redis_of
from tests.tasks.test_sessions_store import LONG

SLOTS = tuple(range(8))


async def exists(store: Store) -> int:
    """EXISTS commands so far."""
    return (await redis_of(store).info("commandstats")).get("cmdstat_exists", {"calls": 0})["calls"]


async def reads(store: Store) -> int:
    """Round trips so far."""
    return (await redis_of(store).info("stats"))["total_reads_processed"]


async def test_a_slot_is_occupied_by_work_and_by_turns_that_wait_for_people_and_by_what_is_damaged(
    store: Store,
) -> None:
    assert await store.sessions.occupied(()) == ()
    before = await reads(store)
    assert await store.sessions.occupied(SLOTS) == ()
    assert await reads(store) - before == 2, "one round trip, and the look itself"
    await redis_of(store).zadd(keys.pending(1), {"4242:5": 1.0})
    await redis_of(store).zadd(keys.parked(3), {"4242:6": 1.0})
    await redis_of(store).set(keys.pending(5), "no set")
    before = await reads(store)
    assert await store.sessions.occupied(SLOTS) == (1, 3, 5)
    assert await reads(store) - before == 3, "one more, for the slots of a group that has something"
    await redis_of(store).delete(keys.pending(5))


@given(st.sets(st.integers(0, 63)), st.sets(st.integers(0, 63)))
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_the_occupied_slots_are_found_however_they_lie(store: Store, asked: set[int], filled: set[int]) -> None:
    for slot in filled:
        await redis_of(store).zadd(keys.parked(slot), {"4242:6": 1.0})
    try:
        assert set(await store.sessions.occupied(sorted(asked))) == asked & filled
    finally:
        await redis_of(store).delete(*map(keys.parked, range(64)))


async def test_64_slots_without_work_take_eight_commands(store: Store) -> None:
    before = await exists(store)
    assert await store.sessions.occupied(range(64)) == ()
    assert await exists(store) - before == 8


@pytest.mark.parametrize("gone", [False, True])
async def test_members_that_were_listed_before_take_one_round_trip(store: Store, gone: bool) -> None:
    for name in ("w-one", "w-two"):
        await store.members.beat(name, WorkerStatus(), LONG)
    first = await store.members.look()
    if gone:
        await redis_of(store).delete(keys.worker("w-two"))
    before = await reads(store)
    view = await store.members.look()
    assert await reads(store) - before == 2, "one round trip, and the look itself"
    assert set(first.members) == {"w-one", "w-two"}
    assert (set(view.members), view.gone) == (({"w-one"}, ("w-two",)) if gone else ({"w-one", "w-two"}, ()))
    await store.members.beat("w-three", WorkerStatus(), LONG)
    assert "w-three" in (await store.members.look()).members
