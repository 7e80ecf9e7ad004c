"""A message that comes while a turn runs joins it, in a chat that steers; whatever happens, it is answered once."""

from typing import Any

import pytest

from tasks.envelope import Media
from tests.support.redis_of import redis_of
from tests.workers.fakes import Hold
from tests.workers.pool import Pool, Worker, session

ONE = session(1)


@pytest.fixture
async def steering(pool: Pool) -> Worker:
    return await pool.worker("w-one", COHORT_QUEUE_MODE="steer")


async def running(pool: Pool, worker: Worker, text: str = "first") -> tuple[Any, Hold]:
    hold = pool.model.hold(text)
    await pool.say(1, text)
    turn = worker.doorbell(ONE)
    await hold.reached()
    return turn, hold


@pytest.mark.promise("steers")
async def test_a_message_joins_the_running_turn_and_goes_with_its_commit(pool: Pool, steering: Worker) -> None:
    turn, hold = await running(pool, steering)
    await pool.say(1, "second")
    assert (await steering.answer(ONE))["outcome"] == "joined"
    hold.go.set()
    await turn
    assert pool.telegram.texts(ONE) == ["answer to first second"]
    assert pool.telegram.answered(ONE) == [1, 2]
    assert len(pool.model.calls) == 1
    assert await pool.idle(ONE)


@pytest.mark.promise("steers")
async def test_without_a_further_model_call_it_is_the_next_turn(pool: Pool, steering: Worker) -> None:
    turn, hold = await running(pool, steering)
    # Its doorbell is late.
    await pool.say(1, "second")
    hold.go.set()
    await turn
    assert pool.telegram.texts(ONE) == ["answer to first", "answer to second"]
    assert pool.telegram.answered(ONE) == [1, 2]


@pytest.mark.promise("steers")
@pytest.mark.parametrize(
    "fields",
    [
        {"media": (Media(kind="photo", file_id="f"),)},
        {"album": "a", "at": 0.0},
        {"kind": "reminder"},
        {"text": "first, better", "edited": True, "message_id": 1},
    ],
)
async def test_what_cannot_join_and_what_stands_behind_it_are_the_next_turn(
    pool: Pool, steering: Worker, fields: dict[str, Any]
) -> None:
    turn, hold = await running(pool, steering)
    await pool.say_all(1, {"text": "second"}, {"text": "apart", **fields}, {"text": "third"})
    await steering.answer(ONE)
    hold.go.set()
    await turn
    said = pool.telegram.texts(ONE)
    assert said[0] == "answer to first second"
    assert said[1].endswith("third")
    assert sorted(pool.telegram.answered(ONE)) == [1, 2, 3, 4]


@pytest.mark.promise("steers")
async def test_a_worker_that_dies_when_it_was_given_to_the_model_leaves_it_to_its_heir(
    pool: Pool, steering: Worker
) -> None:
    joined = pool.model.hold("joined second")
    hold = pool.model.hold("first")
    await pool.say(1, "first")
    pool.doorbell(steering, ONE)
    await hold.reached()
    await pool.say(1, "second")
    await steering.answer(ONE)
    hold.go.set()
    await joined.reached()
    await steering.kill()
    joined.go.set()
    heir = await pool.worker("w-two", COHORT_QUEUE_MODE="steer")
    await heir.answer(ONE)
    assert sorted(pool.telegram.answered(ONE)) == [1, 2]
    assert await pool.idle(ONE)


@pytest.mark.promise("steers")
@pytest.mark.promise("poison-message")
async def test_a_message_that_ended_its_worker_after_it_joined_a_turn_twice_joins_none_again(
    pool: Pool, steering: Worker
) -> None:
    poison = pool.model.hold("joined poison")
    hold = pool.model.hold("innocent")
    await pool.say(1, "innocent")
    pool.doorbell(steering, ONE)
    await hold.reached()
    await pool.say(1, "poison")
    await steering.answer(ONE)
    hold.go.set()
    await poison.reached()
    await steering.kill()
    poison.begun.clear()
    heir = await pool.worker("w-two", COHORT_QUEUE_MODE="steer")
    pool.doorbell(heir, ONE)
    await poison.reached()
    await heir.kill()
    last = await pool.worker("w-three", COHORT_QUEUE_MODE="steer")
    await last.answer(ONE)
    assert pool.telegram.texts(ONE)[-2:] == ["answer to innocent", "answer to poison"]
    assert await pool.idle(ONE)


@pytest.mark.promise("steers")
async def test_in_a_chat_with_allowances_only_those_who_pay_for_the_turn_join_it(pool: Pool) -> None:
    worker = await pool.worker("w-one", COHORT_QUEUE_MODE="steer", COHORT_BUDGET_USER="100000")
    hold = pool.model.hold("first")
    ann, ben = {"sender": {"id": 7, "name": "Ann"}}, {"sender": {"id": 8, "name": "Ben"}}
    await pool.say(1, "first", **ann)
    turn = worker.doorbell(ONE)
    await hold.reached()
    await pool.say_all(1, {"text": "second", **ann}, {"text": "third", **ben})
    await worker.answer(ONE)
    hold.go.set()
    await turn
    assert pool.telegram.texts(ONE) == ["answer to first second", "answer to third"]


async def test_a_turn_that_nothing_joins_reads_the_inbox_no_more_often(pool: Pool, steering: Worker) -> None:
    await pool.say(1, "alone")
    before = await redis_of(pool.store).info("commandstats")
    await steering.answer(ONE)
    after = await redis_of(pool.store).info("commandstats")
    reads = [stats["cmdstat_lrange"]["calls"] if "cmdstat_lrange" in stats else 0 for stats in (before, after)]
    assert reads[1] - reads[0] <= 4, "claim and advance, inbox and outbox each"
