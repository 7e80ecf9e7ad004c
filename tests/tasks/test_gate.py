"""More commands at once than there are connections to Redis."""

import asyncio
from functools import partial

import pytest
from redis import exceptions

from tasks import keys
from tasks.store.connection.gate import Gate
from tasks.store.connection.redis import connection

LONG = 60.0


async def test_commands_of_a_flood_wait_for_one_another_and_none_fails(redis_url: str) -> None:
    async with connection(redis_url, connections=4) as redis:

        async def one() -> int:
            return await redis.exists(keys.DEAD)

        async with asyncio.TaskGroup() as flood:
            asked = [flood.create_task(one(), name="command") for _ in range(300)]
        assert [one.result() for one in asked] == [0] * 300


async def test_so_many_are_let_in_and_the_others_in_their_order() -> None:
    gate, running, most, order = Gate(2, LONG, LONG), 0, 0, list[int]()

    async def one(number: int) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        order.append(number)
        await asyncio.sleep(0)
        running -= 1

    async with asyncio.TaskGroup() as group:
        for number in range(20):
            group.create_task(gate.through(partial(one, number)), name=str(number))
    assert (most, order) == (2, list(range(20)))


class Held:
    """A command without an answer, until it is let go."""

    def __init__(self) -> None:
        self.sent, self.answer = 0, asyncio.Event()

    async def __call__(self) -> None:
        self.sent += 1
        await self.answer.wait()

    async def answered(self) -> None:
        """The answer comes a moment later."""
        await asyncio.sleep(0)
        self.answer.set()


async def test_one_that_waits_in_vain_is_told_so_and_one_that_gave_up_takes_no_room() -> None:
    hasty, patient, first, later = Gate(1, 0.0, LONG), Gate(1, LONG, LONG), Held(), Held()
    async with asyncio.timeout(LONG), asyncio.TaskGroup() as group:
        for gate in (hasty, patient):
            group.create_task(gate.through(first), name="first")
        await asyncio.sleep(0)
        with pytest.raises(exceptions.TimeoutError, match="no answer"):
            await hasty.through(later)
        waits = group.create_task(patient.through(later), name="waits")
        await asyncio.sleep(0)
        waits.cancel()
        first.answer.set()
    later.answer.set()
    async with asyncio.timeout(LONG):
        await patient.through(later)
        await hasty.through(later)
    assert (first.sent, later.sent) == (2, 2)


async def test_a_wait_and_its_answer_have_one_limit_together() -> None:
    gate, first, later = Gate(1, LONG, 0.05), Held(), Held()
    async with asyncio.timeout(LONG), asyncio.TaskGroup() as group:
        group.create_task(gate.through(first), name="first")
        await asyncio.sleep(0)
        group.create_task(first.answered(), name="answer")
        with pytest.raises(exceptions.TimeoutError, match="no answer"):
            await gate.through(later)
    # What was ended has left its room.
    later.answer.set()
    async with asyncio.timeout(LONG):
        await gate.through(later)
