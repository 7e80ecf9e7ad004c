"""A delivered answer is known by its message, so that a thumb at it finds its turn."""

import pytest

from tests.workers.pool import Pool, session


@pytest.mark.promise("feedback")
async def test_the_message_that_shows_an_answer_leads_to_what_it_answers(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    one = session(1)
    for text in ("a", "b"):
        await pool.say(1, text)
        await worker.answer(one)
    found = [await pool.store.feedback.answer(one.bot, one.chat, number) for number in range(100, 120)]
    assert [answer for answer in found if answer is not None] == [(one, 1), (one, 2)]
