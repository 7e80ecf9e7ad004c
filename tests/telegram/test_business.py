"""Answers in the name of business accounts."""

from dataclasses import replace

import pytest

from tasks.envelope import Button, OutFile, Reply
from tasks.session import SessionKey
from tasks.stopping import exchange_buttons
from tests.telegram.conftest import World
from tests.telegram.stage import AT_ONCE, stage_with
from workers.texts import retry_button


async def customers(world: World) -> tuple[SessionKey, int]:
    """The session of a customer who has written, and the number of their chat in the playground."""
    connection = await world.pg.connect()
    chat = await world.pg.customer(connection["id"])
    await world.pg.say(chat["id"], "is it open?")
    return SessionKey(world.settings.bot_id, chat["chat"]["id"], business=connection["id"]), chat["id"]


async def words(world: World, chat: int) -> list[str]:
    return [message["text"] for message in await world.pg.bot_messages(chat)]


@pytest.mark.promise("business")
async def test_a_business_chat_is_answered_over_its_connection(world: World) -> None:
    session, chat = await customers(world)
    await world.pg.chat(user=session.chat)
    (sent,) = await world.delivery.deliver(session, Reply(text="hi"))
    await world.delivery.deliver(session, Reply(text="hi there", edit=sent))
    await world.delivery.deliver(session, Reply(text="", files=(OutFile(name="a.txt", size_bytes=1, data="eA=="),)))
    assert [message.get("text") for message in await world.pg.bot_messages(chat)] == ["hi there", None]
    assert await world.texts(session) == [], "the person's own chat with the bot is another one"


@pytest.mark.promise("business")
async def test_what_an_answer_of_a_business_account_no_longer_needs_goes_from_that_chat_alone(world: World) -> None:
    """The numbers of its messages mean others in the person's own chat with the bot."""
    session, chat = await customers(world)
    (passing,) = await world.delivery.deliver(session, Reply(text="first try"))
    await world.delivery.deliver(session, Reply(text="answer", drops=(passing,)))
    assert await words(world, chat) == ["answer"]
    (gone,) = await world.pg.journal(method="deleteBusinessMessages")
    assert gone["params"] == {"business_connection_id": session.business, "message_ids": [passing]}
    assert await world.pg.journal(method="deleteMessage") == []


@pytest.mark.promise("business")
async def test_a_customer_sees_no_button_that_steers_the_bot(world: World) -> None:
    stage = stage_with(world, replace(AT_ONCE, stop=0.0))
    session, chat = await customers(world)
    async with stage.live(session) as answer:
        answer.text("one")
        await world.pg.wait_for(chat, lambda ours: bool(ours) and ours[-1]["text"] == "one")
    asks = (Button(text="Yes", data="answer:1"),)
    for rows in (retry_button(), (exchange_buttons("0"),), (*retry_button(), asks)):
        await world.delivery.deliver(session, Reply(text="not now", buttons=rows))
    kept = [message.get("reply_markup") for message in await world.pg.bot_messages(chat)]
    assert kept == [None, None, None, {"inline_keyboard": [[{"text": "Yes", "callback_data": "answer:1"}]]}]


@pytest.mark.promise("business")
async def test_what_a_dead_worker_has_shown_is_learned_without_a_button_that_stays(world: World) -> None:
    stage = stage_with(world)
    session, chat = await customers(world)
    (earlier,) = await stage.delivery.deliver(session, Reply(text="Once upon a time"))
    async with stage.live(session, message_ids=(earlier,), older=True) as answer:
        answer.text("Once upon a time there")
        await world.pg.wait_for(chat, lambda ours: ours[-1]["text"] == "Once upon a time there")
    assert "reply_markup" not in (await world.pg.bot_messages(chat))[-1]
