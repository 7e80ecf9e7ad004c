"""Business accounts: what their owners and customers do, what the bot is told, and what it may do in their name."""

import pytest

from playground.client import PlaygroundError
from tests.playground.conformance import check_result, check_update

KINDS = ["message", "business_connection", "business_message", "edited_business_message", "deleted_business_messages"]


async def told(pg) -> list[dict]:
    """What the bot is told from now on; each update is told once."""
    got = (await pg.call("getUpdates", allowed_updates=KINDS))["result"]
    if got:
        await pg.call("getUpdates", offset=got[-1]["update_id"] + 1)
    for update in got:
        check_update(update)
    return [{name: value for name, value in update.items() if name != "update_id"} for update in got]


@pytest.fixture
async def account(pg):
    """A connection, its owner's name and the chat with a customer who has written."""
    assert await told(pg) == []
    connection = await pg.connect((await pg.user("Olga"))["id"])
    chat = await pg.customer(connection["id"], first_name="Carl")
    await pg.say(chat["id"], "is it open?")
    return connection, chat


def in_name_of(connection: dict, chat: dict) -> dict:
    return {"business_connection_id": connection["id"], "chat_id": chat["chat"]["id"]}


async def refusal(pg, method: str, **params) -> str:
    answer = await pg.call(method, **params)
    assert not answer["ok"]
    return answer["description"]


@pytest.mark.promise("playground-is-telegram")
async def test_the_bot_is_told_of_the_connection_and_of_all_that_stands_in_its_chats(pg, account):
    connection, chat = account
    customer, owner = chat["users"]
    said = await pg.say(chat["id"], "I am back at 9", user=owner["id"])
    await pg.edit(chat["id"], said.message_id, "I am back at 10")
    await pg.delete(chat["id"], said.message_id, user=owner["id"])
    new, first, second, edited, gone = await told(pg)
    assert new["business_connection"]["rights"] == dict.fromkeys(
        ("can_reply", "can_read_messages", "can_delete_sent_messages"), True
    )
    message = first["business_message"]
    assert (message["chat"]["id"], message["from"]["id"]) == (customer["id"], customer["id"])
    assert message["business_connection_id"] == connection["id"]
    message = second["business_message"]
    assert (message["chat"]["id"], message["from"]["id"]) == (customer["id"], owner["id"])
    assert edited["edited_business_message"]["text"] == "I am back at 10"
    assert gone["deleted_business_messages"]["message_ids"] == [said.message_id]


async def test_the_page_knows_whether_the_bot_asks_to_be_told(pg, account):
    _, chat = account
    for kinds, told in ((KINDS, True), (["message"], False)):
        await pg.call("getUpdates", allowed_updates=kinds)
        assert (await pg.control("GET", f"/chats/{chat['id']}"))["business"]["told"] is told


@pytest.mark.promise("playground-is-telegram")
async def test_the_bot_writes_as_the_owner_and_is_told_so(pg, account):
    connection, chat = account
    await told(pg)
    where = in_name_of(connection, chat)
    sent = await pg.call("sendMessage", text="yes", **where)
    message = check_result("sendMessage", sent["result"])
    assert (message.from_user.first_name, message.sender_business_bot.id) == ("Olga", 1000000001)
    (echo,) = await told(pg)
    assert echo["business_message"]["message_id"] == message.message_id
    assert (await pg.call("editMessageText", text="yes!", message_id=message.message_id, **where))["ok"]
    assert [one["text"] for one in await pg.bot_messages(chat["id"])] == ["yes!"]
    assert await pg.messages(connection["user"]["id"]) == [], "the owner's own chat with the bot is another one"
    with pytest.raises(PlaygroundError, match="the bot's message"):
        await pg.edit(chat["id"], message.message_id, "no")


@pytest.mark.promise("playground-is-telegram")
async def test_without_the_right_the_bot_does_nothing_in_the_owners_name(pg, account):
    connection, chat = account
    where, asked = in_name_of(connection, chat), (await pg.messages(chat["id"]))[0]["message_id"]
    mine = (await pg.call("sendMessage", text="yes", **where))["result"]["message_id"]
    assert (await pg.call("readBusinessMessage", message_id=asked, **where))["ok"]
    delete = {"business_connection_id": connection["id"]}
    assert "BOT_ACCESS_FORBIDDEN" in await refusal(pg, "deleteBusinessMessages", message_ids=[asked, mine], **delete)
    changed = await pg.reconnect(connection["id"], can_reply=False, can_read_messages=False)
    assert changed["rights"] == {"can_delete_sent_messages": True}
    for method, given in (
        ("sendMessage", {"text": "no"}),
        ("editMessageText", {"text": "no", "message_id": mine}),
        ("sendChatAction", {"action": "typing"}),
        ("readBusinessMessage", {"message_id": asked}),
    ):
        assert await refusal(pg, method, **given, **where) == "Forbidden: BOT_ACCESS_FORBIDDEN"
    assert (await pg.call("deleteBusinessMessages", message_ids=[mine], **delete))["ok"]
    await pg.reconnect(connection["id"], can_delete_all_messages=True)
    assert (await pg.call("deleteBusinessMessages", message_ids=[asked], **delete))["ok"]
    assert await pg.messages(chat["id"]) == []


