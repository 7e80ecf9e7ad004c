"""A reminder of a session whose turns need a process of their own."""

import pytest

from tests.support.until import until
from tests.tasks.test_reminders_and_notes import anyone
from tests.workers.pool import Pool
from tests.workers.test_own import ISOLATED, ONE, host, own


@pytest.mark.promise("own-process")
async def test_a_reminder_that_is_due_wakes_the_process_that_rests_and_asks_for_one_where_there_is_none(
    pool: Pool,
) -> None:
    shared = await pool.worker("w-one", isolated=ISOLATED)
    for text, seconds in (("tea", 60), ("cake", 120)):
        await shared.store.reminders.add(ONE, text, seconds, by=1)

    async def comes() -> None:
        pool.clock.advance(60)
        await host(shared)
        # As each worker's sweep does: what is due, then the sessions with work.
        assert await shared.store.reminders.fire(anyone) == 1
        assert await pool.pending() == [ONE]
        assert (await shared.answer(ONE))["outcome"] == "elsewhere"

    async with own(pool, COHORT_OWN_IDLE="600"):
        await comes()
        await pool.telegram.until_delivered(1)
        await until(lambda: pool.idle(ONE))
    assert await pool.store.own.wanted() == []
    await comes()
    assert await pool.store.own.wanted() == [ONE]
    assert len(pool.model.calls) == 1
    async with own(pool, "own-2"):
        await pool.telegram.until_delivered(2)
        await until(lambda: pool.idle(ONE))
    assert [(call.worker, call.texts) for call in pool.model.calls] == [("own-1", ["tea"]), ("own-2", ["cake"])]
    await pool.store.own.drop_wanted(ONE)  # as the host does that starts it
