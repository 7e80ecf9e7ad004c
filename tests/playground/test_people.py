"""What people do, and the updates it makes: each one judged by aiogram's models."""

import pytest

from playground.client import PlaygroundError
from tests.playground.conformance import check_update
from tests.playground.test_sending import refused, sent

PNG = bytes.fromhex("89504e470d0a1a0a0000000d49484452000000280000001e08060000008c8c8c8c")


async def updates(pg) -> list[dict]:
    got = (await pg.call("getUpdates"))["result"]
    for update in got:
        check_update(update)
    return got


@pytest.mark.promise("playground-is-telegram")
async def test_every_kind_of_update_conforms_to_the_bot_api(pg):
    await pg.call("getUpdates", allowed_updates=["message", "edited_message", "callback_query", "my_chat_member",
                                                 "message_reaction", "stopped_message_generation"])  # fmt: skip
    user = await pg.user("Zoë", username="zoe", language_code="fr")
    chat = (await pg.chat(user=user["id"]))["id"]
    group = (await pg.chat("group", title="A group"))["id"]
    forum = await pg.chat("supergroup", topics=["Topic"])
    said = await pg.say(chat, "/start https://x.org @zoe #tag a@b.org")
    await pg.edit(chat, said.message_id, "edited")
    await pg.react(chat, said.message_id, "👍")
    for kind in ("photo", "document", "voice", "audio", "video", "video_note", "animation", "sticker"):
        file = await pg.file(PNG, f"{kind}.png", kind=kind)
        await pg.say(chat, caption=f"a {kind}, /look", **{kind: file})
    photo = await pg.file(PNG, "p.png", kind="photo")
    await pg.album(chat, {"photo": photo, "caption": "album"}, {"photo": photo}, reply_to=said.message_id)
    await pg.say(forum["id"], "in a topic", thread=forum["topics"][0]["id"])
    await pg.set_topic(forum["id"], forum["topics"][0]["id"], "close")
    await pg.set_topic(forum["id"], forum["topics"][0]["id"], "reopen")
    await pg.member(group, "administrator")
    await pg.member(group, "left")
    await pg.member(group, "member")
    await pg.migrate(group)
    await pg.block(chat)
    await pg.unblock(chat)
    keyboard = {"inline_keyboard": [[{"text": "Go", "callback_data": "go"}]]}
    button = await sent(pg, chat, "press", reply_markup=keyboard)
    await pg.press(chat, button["message_id"], "go")
    await pg.call("sendMessageDraft", chat_id=chat, draft_id=1, text="...", can_stop=True)
    await pg.stop(chat, 1)
    kinds = {next(key for key in update if key != "update_id") for update in await updates(pg)}
    assert kinds == {"message", "edited_message", "callback_query", "my_chat_member", "message_reaction",
                     "stopped_message_generation"}  # fmt: skip


async def test_an_album_is_several_messages_of_one_group(pg):
    chat = (await pg.chat())["id"]
    photos = [await pg.file(PNG, f"{n}.png", kind="photo") for n in range(3)]
    await pg.album(chat, {"photo": photos[0], "caption": "three"}, {"photo": photos[1]}, {"photo": photos[2]})
    messages = [update["message"] for update in await updates(pg)]
    assert len({message["media_group_id"] for message in messages}) == 1
    assert [message.get("caption") for message in messages] == ["three", None, None]
    assert messages[0]["photo"][-1]["width"] == 40
    assert messages[0]["photo"][-1]["height"] == 30


async def test_a_press_is_answered_once_the_bot_answers(pg, clock):
    chat = (await pg.chat())["id"]
    keyboard = {"inline_keyboard": [[{"text": "Go", "callback_data": "go:1"}]]}
    message = await sent(pg, chat, "press", reply_markup=keyboard)
    press = await pg.press(chat, message["message_id"], "go:1")
    (update,) = await updates(pg)
    query = update["callback_query"]
    assert (query["id"], query["data"], query["message"]["message_id"]) == (
        press["callback_query_id"],
        "go:1",
        message["message_id"],
    )
    assert (await pg.call("answerCallbackQuery", callback_query_id=query["id"], text="Going"))["result"] is True
    assert (await pg.press_answer(query["id"]))["text"] == "Going"
    old = "Bad Request: query is too old and response timeout expired or query ID is invalid"
    assert await refused(pg, "answerCallbackQuery", callback_query_id="1") == (400, old)
    clock.ahead += 1000
    assert await refused(pg, "answerCallbackQuery", callback_query_id=query["id"]) == (400, old)
    with pytest.raises(PlaygroundError, match="no button"):
        await pg.press(chat, message["message_id"], "other")


