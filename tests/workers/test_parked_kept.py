"""What a parked turn leaves behind while it waits: no allowance; and what it keeps through a pause and a restore."""

from collections.abc import AsyncIterator

import pytest

from tasks.store.backup import StoredKey, dump, restore
from tests.support.redis_of import redis_of
from tests.workers.asking import ONE, Asking, parked, press
from tests.workers.pool import Pool
from tests.workers.test_budgets import BIG, held
from workers.interfaces import Sink, TurnRequest, TurnResult
from workers.steps import PersonsAnswer
from workers.usage import Usage


@pytest.mark.promise("parked")
async def test_a_parked_turn_holds_no_allowance_and_holds_it_again_when_it_goes_on(pool: Pool) -> None:
    during: list[int] = []

    class Paid(Asking):
        async def run(self, request: TurnRequest, sink: Sink) -> TurnResult:
            during.append(len(await held(pool, "user:7", "chat:1")))
            request.spent(Usage(10, 0, "priced"))
            return await super().run(request, sink)

    await parked(pool, runtime=Paid(), COHORT_BUDGET_USER=BIG, COHORT_BUDGET_CHAT=BIG)
    assert await held(pool, "user:7", "chat:1") == []
    await press(pool, "once")
    await pool.workers["w-one"].answer(ONE)
    assert during == [2, 2]
    assert await held(pool, "user:7", "chat:1") == []
    assert (await pool.state(ONE))["input_tokens"] == "20"
    assert await pool.idle(ONE)


@pytest.mark.promise("parked")
async def test_an_answer_that_waited_until_the_question_had_expired_counts(pool: Pool) -> None:
    runtime = await parked(pool)
    await press(pool, "once")
    # As while an operator has paused turns, or all workers are down.
    pool.clock.advance(7 * 24 * 3600)
    assert await pool.pending() == [ONE]
    await pool.workers["w-one"].answer(ONE)
    assert runtime.seen[-1].answers == {"k1/0": PersonsAnswer("run", person=7)}
    assert await pool.idle(ONE)


@pytest.mark.promise("backup")
async def test_a_question_is_answered_after_its_session_was_restored_from_a_backup(pool: Pool) -> None:
    redis = redis_of(pool.store)
    await parked(pool)
    kept = [record async for record in dump(redis, pool.clock)]
    await pool.workers["w-one"].kill()
    await redis.flushdb()

    async def records() -> AsyncIterator[StoredKey]:
        for record in kept:
            yield record

    await restore(redis, records(), pool.clock)
    assert await pool.pending() == [ONE], "a sweep looks at it once, and counts its question again"
    runtime = Asking()
    heir = await pool.worker("w-two", real=runtime)
    await heir.answer(ONE)
    assert runtime.seen == []
    assert await pool.pending() == []
    assert await pool.store.sessions.parked_turns(64) == 1
    await press(pool, "once")
    await heir.answer(ONE)
    assert runtime.seen[0].answers == {"k1/0": PersonsAnswer("run", person=7)}
    assert runtime.kept == [[b"step 0"]], "no finished step is made again"
    assert await pool.idle(ONE)


@pytest.mark.promise("parked")
async def test_the_load_counts_a_parked_turn_from_its_answer_on_and_not_while_it_rests(pool: Pool) -> None:
    await parked(pool)
    assert await pool.store.sessions.depths(range(64)) == []
    await press(pool, "once")
    assert [depth.sessions for depth in await pool.store.sessions.depths(range(64))] == [1]
