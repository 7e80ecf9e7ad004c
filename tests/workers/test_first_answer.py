"""The first answer of a conversation says when no real model gave it."""

from tests.workers.pool import Pool, session

ONE = session(1)


async def test_the_first_answer_of_a_stand_in_says_so_and_the_second_does_not(pool: Pool) -> None:
    worker = await pool.worker("w-one", COHORT_MODEL="passthrough")
    for text in ("one", "two"):
        await pool.say(1, text)
        await worker.answer(ONE)
    first, second = pool.telegram.texts(ONE)
    assert "No model answers here" in first
    assert "No model answers here" not in second


async def test_a_real_models_answer_stands_alone(pool: Pool) -> None:
    worker = await pool.worker("w-one", COHORT_MODEL="haiku")
    await pool.say(1, "one")
    await worker.answer(ONE)
    assert pool.telegram.texts(ONE) == ["answer to one"]
