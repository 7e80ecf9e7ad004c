"""More commands at once than there are connections to Redis."""

import asyncio

import pytest
from redis import exceptions

from tasks import keys
from tasks.store.connection.gate import Gate
from tasks.store.connection.redis import connection

LONG = 60.0


async def test_commands_of_a_flood_wait_for_one_another_and_none_fails(redis_url: str) -> None:
    async with connection(redis_url, connections=4) as redis:
        async with asyncio.TaskGroup() as flood:
            asked = [flood.create_task(redis.exists(keys.DEAD), name="command") for _ in range(300)]
        assert [one.result() for one in asked] == [0] * 300


async def test_so_many_are_let_in_and_the_others_in_their_order() -> None:
    gate, running, most, order = Gate(2, LONG), 0, 0, list[int]()

    async def one(number: int) -> None:
        nonlocal running, most
        async with gate:
            running += 1
            most = max(most, running)
            order.append(number)
            await asyncio.sleep(0)
            running -= 1

    async with asyncio.TaskGroup() as group:
        for number in range(20):
            group.create_task(one(number), name=str(number))
    assert (most, order) == (2, list(range(20)))


async def test_one_that_waits_in_vain_is_told_so_and_one_that_gave_up_takes_no_room() -> None:
    gate = Gate(1, 0.0)
    async with gate:
        with pytest.raises(exceptions.TimeoutError, match="no answer"):
            async with gate:
                pytest.fail("there was no room")
    patient = Gate(1, LONG)
    async with asyncio.TaskGroup() as group, patient:
        waits = group.create_task(patient.__aenter__(), name="waits")
        await asyncio.sleep(0)
        waits.cancel()
    async with asyncio.timeout(LONG), patient:
        pass
