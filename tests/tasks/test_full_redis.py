"""A Redis that is full: what an operator's page says to do about it works."""

import pytest

from tasks import keys
from tasks.session import SessionKey
from tasks.store import Store
from tests.support.redis_of import redis_of

BOT = 4242


@pytest.mark.promise("kept-days")
async def test_old_sessions_are_erased_while_redis_is_full_and_one_without_a_time_holds_up_no_other(
    store: Store,
) -> None:
    old, unmarked = [SessionKey(BOT, chat) for chat in range(1, 9)], SessionKey(BOT, 9)
    for session in (*old, unmarked):
        await redis_of(store).hset(keys.state(session), mapping={"history": "x", "epoch": "3"})  # type: ignore[misc]
    for session in old:
        await redis_of(store).hset(keys.state(session), "touched", "5")  # type: ignore[misc]
    await redis_of(store).config_set("maxmemory", "1mb")
    try:
        cursor, gone = await store.erasure.sweep(0, 1000, before=100.0, now=1000.0)
        while cursor:
            cursor, more = await store.erasure.sweep(cursor, 1000, before=100.0, now=1000.0)
            gone += more
    finally:
        await redis_of(store).config_set("maxmemory", 0)
    assert sorted(gone, key=str) == old
    # It counts from the first look at which there is room.
    assert not await redis_of(store).hexists(keys.state(unmarked), "touched")  # type: ignore[misc]
    await store.erasure.sweep(0, 1000, before=100.0, now=1000.0)
    assert await redis_of(store).hget(keys.state(unmarked), "touched") == b"1000"  # type: ignore[misc]
