"""The client that Cohort uses, python-telegram-bot, meets the playground as it would meet Telegram."""

from collections.abc import AsyncIterator

import pytest
from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup, InputFile, MessageEntity, ReactionTypeEmoji
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
)

from playground import PLAYGROUND_TOKEN
from tests.playground.conformance import check_journal


@pytest.fixture
async def bot(url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bot]:
    monkeypatch.setenv("PTB_TIMEDELTA", "true")  # as `botapi.refusals` has it
    async with Bot(PLAYGROUND_TOKEN, base_url=f"{url}/bot", base_file_url=f"{url}/file/bot") as bot:
        yield bot


@pytest.fixture
async def chat(pg) -> int:
    return (await pg.chat())["id"]


@pytest.mark.promise("playground-is-telegram")
async def test_a_conversation_through_the_real_client(pg, bot, chat):
    await pg.say(chat, "/start", reply_to=(await pg.say(chat, "before")).message_id)
    before, start = await bot.get_updates(timeout=1, allowed_updates=["message", "callback_query"])
    assert start.message.parse_entities(["bot_command"]) == {start.message.entities[0]: "/start"}
    assert start.message.reply_to_message.text == before.message.text == "before"
    await bot.send_chat_action(chat, "typing")
    keyboard = InlineKeyboardMarkup([[InlineKeyboardButton("Stop", callback_data="stop")]])
    bold = [MessageEntity("bold", 0, 5)]
    sent = await bot.send_message(chat, "first words", entities=bold, reply_markup=keyboard)
    edited = await bot.edit_message_text("last words", chat, sent.message_id)
    assert (edited.text, edited.reply_markup) == ("last words", None)
    await bot.set_message_reaction(chat, start.message.message_id, [ReactionTypeEmoji("👍")])
    assert (await bot.get_chat(chat)).first_name == start.message.from_user.first_name
    await bot.set_my_commands([("new", "Start again")])
    assert [one.command for one in await bot.get_my_commands()] == ["new"]
    await bot.send_message_draft(chat, 3, "...")
    assert check_journal(await pg.journal()) > 8


async def test_a_press_through_the_real_client(pg, bot, chat):
    keyboard = InlineKeyboardMarkup([[InlineKeyboardButton("Stop", callback_data="stop")]])
    sent = await bot.send_message(chat, "running", reply_markup=keyboard)
    press = await pg.press(chat, sent.message_id, "stop")
    (update,) = await bot.get_updates()
    assert (update.callback_query.data, update.callback_query.message.message_id) == ("stop", sent.message_id)
    await update.callback_query.answer("Stopped")
    assert (await pg.press_answer(press["callback_query_id"]))["text"] == "Stopped"


async def test_files_through_the_real_client(pg, bot, chat):
    await pg.say(chat, voice=await pg.file(b"OggS" * 100, "v.ogg", mime="audio/ogg", kind="voice"), duration=7)
    (update,) = await bot.get_updates()
    assert update.message.voice.to_dict()["duration"] == 7
    file = await update.message.voice.get_file()
    assert bytes(await file.download_as_bytearray()) == b"OggS" * 100
    sent = await bot.send_document(chat, InputFile(b"col1,col2\n", "table.csv"), caption="a table")
    assert (sent.document.file_name, sent.caption) == ("table.csv", "a table")
    check_journal(await pg.journal())


async def test_errors_through_the_real_client(pg, bot, chat):
    sent = await bot.send_message(chat, "x")
    with pytest.raises(BadRequest, match="Message is not modified"):
        await bot.edit_message_text("x", chat, sent.message_id)
    with pytest.raises(BadRequest, match="Message to edit not found"):
        await bot.edit_message_text("y", chat, 999)
    with pytest.raises(BadRequest, match="Chat not found"):
        await bot.send_message(1, "x")
    await pg.fault("429", "sendMessage", retry_after=11)
    with pytest.raises(RetryAfter) as wait:
        await bot.send_message(chat, "x")
    assert "11" in str(wait.value)
    for kind in ("cut_before", "cut_after", "502", "500"):
        await pg.fault(kind, "sendMessage")
        with pytest.raises(NetworkError):
            await bot.send_message(chat, f"after {kind}")
    assert [message["text"] for message in await pg.bot_messages(chat)] == ["x", "after cut_after"]
    await pg.fault("garbage", "sendMessage")
    with pytest.raises(TelegramError, match="Invalid server response"):
        await bot.send_message(chat, "x")
    await pg.block(chat)
    with pytest.raises(Forbidden, match="bot was blocked by the user"):
        await bot.send_message(chat, "x")
    group = (await pg.chat("group"))["id"]
    new = await pg.migrate(group)
    with pytest.raises(ChatMigrated) as moved:
        await bot.send_message(group, "x")
    assert moved.value.new_chat_id == new
    await bot.set_webhook("http://127.0.0.1:1/hook")
    with pytest.raises(Conflict, match="webhook is active"):
        await bot.get_updates()


async def test_a_wrong_token_through_the_real_client(url):
    with pytest.raises(InvalidToken):
        async with Bot("123:wrong", base_url=f"{url}/bot"):
            pass
