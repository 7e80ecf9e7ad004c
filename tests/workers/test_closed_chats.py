"""A chat that takes no message is known to operators, until it takes one."""

import pytest

from tests.workers.pool import Pool, session


@pytest.mark.promise("closed-chats")
async def test_a_chat_that_refuses_an_answer_is_closed_until_it_takes_one(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    one = session(1)
    worker.delivery.gone.add(one)
    await pool.say(1, "a")
    await worker.answer(one)
    assert [(chat.chat, chat.why) for chat in await pool.store.closed.look()] == [(one.chat, "blocked")]
    worker.delivery.gone.clear()
    await pool.say(1, "b")
    await worker.answer(one)
    assert await pool.store.closed.look() == []