async def test_an_ended_connection_tells_nothing_and_lets_the_bot_do_nothing_until_it_is_taken_up_again(pg, account):
    connection, chat = account
    where = in_name_of(connection, chat)
    await told(pg)
    await pg.reconnect(connection["id"], enabled=False)
    assert (await pg.say(chat["id"], "hello?")).update_id is None
    (ended,) = await told(pg)
    assert not ended["business_connection"]["is_enabled"]
    assert await refusal(pg, "sendMessage", text="x", **where) == "Bad Request: BUSINESS_CONNECTION_INVALID"
    found = await pg.call("getBusinessConnection", business_connection_id=connection["id"])
    assert not check_result("getBusinessConnection", found["result"]).is_enabled
    await pg.reconnect(connection["id"], enabled=True)
    assert (await pg.call("sendMessage", text="x", **where))["ok"]


async def test_customers_who_are_unknown_or_silent_for_a_day_are_not_written_to(pg, account, clock):
    connection, chat = account
    where = in_name_of(connection, chat)
    unknown = await refusal(pg, "sendMessage", **{**where, "business_connection_id": "none"}, text="x")
    assert unknown == "Bad Request: business connection not found"
    stranger = await refusal(pg, "sendMessage", **{**where, "chat_id": 77}, text="x")
    assert stranger == "Bad Request: BUSINESS_PEER_INVALID"
    clock.ahead += 24 * 3600 + 1
    assert await refusal(pg, "sendMessage", text="x", **where) == "Bad Request: BUSINESS_PEER_USAGE_MISSING"
    await pg.say(chat["id"], "still there?")
    assert (await pg.call("sendMessage", text="x", **where))["ok"]


async def test_two_accounts_have_chats_of_their_own_with_one_customer_who_also_talks_to_the_bot(pg, account):
    connection, chat = account
    customer = chat["users"][0]["id"]
    other = await pg.connect()
    second = await pg.customer(other["id"], customer)
    own = await pg.chat(user=customer)
    assert len({chat["id"], second["id"], own["id"]}) == 3
    await pg.say(second["id"], "and you?")
    await pg.call("sendMessage", text="mine", **in_name_of(other, second))
    assert [message["message_id"] for message in await pg.messages(second["id"])] == [1, 2], "an account counts its own"
    assert [message["text"] for message in await pg.messages(chat["id"])] == ["is it open?"]
    assert await pg.messages(own["id"]) == []
    assert (await pg.customer(other["id"], customer))["id"] == second["id"]
    # Methods that know no business account mean the person's own chat with the bot.
    draft = {"business_connection_id": other["id"], "chat_id": customer, "draft_id": 5, "text": "x"}
    assert (await pg.call("sendMessageDraft", **draft))["ok"]
    assert (await pg.control("GET", f"/chats/{second['id']}/messages"))["drafts"] == []
    assert connection["id"] != other["id"]


@pytest.mark.parametrize(
    ("path", "given", "wrong"),
    [
        ("/business", {"rights": {"can_fly": True}}, "no right can_fly"),
        ("/business", {"rights": {"can_reply": 1}}, "true and false"),
        ("/business/none", {"enabled": True}, "no business connection"),
        ("/business/{id}", {"enabled": "yes"}, "enabled is true or false"),
        ("/business/{id}/chats", {"user": "owner"}, "user must be a number"),
        ("/chats/{chat}/member", {"status": "kicked"}, "its owner ends the connection"),
    ],
)
async def test_what_makes_no_sense_is_refused_in_a_sentence(pg, account, path, given, wrong):
    connection, chat = account
    with pytest.raises(PlaygroundError, match=wrong):
        await pg.control("POST", path.format(id=connection["id"], chat=chat["id"]), given)


async def test_an_account_is_no_customer_of_its_own(pg, account):
    connection, chat = account
    with pytest.raises(PlaygroundError, match="no customer in itself"):
        await pg.customer(connection["id"], chat["users"][1]["id"])
    assert [one["id"] for one in await pg.control("GET", "/business")] == [connection["id"]]
