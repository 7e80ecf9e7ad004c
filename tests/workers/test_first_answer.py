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


async def test_a_long_answer_is_rendered_beside_the_loop_and_a_short_one_in_it(pool: Pool) -> None:
    worker = await pool.worker("w-one", COHORT_MODEL="haiku")
    for text in ("one", "long " * 1000):
        await pool.say(1, text)
        await worker.answer(ONE)
    assert worker.delivery.rendered_in == [True, False]
