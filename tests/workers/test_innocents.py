"""What is promised to messages whose workers die of something else."""

import asyncio
from collections.abc import Iterable

import pytest

from tasks.phrases import phrase
from tasks.store.connection.redis import script
from tests.support.redis_of import redis_of
from tests.workers.mishaps import letters
from tests.workers.pool import Pool, Worker, session
from workers.interfaces import TurnFailed


async def at_work(worker: Worker, chats: Iterable[int], running: int) -> None:
    """Each chat has a doorbell, in this order, and so many turns have a lane."""
    calls = worker.pool.model.calls
    for chat in chats:
        worker.doorbell(session(chat))
    await worker.pool.model.changes.until(lambda: sum(call.worker == worker.name for call in calls) == running)


async def all_answered(heir: Worker, chats: Iterable[int]) -> None:
    async with asyncio.TaskGroup() as group:
        for chat in chats:
            group.create_task(heir.answer(session(chat)), name=f"answer {chat}")


@pytest.mark.promise("poison-message")
async def test_three_deaths_of_a_crowded_worker_bury_no_message_that_waited_for_a_lane(pool: Pool) -> None:
    chats = range(1, 41)
    for chat in chats:
        await pool.say(chat, "patient")
    hold = pool.model.hold("patient")
    for number in range(3):
        worker = await pool.worker(f"w-{number}", lanes=2)
        # Those in a lane are others each time.
        await at_work(worker, chats[2 * number :][:2], running=2)
        await at_work(worker, (*chats[2 * number + 2 :], *chats[: 2 * number]), running=2)
        await worker.runtime.waiting.until(lambda runtime=worker.runtime: runtime.queued == 38)
        await worker.kill()
    assert [(await pool.state(session(chat)))["tries"] for chat in (1, 40)] == ["1", "0"]
    hold.go.set()
    heir = await pool.worker("w-heir")
    await all_answered(heir, chats)

    assert await letters(pool) == []
    assert {reply.text for _, reply in pool.telegram.delivered} == {"answer to patient"}
    assert pool.telegram.ended() == set(chats)


@pytest.mark.promise("poison-message")
async def test_turns_that_ran_beside_a_poisonous_one_at_each_of_its_deaths_are_answered(pool: Pool) -> None:
    beside = range(2, 10)
    await pool.say(1, "poison")
    for chat in beside:
        await pool.say(chat, "harmless")
    holds = [pool.model.hold(text) for text in ("poison", "harmless")]
    # On its last try each is run without the others.
    for number, running in enumerate((9, 9, 1)):
        worker = await pool.worker(f"w-{number}")
        await at_work(worker, (1, *beside), running)
        await worker.kill()
    for hold in holds:
        hold.go.set()
    heir = await pool.worker("w-heir")
    await all_answered(heir, (1, *beside))

    assert [letter.session for letter in await letters(pool)] == [str(session(1))]
    assert pool.telegram.texts(session(1)) == [phrase("poison")]
    assert all(pool.telegram.texts(session(chat)) == ["answer to harmless"] for chat in beside)
    await pool.say(1, "hello")
    await heir.answer(session(1))
    assert pool.telegram.texts(session(1))[1:] == ["answer to hello"]


@pytest.mark.promise("poison-message")
async def test_while_a_message_on_its_last_try_waits_out_an_outage_another_has_its_last_try(pool: Pool) -> None:
    for chat in (1, 2):
        await pool.say(chat, f"message {chat}")
    holds = [pool.model.hold(f"message {chat}") for chat in (1, 2)]
    for number in range(2):
        worker = await pool.worker(f"w-{number}")
        await at_work(worker, (1, 2), running=2)
        await worker.kill()
    for hold in holds:
        hold.go.set()
    pool.model.fail("message 1", TurnFailed("retry", "Later.", "outage"))
    pool.naps.awake.clear()
    heir = await pool.worker("w-heir")
    waiting = heir.doorbell(session(1))
    await pool.naps.changes.until(lambda: len(pool.naps.taken) == 1)
    await heir.answer(session(2))
    assert pool.telegram.texts(session(2)) == ["answer to message 2"]
    assert not waiting.done()
    pool.naps.awake.set()
    await waiting
    assert pool.telegram.texts(session(1)) == ["answer to message 1"]


def counting_claims(worker: Worker) -> Worker:
    """The worker counts a try at each claim, as the release before did."""
    before = script("claim").replace("math.max(stored, 1)", "tries")
    assert before != script("claim")
    worker.deps.sessions._claim = redis_of(worker.store).register_script(before)  # type: ignore[assignment]
    return worker


@pytest.mark.promise("poison-message")
@pytest.mark.parametrize("before", [(0,), (1,), (2,), (0, 1), (0, 2), (1, 2)])
async def test_beside_workers_of_the_release_before_a_poisonous_message_ends_with_its_third_death(
    pool: Pool, before: tuple[int, ...]
) -> None:
    await pool.say(1, "poison")
    pool.model.hold("poison")
    for number in range(3):
        worker = await pool.worker(f"w-{number}")
        await at_work(counting_claims(worker) if number in before else worker, (1,), running=1)
        await worker.kill()
    await (await pool.worker("w-heir")).answer(session(1))
    assert [letter.session for letter in await letters(pool)] == [str(session(1))]


@pytest.mark.promise("poison-message")
async def test_two_deaths_that_the_release_before_counted_and_many_that_are_none_bury_no_message(pool: Pool) -> None:
    await pool.say(1, "busy")
    await pool.say(2, "patient")
    hold = pool.model.hold("busy")
    for number in range(4):
        # Of the busy one no try is kept, so that it is not given up and has the lane in each worker.
        worker = await pool.worker(f"w-{number}", lanes=1)
        await at_work(worker, (1,), running=1)
        await at_work(counting_claims(worker) if number < 2 else worker, (2,), running=1)
        await worker.runtime.waiting.until(lambda runtime=worker.runtime: runtime.queued == 1)
        await worker.kill()
        await redis_of(pool.store).hdel(f"cohort:s:{session(1)}:state", "tries")
    hold.go.set()
    heir = await pool.worker("w-heir")
    await all_answered(heir, (1, 2))
    assert await letters(pool) == []
    assert pool.telegram.texts(session(2)) == ["answer to patient"]
