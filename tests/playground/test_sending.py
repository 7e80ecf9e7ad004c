"""sendMessage and its like: texts, entities, topics, replies, keyboards, and the errors in Telegram's own words."""

import pytest

from tests.playground.conformance import check_result, check_update


async def refused(pg, method, **params) -> tuple[int, str]:
    answer = await pg.call(method, **params)
    assert set(answer) - {"parameters"} == {"ok", "error_code", "description"}, answer
    assert answer["ok"] is False
    return answer["error_code"], answer["description"]


async def sent(pg, chat, text, **params) -> dict:
    answer = await pg.call("sendMessage", chat_id=chat, text=text, **params)
    assert answer["ok"], answer
    check_result("sendMessage", answer["result"])
    return answer["result"]


@pytest.fixture
async def chat(pg) -> int:
    return (await pg.chat())["id"]


async def test_get_me_is_the_bot_of_the_token(pg):
    me = (await pg.call("getMe"))["result"]
    check_result("getMe", me)
    assert me["is_bot"]
    assert str(me["id"]) == pg.token.partition(":")[0]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "Bad Request: message text is empty"),
        (" \n\t ", "Bad Request: text must be non-empty"),
        ("x" * 4097, "Bad Request: message is too long"),
        ("😀" * 2049, "Bad Request: message is too long"),
    ],
)
async def test_texts_are_one_to_4096_utf16_units(pg, chat, text, problem):
    assert await refused(pg, "sendMessage", chat_id=chat, text=text) == (400, problem)


@pytest.mark.parametrize("text", ["x" * 4096, "😀" * 2048, "  " + "x" * 4096 + "\n"])
async def test_length_counts_after_trimming(pg, chat, text):
    assert (await sent(pg, chat, text))["text"] == text.strip()


@pytest.mark.parametrize(
    ("chat_id", "problem"),
    [
        (4040404, "Bad Request: chat not found"),
        ("@nobody", "Bad Request: chat not found"),
        ("", "Bad Request: chat_id is empty"),
    ],
)
async def test_an_unknown_chat_is_not_found(pg, chat_id, problem):
    assert await refused(pg, "sendMessage", chat_id=chat_id, text="x") == (400, problem)


async def test_unknown_tokens_and_methods_are_refused(pg):
    assert await refused(pg, "makeCoffee") == (404, "Not Found")
    pg.token = "999:wrong"
    assert await refused(pg, "getMe") == (401, "Unauthorized")


async def test_method_names_come_in_any_case(pg, chat):
    assert (await pg.call("SENDmessage", chat_id=chat, text="x"))["ok"]


@pytest.mark.parametrize("way", ["query", "form", "json", "multipart"])
async def test_parameters_come_in_four_ways(pg, chat, way):
    entities = '[{"type":"bold","offset":0,"length":2}]'
    fields = {"chat_id": str(chat), "text": "hi ü 😀", "entities": entities}
    path = f"/bot{pg.token}/sendMessage"
    match way:
        case "query":
            answer = await pg._http.get(path, params=fields)
        case "form":
            answer = await pg._http.post(path, data=fields)
        case "json":
            answer = await pg._http.post(path, json=fields | {"entities": [{"type": "bold", "offset": 0, "length": 2}]})
        case _:
            answer = await pg._http.post(path, files={key: (None, value) for key, value in fields.items()})
    result = answer.json()["result"]
    assert (result["text"], result["entities"]) == ("hi ü 😀", [{"type": "bold", "offset": 0, "length": 2}])


async def test_entities_are_counted_in_utf16_and_follow_trimming(pg, chat):
    got = await sent(pg, chat, "  😀bold ", entities=[{"type": "bold", "offset": 4, "length": 5}])
    assert (got["text"], got["entities"]) == ("😀bold", [{"type": "bold", "offset": 2, "length": 4}])


@pytest.mark.parametrize(
    ("entity", "problem"),
    [
        (
            {"type": "bold", "offset": 0, "length": 6},
            "entity beginning at UTF-16 offset 0 ends after the end of the text at UTF-16 offset 6",
        ),
        ({"type": "bold", "offset": 9, "length": 1}, "entity begins after the end of the text at UTF-16 offset 9"),
        ({"type": "sparkle", "offset": 0, "length": 1}, "can't parse MessageEntity: Unsupported type specified"),
        ({"type": "text_link", "offset": 0, "length": 1}, "can't parse MessageEntity: Can't find field \"url\""),
        ({"offset": 0, "length": 1}, "can't parse MessageEntity: Can't find field \"type\""),
        ("bold", "can't parse MessageEntity: expected an Object"),
    ],
)
async def test_bad_entities_are_refused(pg, chat, entity, problem):
    answer = await refused(pg, "sendMessage", chat_id=chat, text="hello", entities=[entity])
    assert answer == (400, f"Bad Request: {problem}")


