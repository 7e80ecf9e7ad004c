"""Committed replies on their way to Telegram, through every refusal."""

import pytest

from tasks.envelope import Button, Reply
from tasks.phrases import speaking
from tasks.session import SessionKey
from tests.telegram.conftest import World
from workers.telegram.render import render


async def test_a_reply_is_sent_with_its_formatting(world: World) -> None:
    session = await world.session()
    (reply,) = render("**bold** and `code`")
    (sent,) = await world.delivery.deliver(session, reply)
    (message,) = await world.pg.bot_messages(session.chat)
    assert message["message_id"] == sent
    assert message["text"] == "bold and code"
    assert [(entity["type"], entity["offset"], entity["length"]) for entity in message["entities"]] == [
        ("bold", 0, 4),
        ("code", 9, 4),
    ]


@pytest.mark.promise("repeat-is-harmless")
async def test_the_final_text_is_an_edit_of_the_growing_message_so_that_a_repeat_shows_nothing_new(
    world: World,
) -> None:
    session = await world.session()
    (first,) = await world.delivery.deliver(session, Reply(text="so f"))
    reply = Reply(text="so far, so good", edit=first)
    assert await world.delivery.deliver(session, reply) == (first,)
    assert await world.delivery.deliver(session, reply) == (first,)
    assert await world.texts(session) == ["so far, so good"]


async def test_a_reply_in_a_topic_stays_in_it_and_answers_its_message(world: World) -> None:
    chat = (await world.pg.chat("supergroup", topics=["work"]))["id"]
    topic = await world.pg.topic(chat, "play")
    asked = await world.pg.say(chat, "hello", thread=topic)
    session = SessionKey(world.settings.bot_id, chat, topic)
    await world.delivery.deliver(session, Reply(text="hi", reply_to=asked.message_id))
    (message,) = await world.pg.bot_messages(chat, thread=topic)
    assert message["message_thread_id"] == topic
    assert message["reply_to_message"]["message_id"] == asked.message_id


async def test_a_question_that_was_deleted_meanwhile_is_still_answered(world: World) -> None:
    session = await world.session("group")
    await world.delivery.deliver(session, Reply(text="hi", reply_to=999))
    assert await world.texts(session) == ["hi"]


async def test_buttons_stand_under_the_reply(world: World) -> None:
    session = await world.session()
    await world.delivery.deliver(session, Reply(text="sorry", buttons=((Button(text="Again", data="retry"),),)))
    (message,) = await world.pg.bot_messages(session.chat)
    assert message["reply_markup"] == {"inline_keyboard": [[{"text": "Again", "callback_data": "retry"}]]}


async def test_the_file_of_a_very_long_answer_is_named_in_its_readers_language(world: World) -> None:
    session = await world.session()
    with speaking("de"):
        *_, file = render("Ein Satz. " * 10_000)
    await world.delivery.deliver(session, file)
    (message,) = await world.pg.bot_messages(session.chat)
    assert (message["document"]["file_name"], message["caption"]) == ("Antwort.md", "Die ganze Antwort")


async def test_a_very_long_answer_comes_as_its_beginning_and_a_file_that_holds_all(world: World) -> None:
    session = await world.session()
    source = "\n\n".join(f"Paragraph **{number}** <T>." for number in range(3000))
    for reply in render(source):
        await world.delivery.deliver(session, reply)
    beginning, *_, file = await world.pg.bot_messages(session.chat)
    assert beginning["text"].startswith("Paragraph 0 <T>.")
    assert file["document"]["file_name"] == "answer.md"
    found = await world.bot.get_file(file["document"]["file_id"])
    assert bytes(await found.download_as_bytearray()).decode() == source
