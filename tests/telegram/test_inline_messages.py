"""Answers in inline messages: one message of another chat, known by an id of its own and changed by it alone."""

from typing import Any

import pytest
from telegram import InlineKeyboardButton, InlineKeyboardMarkup, InlineQueryResultArticle, InputTextMessageContent

from botapi.errors import Undeliverable
from botapi.split import LIMIT
from tasks.envelope import Button, OutFile, Reply
from tasks.session import INLINE_MESSAGE, SessionKey
from tasks.text import utf16
from tests.telegram.conftest import World
from tests.telegram.stage import stage_with

LONG = " ".join(f"word{number}" for number in range(2_000))


async def opened(world: World) -> tuple[SessionKey, int]:
    """A person has called the bot as a guest: the session of its message, and the chat in which that stands."""
    chat = (await world.pg.chat("group"))["id"]
    await world.pg.member(chat, "left")
    said = await world.pg.summon(chat, "how warm is it?")
    (*_, update) = await world.bot.get_updates(allowed_updates=["guest_message"])
    assert update.guest_message is not None
    query = update.guest_message.guest_query_id
    assert query is not None
    markup = InlineKeyboardMarkup([[InlineKeyboardButton("one moment", callback_data="waits")]])
    article = InlineQueryResultArticle("1", "Ask", InputTextMessageContent("one moment"), reply_markup=markup)
    sent = await world.bot.answer_guest_query(query, article)
    return SessionKey(world.settings.bot_id, said.message["from"]["id"], inline=sent.inline_message_id), chat


async def shown(world: World, chat: int) -> dict[str, Any]:
    (message,) = await world.pg.bot_messages(chat)
    return message


async def test_an_answer_takes_the_place_of_the_first_words_and_their_button(world: World) -> None:
    session, chat = await opened(world)
    (reply,) = world.delivery.render("It is **12** degrees.", alone=True)
    assert await world.delivery.deliver(session, reply) == (INLINE_MESSAGE,)
    message = await shown(world, chat)
    assert (message["text"], message["entities"][0]["type"]) == ("It is 12 degrees.", "bold")
    assert "reply_markup" not in message
    # Delivered once more, after a worker died, it is the same edit.
    assert await world.delivery.deliver(session, reply) == (INLINE_MESSAGE,)


async def test_an_answer_that_is_too_long_for_its_one_message_ends_with_a_line_that_says_so(world: World) -> None:
    session, chat = await opened(world)
    replies = world.delivery.render(LONG, notes=["A note."], alone=True)
    for reply in replies:
        await world.delivery.deliver(session, reply)
    text = (await shown(world, chat))["text"]
    assert len(replies) == 1
    assert text.startswith("word0 word1")
    assert text.endswith("A note.")
    assert "didn't fit" in text
    assert utf16(text) <= LIMIT


async def test_what_telegram_finds_too_long_is_cut_and_never_overwritten_by_its_own_end(world: World) -> None:
    session, chat = await opened(world)
    await world.pg.fault("error", "editMessageText", code=400, description="Bad Request: MESSAGE_TOO_LONG", count=1)
    await world.delivery.deliver(session, Reply(text=LONG[:3_000], edit=INLINE_MESSAGE))
    text = (await shown(world, chat))["text"]
    assert text.startswith("word0 word1")
    assert text.endswith("…")
    await world.delivery.deliver(session, Reply(text=LONG))
    assert (await shown(world, chat))["text"].startswith("word0 word1")


async def test_files_and_buttons_have_no_place_in_it_and_leave_the_answer(world: World) -> None:
    session, chat = await opened(world)
    buttons = ((Button(text="Retry", data="retry"),),)
    await world.delivery.deliver(session, Reply(text="the answer", buttons=buttons))
    await world.delivery.deliver(session, Reply(text="", files=(OutFile(name="a.txt", data="aGk="),)))
    await world.delivery.deliver(session, Reply(text="whole", file_name="answer.md", file_text="x"))
    message = await shown(world, chat)
    assert (message["text"], "reply_markup" in message) == ("the answer", False)


@pytest.mark.parametrize("said", ["MESSAGE_ID_INVALID", "message to edit not found", "message can't be edited"])
async def test_a_message_that_is_gone_is_given_up_at_once(world: World, said: str) -> None:
    session, _ = await opened(world)
    await world.pg.fault("error", "editMessageText", code=400, description=f"Bad Request: {said}", count=50)
    with pytest.raises(Undeliverable):
        await world.delivery.deliver(session, Reply(text="late", drops=(3,), disarms=(4,)))
    assert len(await world.pg.journal(method="editMessageText")) == 1
    assert await world.pg.journal(method="sendMessage") == []


async def test_it_grows_as_any_answer_without_a_sign_or_a_button_in_the_persons_own_chat(world: World) -> None:
    session, chat = await opened(world)
    stage = stage_with(world)
    async with stage.live(session) as answer:
        answer.text("It is")
        await world.pg.wait_for(chat, lambda ours: bool(ours) and ours[-1]["text"] == "It is", timeout=60)
    assert (stage.stored, answer.message_ids) == ([INLINE_MESSAGE], (INLINE_MESSAGE,))
    methods = {entry["method"] for entry in await world.pg.journal()}
    assert methods.isdisjoint({"sendMessage", "sendChatAction", "sendMessageDraft"})


async def test_a_question_whose_answer_has_no_words_yet_says_that_it_comes(world: World) -> None:
    session, chat = await opened(world)
    async with stage_with(world).live(session) as answer:
        answer.heard("how warm is it?")
        await world.pg.wait_for(chat, lambda ours: ours[-1]["text"] == "how warm is it?\n\n…", timeout=60)
        answer.text("It is")
        await world.pg.wait_for(chat, lambda ours: ours[-1]["text"] == "how warm is it?\n\nIt is", timeout=60)
