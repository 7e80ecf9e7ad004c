"""Editing and deleting, with the errors a streaming bot lives by."""

import pytest

from tests.playground.conformance import check_result
from tests.playground.test_sending import refused, sent

NOT_MODIFIED = (
    400,
    (
        "Bad Request: message is not modified: specified new message content and reply markup are exactly the same as a"
        " current content and reply markup of the message"
    ),
)
KEYBOARD = {"inline_keyboard": [[{"text": "Stop", "callback_data": "stop"}]]}


@pytest.fixture
async def chat(pg) -> int:
    return (await pg.chat())["id"]


async def test_an_edit_replaces_text_entities_and_keyboard(pg, chat):
    bold = [{"type": "bold", "offset": 0, "length": 5}]
    first = await sent(pg, chat, "first", entities=bold, reply_markup=KEYBOARD)
    answer = await pg.call("editMessageText", chat_id=chat, message_id=first["message_id"], text="second")
    check_result("editMessageText", answer["result"])
    (now,) = await pg.bot_messages(chat)
    assert now == answer["result"]
    assert now["text"] == "second"
    assert now["edit_date"] >= now["date"]
    assert "entities" not in now
    assert "reply_markup" not in now


async def test_an_edit_that_changes_nothing_is_refused(pg, chat):
    bold = [{"type": "bold", "offset": 0, "length": 4}]
    first = await sent(pg, chat, "same", entities=bold, reply_markup=KEYBOARD)
    edit = {"chat_id": chat, "message_id": first["message_id"], "text": "same "}
    assert await refused(pg, "editMessageText", **edit, entities=bold, reply_markup=KEYBOARD) == NOT_MODIFIED
    assert (await pg.call("editMessageText", **edit, reply_markup=KEYBOARD))["ok"]
    assert (await pg.call("editMessageText", **edit))["ok"]
    assert await refused(pg, "editMessageText", **edit) == NOT_MODIFIED


async def test_only_the_bots_own_messages_can_be_edited(pg, chat):
    theirs = await pg.say(chat, "mine")
    mine = {"chat_id": chat, "message_id": theirs.message_id, "text": "x"}
    assert await refused(pg, "editMessageText", **mine) == (400, "Bad Request: message can't be edited")
    missing = (400, "Bad Request: message to edit not found")
    assert await refused(pg, "editMessageText", **(mine | {"message_id": 99})) == missing


async def test_an_edit_that_is_too_long_has_its_own_words(pg, chat):
    first = await sent(pg, chat, "x")
    edit = {"chat_id": chat, "message_id": first["message_id"]}
    assert await refused(pg, "editMessageText", **edit, text="x" * 4097) == (400, "Bad Request: MESSAGE_TOO_LONG")
    assert await refused(pg, "editMessageText", **edit, text="") == (400, "Bad Request: message text is empty")


async def test_the_keyboard_changes_alone(pg, chat):
    first = await sent(pg, chat, "text stays")
    here = {"chat_id": chat, "message_id": first["message_id"]}
    got = (await pg.call("editMessageReplyMarkup", **here, reply_markup=KEYBOARD))["result"]
    assert (got["text"], got["reply_markup"]) == ("text stays", KEYBOARD)
    assert await refused(pg, "editMessageReplyMarkup", **here, reply_markup=KEYBOARD) == NOT_MODIFIED
    assert "reply_markup" not in (await pg.call("editMessageReplyMarkup", **here))["result"]


async def test_messages_are_deleted_within_two_days(pg, chat, clock):
    first, second = await sent(pg, chat, "one"), await sent(pg, chat, "two")
    assert (await pg.call("deleteMessage", chat_id=chat, message_id=first["message_id"]))["result"] is True
    assert [message["text"] for message in await pg.messages(chat)] == ["two"]
    missing = (400, "Bad Request: message to delete not found")
    assert await refused(pg, "deleteMessage", chat_id=chat, message_id=first["message_id"]) == missing
    edit = {"chat_id": chat, "message_id": first["message_id"], "text": "x"}
    assert await refused(pg, "editMessageText", **edit) == (400, "Bad Request: message to edit not found")
    clock.ahead += 49 * 3600
    late = (400, "Bad Request: message can't be deleted")
    assert await refused(pg, "deleteMessage", chat_id=chat, message_id=second["message_id"]) == late
