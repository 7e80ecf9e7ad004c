"""A delivered answer is known by its message, so that a thumb at it finds its turn."""

import pytest

from tasks import keys
from tasks.envelope import OutFile, Reply
from tests.support.redis_of import redis_of
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


@pytest.mark.promise("feedback")
async def test_each_message_of_an_answer_leads_to_what_it_answers(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    one = session(1)
    pictures = tuple(OutFile(kind="photo", name=f"{number}.png", data="aGk=") for number in range(3))
    long = Reply(id="a", text="the end", answers=(7,), shown=(50, 51))
    album = Reply(v=2, id="b", text="", answers=(8,), files=pictures)
    await redis_of(pool.store).rpush(keys.outbox(one), long.to_json(), album.to_json())
    await pool.say(1, "go on")
    await worker.answer(one)
    found = [await pool.store.feedback.answer(one.bot, one.chat, number) for number in (50, 51, 101, 102, 103, 104)]
    assert found == [(one, 7)] * 3 + [(one, 8)] * 3
