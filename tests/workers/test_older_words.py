"""Words that a dead worker has shown stay until the turn that begins again has said as much."""

import pytest

from tests.workers.pool import Pool, Worker, session
from tests.workers.test_stopping import history, stop
from workers import texts

ONE = session(1)


async def heir(pool: Pool, says: str, mode: str = "collect") -> Worker:
    """A worker whose turn goes on in the message of one that died at "Once upon", and has said ``says``."""
    one, hold = await pool.worker("w-one"), pool.model.hold("long")
    pool.model.partial["long"] = "Once upon"
    await pool.say(1, "long")
    one.doorbell(ONE)
    await hold.reached()
    await pool.telegram.changes.until(lambda: bool(pool.telegram.noted))
    await one.kill()
    pool.model.partial["long"] = says
    two = await pool.worker("w-two", COHORT_QUEUE_MODE=mode)
    two.doorbell(ONE)
    await pool.model.changes.until(lambda: len(pool.model.calls) > 1)
    return two


@pytest.mark.promise("stop-keeps")
async def test_a_stop_keeps_the_longer_words_that_stand_there_from_before(pool: Pool) -> None:
    two = await heir(pool, "Once")
    await stop(pool, two)
    await pool.telegram.until_delivered(1)
    await pool.all_leave()
    assert list(pool.telegram.chat(ONE).shown.values()) == ["Once upon", texts.stopped(1)]
    assert pool.telegram.delivered[-1][1].disarms == tuple(pool.telegram.noted)
    assert await history(pool) == ["long", "Once upon [stopped]"]


@pytest.mark.promise("stop-keeps")
async def test_a_stop_keeps_the_words_that_took_the_place_of_those_from_before(pool: Pool) -> None:
    two = await heir(pool, "Twice upon a time")
    await pool.telegram.changes.until(lambda: "Twice upon a time" in pool.telegram.chat(ONE).shown.values())
    await stop(pool, two)
    await pool.telegram.until_delivered(1)
    await pool.all_leave()
    assert list(pool.telegram.chat(ONE).shown.values()) == [f"Twice upon a time\n\n{texts.stopped(1)}"]
    assert await history(pool) == ["long", "Twice upon a time [stopped]"]


@pytest.mark.promise("stop-keeps")
async def test_what_interrupts_such_a_turn_leaves_those_words(pool: Pool) -> None:
    two = await heir(pool, "Once", "interrupt")
    await pool.say(1, "next")
    pool.doorbell(two, ONE)
    await pool.telegram.until_delivered(2)
    await pool.all_leave()
    assert next(iter(pool.telegram.chat(ONE).shown.values())) == "Once upon"
    assert (await history(pool))[:2] == ["long", "Once upon [stopped]"]