async def test_a_hundred_entities_take_effect(pg, chat):
    entities = [{"type": "bold", "offset": 2 * n, "length": 1} for n in range(150)]
    assert (await sent(pg, chat, "x " * 150, entities=entities))["entities"] == entities[:100]


async def test_links_and_commands_are_found_outside_of_other_entities(pg, chat):
    pre = {"type": "pre", "offset": 0, "length": 16}
    got = await sent(pg, chat, "https://a.org /x https://b.org/c. /help", entities=[pre])
    assert got["entities"] == [
        pre,
        {"type": "url", "offset": 17, "length": 15},
        {"type": "bot_command", "offset": 34, "length": 5},
    ]


async def test_a_users_command_is_marked_at_its_place(pg, chat):
    for text, place in [("/start now", (0, 6)), ("😀 /help@cohort_bot", (3, 16))]:
        said = await pg.say(chat, text)
        assert said.message["entities"] == [{"type": "bot_command", "offset": place[0], "length": place[1]}]
    assert "entities" not in (await pg.say(chat, "a/b and 1/2")).message


async def test_replies_carry_what_they_answer_one_level_deep(pg, chat):
    one = await pg.say(chat, "one")
    two = await sent(pg, chat, "two", reply_parameters={"message_id": one.message_id})
    three = await sent(pg, chat, "three", reply_parameters={"message_id": two["message_id"]})
    assert three["reply_to_message"]["text"] == "two"
    assert "reply_to_message" not in three["reply_to_message"]
    gone = {"message_id": 4711}
    problem = (400, "Bad Request: message to be replied not found")
    assert await refused(pg, "sendMessage", chat_id=chat, text="x", reply_parameters=gone) == problem
    assert "reply_to_message" not in await sent(
        pg, chat, "x", reply_parameters=gone | {"allow_sending_without_reply": True}
    )


async def test_topics_take_messages_until_they_are_closed_or_deleted(pg):
    forum = await pg.chat("supergroup", topics=["One", "Two"])
    chat, topic = forum["id"], forum["topics"][0]["id"]
    said = await pg.say(chat, "in here", thread=topic)
    assert said.message["is_topic_message"] is True
    assert said.message["message_thread_id"] == topic
    assert said.message["reply_to_message"]["forum_topic_created"]["name"] == "One"
    assert (await sent(pg, chat, "answer", message_thread_id=topic))["message_thread_id"] == topic
    assert "message_thread_id" not in await sent(pg, chat, "in General")
    missing = (400, "Bad Request: message thread not found")
    assert await refused(pg, "sendMessage", chat_id=chat, text="x", message_thread_id=1) == missing
    assert await refused(pg, "sendMessage", chat_id=chat, text="x", message_thread_id=999) == missing
    await pg.set_topic(chat, topic, "close")
    closed = (400, "Bad Request: TOPIC_CLOSED")
    assert await refused(pg, "sendMessage", chat_id=chat, text="x", message_thread_id=topic) == closed
    await pg.set_topic(chat, topic, "reopen")
    await sent(pg, chat, "again", message_thread_id=topic)
    await pg.set_topic(chat, topic, "delete")
    assert await refused(pg, "sendMessage", chat_id=chat, text="x", message_thread_id=topic) == missing


async def test_a_reply_goes_to_the_topic_of_its_message_unless_it_names_the_chat(pg):
    chat = (await pg.chat("supergroup", topics=["work"]))["id"]
    topic = await pg.topic(chat, "play")
    asked = await pg.say(chat, "well?", thread=topic)
    there = {"message_id": asked.message_id}
    assert (await sent(pg, chat, "a", reply_parameters=there))["message_thread_id"] == topic
    across = await sent(pg, chat, "b", reply_parameters={**there, "chat_id": chat})
    assert "message_thread_id" not in across
    assert across["external_reply"]["message_id"] == asked.message_id
    await pg.set_topic(chat, topic, "close")
    closed = (400, "Bad Request: TOPIC_CLOSED")
    assert await refused(pg, "sendMessage", chat_id=chat, text="x", reply_parameters=there) == closed


async def test_a_reply_in_a_plain_supergroup_has_a_thread_that_is_no_topic(pg):
    chat = (await pg.chat("supergroup"))["id"]
    root = await pg.say(chat, "root")
    reply = await pg.say(chat, "reply", reply_to=root.message_id)
    assert reply.message["message_thread_id"] == root.message_id
    assert "is_topic_message" not in reply.message
    for update in (await pg.call("getUpdates"))["result"]:
        check_update(update)


