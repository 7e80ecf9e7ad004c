"""A chat that takes no message is known to operators, until it takes one."""

import pytest

from botapi.errors import Undeliverable
from tasks.envelope import OutFile, Reply
from tasks.session import SessionKey
from tests.conftest import BOT
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


@pytest.mark.promise("closed-chats")
async def test_a_group_that_takes_files_and_no_text_is_muted(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    one = session(-1)

    async def no_text(_: SessionKey, reply: Reply) -> None:
        if not reply.files:
            raise Undeliverable("Not enough rights to send text messages to the chat")

    worker.delivery.before = no_text
    pool.model.files["draw"] = (OutFile(kind="photo", data="aGk=", name="a.png"),)
    await pool.say(-1, "draw")
    await worker.answer(one)
    assert [len(reply.files) for _, reply in pool.telegram.delivered] == [1]
    assert [(chat.chat, chat.why) for chat in await pool.store.closed.look()] == [(one.chat, "muted")]
    worker.delivery.before = None
    await pool.say(-1, "a")
    await worker.answer(one)
    assert await pool.store.closed.look() == []


@pytest.mark.promise("closed-chats")
async def test_a_business_account_that_refuses_closes_no_private_chat_of_its_customer(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    customer = SessionKey(BOT, 1, business="bc1")
    worker.delivery.gone.add(customer)
    await pool.say(1, "a", session=str(customer))
    await worker.answer(customer)
    assert await pool.store.closed.look() == []


@pytest.mark.promise("closed-chats")
async def test_an_answer_that_finds_no_way_out_of_its_topic_is_told_as_refused_and_not_as_delivered(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    one = session(1)
    worker.delivery.gone.add(one)
    worker.delivery.gone_why = "Topic_closed"
    await pool.say(1, "a")
    await worker.answer(one)
    assert [(chat.chat, chat.why) for chat in await pool.store.closed.look()] == [(one.chat, "shut")]
    (record,) = worker.deps.trail.take()
    assert (record.outcome, record.delivered, record.refused) == ("answered", None, "Topic_closed")
    worker.delivery.gone.clear()
    await pool.say(1, "b")
    await worker.answer(one)
    (record,) = worker.deps.trail.take()
    assert (record.delivered is not None, record.refused) == (True, "")
