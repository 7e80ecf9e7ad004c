"""The judge itself: it accepts what is right and names what is not."""

import pytest

from tests.playground.conformance import NotConforming, check_journal, check_request, check_update

MESSAGE = {
    "message_id": 1,
    "from": {"id": 7, "is_bot": False, "first_name": "Ada"},
    "chat": {"id": 7, "type": "private", "first_name": "Ada"},
    "date": 1_800_000_000,
    "text": "/start",
    "entities": [{"type": "bot_command", "offset": 0, "length": 6}],
}


def test_a_right_update_passes():
    assert check_update({"update_id": 5, "message": MESSAGE}).message.text == "/start"


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"colour": "red"}, "update.message.colour: Message has no such field"),
        ({"chat": {"id": 7, "type": "private", "mood": 1}}, "update.message.chat.mood: Chat has no such field"),
        (
            {"entities": [{"type": "bold", "offset": 0, "length": 1, "size": 3}]},
            "size: MessageEntity has no such field",
        ),
        ({"date": "yesterday"}, "update.message.date"),
        ({"from": {"id": 7}}, "first_name: Field required"),
    ],
)
def test_a_wrong_update_is_named(change, complaint):
    with pytest.raises(NotConforming, match=complaint):
        check_update({"update_id": 5, "message": MESSAGE | change})


def test_an_update_tells_of_one_thing():
    with pytest.raises(NotConforming, match="one thing that happened"):
        check_update({"update_id": 5, "message": MESSAGE, "edited_message": MESSAGE})


def test_a_right_request_passes():
    check_request("sendMessage", {"chat_id": "7", "text": "x", "reply_parameters": {"message_id": 1}})
    check_request("SENDDOCUMENT", {"chat_id": 7, "document": {"file": "a.txt", "size": 5}})
    check_request("getUpdates", {"offset": 1, "timeout": 30, "allowed_updates": ["message"]})
    button = {"text": "x", "callback_data": "y", "style": "danger"}
    check_request("sendMessage", {"chat_id": 7, "text": "x", "reply_markup": {"inline_keyboard": [[button]]}})


@pytest.mark.parametrize(
    ("method", "params", "complaint"),
    [
        ("sendMesage", {}, "no such method"),
        ("sendMessage", {"chat_id": 7, "text": "x", "markdown": True}, "has no parameter markdown"),
        ("sendMessage", {"chat_id": 7}, "needs text"),
        (
            "sendMessage",
            {"chat_id": 7, "text": "x", "entities": [{"type": "bold", "offset": 0, "length": 1, "lenght": 2}]},
            r"entities\[0\].lenght: MessageEntity has no such field",
        ),
        (
            "sendMessage",
            {"chat_id": 7, "text": "x", "reply_markup": {"inline_keyboard": [[{"text": "x", "data": "y"}]]}},
            "data: InlineKeyboardButton has no such field",
        ),
        ("sendMessage", {"chat_id": 7, "text": "x", "reply_parameters": {"messageid": 1}}, "messageid"),
    ],
)
def test_a_wrong_request_is_named(method, params, complaint):
    with pytest.raises(NotConforming, match=complaint):
        check_request(method, params)


@pytest.mark.promise("playground-is-telegram")
async def test_a_whole_journal_is_judged(pg):
    chat = (await pg.chat())["id"]
    await pg.call("sendMessage", chat_id=chat, text="x", entities=[{"type": "bold", "offset": 0, "length": 1}])
    await pg.call("getMe")
    assert check_journal(await pg.journal()) == 2
    await pg.call("sendMessage", chat_id=chat, text="x", wrong=1)
    with pytest.raises(NotConforming, match="call 3: sendMessage: has no parameter wrong"):
        check_journal(await pg.journal())