async def test_a_bot_that_is_blocked_is_told_and_refused_until_the_user_writes_again(pg):
    chat = (await pg.chat())["id"]
    await pg.block(chat)
    (update,) = await updates(pg)
    assert update["my_chat_member"]["new_chat_member"]["status"] == "kicked"
    blocked = (403, "Forbidden: bot was blocked by the user")
    assert await refused(pg, "sendMessage", chat_id=chat, text="x") == blocked
    assert await refused(pg, "sendChatAction", chat_id=chat, action="typing") == blocked
    await pg.say(chat, "hello again")
    assert [next(iter(update.keys() - {"update_id"})) for update in await updates(pg)][1:] == [
        "my_chat_member",
        "message",
    ]
    await sent(pg, chat, "welcome back")


@pytest.mark.parametrize(
    ("kind", "status", "words"),
    [
        ("group", "kicked", "bot was kicked from the group chat"),
        ("group", "left", "bot is not a member of the group chat"),
        ("supergroup", "kicked", "bot was kicked from the supergroup chat"),
    ],
)
async def test_a_bot_outside_of_a_group_is_forbidden_and_hears_nothing(pg, kind, status, words):
    chat = (await pg.chat(kind))["id"]
    await pg.member(chat, status)
    assert await refused(pg, "sendMessage", chat_id=chat, text="x") == (403, f"Forbidden: {words}")
    assert (await pg.say(chat, "among us")).update_id is None


async def test_it_is_told_since_when_the_bot_can_fetch_what_was_said(pg, clock):
    chat = (await pg.chat())["id"]
    before = clock.now()
    first = await pg.say(chat, "one")
    clock.ahead += 1000
    second = await pg.say(chat, "two")
    assert before <= first.at < before + 1000 <= second.at <= clock.now()


async def test_a_group_that_migrates_names_its_new_id(pg):
    old = (await pg.chat("group", title="Team"))["id"]
    new = await pg.migrate(old)
    answer = await pg.call("sendMessage", chat_id=old, text="x")
    assert answer == {
        "ok": False,
        "error_code": 400,
        "description": "Bad Request: group chat was upgraded to a supergroup chat",
        "parameters": {"migrate_to_chat_id": new},
    }
    left, came = [update["message"] for update in await updates(pg)]
    assert (left["chat"]["id"], left["migrate_to_chat_id"]) == (old, new)
    assert (came["chat"]["id"], came["migrate_from_chat_id"]) == (new, old)
    assert (await sent(pg, new, "moved"))["chat"]["type"] == "supergroup"
    with pytest.raises(PlaygroundError, match="upgraded"):
        await pg.say(old, "anybody here?")


async def test_message_ids_count_per_account_and_per_supergroup(pg):
    one, two = (await pg.chat())["id"], (await pg.chat("group"))["id"]
    forum = (await pg.chat("supergroup"))["id"]
    first = (await pg.say(one, "a")).message_id
    assert (await pg.say(two, "b")).message_id == first + 1
    assert (await pg.say(forum, "c")).message_id == 2
    assert (await pg.say(one, "d")).message_id == first + 2


async def test_bulk_writes_in_turn_with_gapless_update_ids(pg):
    many = await pg.bulk(10, 3, "{chat} says {n}")
    got = await updates(pg)
    assert [update["update_id"] for update in got] == list(range(many.first_update_id, many.last_update_id + 1))
    assert [update["message"]["chat"]["id"] for update in got] == [many.chats[n % 3] for n in range(10)]
    assert got[4]["message"]["text"] == f"{many.chats[1]} says 5"
    again = await pg.bulk(2, into=many.chats[:1])
    assert again.chats == many.chats[:1]
    assert again.first_update_id == many.last_update_id + 1


async def test_chats_are_found_by_their_title_or_their_id(pg):
    chats = [(await pg.chat("group", title=title))["id"] for title in ("Hay", "The Needle", "More hay")]
    for words, found in (("needle", chats[1:2]), ("HAY", [chats[0], chats[2]]), (str(chats[2]), chats[2:]), ("x", [])):
        listed = await pg.control("GET", "/chats", limit="9", find=words)
        assert sorted(chat["id"] for chat in listed) == sorted(found)