@pytest.mark.parametrize(
    ("button", "problem"),
    [
        ({"text": "x", "callback_data": "d" * 65}, "BUTTON_DATA_INVALID"),
        ({"text": "x", "callback_data": ""}, "BUTTON_DATA_INVALID"),
        (
            {"text": "x"},
            "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard",
        ),
        ("x", "can't parse inline keyboard button: InlineKeyboardButton must be an Object"),
    ],
)
async def test_bad_buttons_are_refused(pg, chat, button, problem):
    markup = {"inline_keyboard": [[button]]}
    answer = await refused(pg, "sendMessage", chat_id=chat, text="x", reply_markup=markup)
    assert answer == (400, f"Bad Request: {problem}")


async def test_parse_modes_are_refused_in_plain_words(pg, chat):
    code, words = await refused(pg, "sendMessage", chat_id=chat, text="<b>x</b>", parse_mode="HTML")
    assert code == 400
    assert "entities" in words


async def test_typing_shows_until_the_message_comes(pg, chat):
    assert (await pg.call("sendChatAction", chat_id=chat, action="typing"))["result"] is True
    assert (await pg.control("GET", f"/chats/{chat}/messages"))["action"]["action"] == "typing"
    await sent(pg, chat, "done")
    assert (await pg.control("GET", f"/chats/{chat}/messages"))["action"] is None
    problem = (400, "Bad Request: wrong parameter action in request")
    assert await refused(pg, "sendChatAction", chat_id=chat, action="dancing") == problem


async def test_drafts_are_for_private_chats_and_go_with_the_message_or_with_time(pg, chat, clock):
    draft = {"draft_id": 7, "text": "so far", "can_stop": True, "keep_on_stop": True}
    assert (await pg.call("sendMessageDraft", chat_id=chat, **draft))["result"] is True
    drafts = (await pg.control("GET", f"/chats/{chat}/messages"))["drafts"]
    assert [one["text"] for one in drafts] == ["so far"]
    await sent(pg, chat, "so far, and the end")
    assert (await pg.control("GET", f"/chats/{chat}/messages"))["drafts"] == []
    assert (await pg.call("sendMessageDraft", chat_id=chat, **draft))["result"] is True
    await pg.stop(chat, 7)
    (update,) = (await pg.call("getUpdates"))["result"]
    check_update(update)
    assert update["stopped_message_generation"]["draft_id"] == 7
    clock.ahead += 31
    assert (await pg.control("GET", f"/chats/{chat}/messages"))["drafts"] == []
    group = (await pg.chat("group"))["id"]
    assert (await refused(pg, "sendMessageDraft", chat_id=group, **draft))[0] == 400
    assert (await refused(pg, "sendMessageDraft", chat_id=chat, draft_id=0, text="x"))[0] == 400


async def test_commands_are_kept_by_scope_and_language(pg):
    commands = [{"command": "stop", "description": "Stop"}, {"command": "new", "description": "Start again"}]
    private = {"type": "all_private_chats"}
    assert (await pg.call("setMyCommands", commands=commands))["result"] is True
    assert (await pg.call("getMyCommands"))["result"] == commands
    assert (await pg.call("getMyCommands", scope=private))["result"] == []
    await pg.call("setMyCommands", commands=commands[:1], scope=private, language_code="de")
    assert (await pg.call("getMyCommands", scope=private, language_code="de"))["result"] == commands[:1]
    assert (await refused(pg, "setMyCommands", commands=[{"command": "Bad Name", "description": "x"}]))[0] == 400


async def test_get_chat_knows_every_kind_of_chat(pg, chat):
    for one in (chat, (await pg.chat("group"))["id"], (await pg.chat("supergroup", topics=["A"]))["id"]):
        full = (await pg.call("getChat", chat_id=one))["result"]
        check_result("getChat", full)
        assert full["id"] == one
    assert await refused(pg, "getChat", chat_id=1) == (400, "Bad Request: chat not found")


async def test_a_bot_reacts_with_one_known_emoji(pg, chat):
    said = await pg.say(chat, "nice")
    here = {"chat_id": chat, "message_id": said.message_id}
    thumb, fire, hat = ({"type": "emoji", "emoji": one} for one in "👍🔥🎩")
    assert (await pg.call("setMessageReaction", **here, reaction=[thumb]))["result"] is True
    assert (await pg.control("GET", f"/chats/{chat}/messages"))["reactions"] == {str(said.message_id): ["👍"]}
    assert (await refused(pg, "setMessageReaction", **here, reaction=[hat]))[1] == "Bad Request: REACTION_INVALID"
    assert (await refused(pg, "setMessageReaction", **here, reaction=[thumb, fire]))[0] == 400
    await pg.call("setMessageReaction", **here, reaction=[])
    assert (await pg.control("GET", f"/chats/{chat}/messages"))["reactions"] == {}
    missing = (400, "Bad Request: message to react not found")
    assert await refused(pg, "setMessageReaction", chat_id=chat, message_id=99, reaction=[thumb]) == missing
