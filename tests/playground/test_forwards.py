"""What people do with a message that stands already: forward it, quote a part of it, delete it."""

import pytest

from playground.client import PlaygroundError
from tests.playground.test_people import updates
from tests.playground.test_sending import refused, sent


async def test_a_forward_says_who_wrote_first_and_takes_the_links_along_but_no_other_button(pg):
    ann, ben = await pg.chat(), await pg.chat()
    link = {"text": "Page", "url": "https://example.org"}
    keys = {"inline_keyboard": [[{"text": "Go", "callback_data": "go"}, link]]}
    answer = await sent(pg, ann["id"], "an answer", reply_markup=keys)
    once = await pg.forward(ann["id"], answer["message_id"], ben["id"])
    twice = await pg.forward(ben["id"], once.message_id, ann["id"])
    for message in [update["message"] for update in await updates(pg)]:
        assert message["text"] == "an answer"
        assert message["forward_origin"] == {"type": "user", "sender_user": answer["from"], "date": answer["date"]}
        assert message["reply_markup"] == {"inline_keyboard": [[link]]}
    assert once.message["from"] == ben["users"][0]
    assert twice.message["chat"]["id"] == ann["id"]


async def test_a_notice_and_a_message_that_is_not_there_are_not_forwarded(pg):
    chat = await pg.chat("supergroup", topics=["One"])
    with pytest.raises(PlaygroundError, match="no notices"):
        await pg.forward(chat["id"], chat["topics"][0]["id"], chat["id"])
    with pytest.raises(PlaygroundError, match="no message"):
        await pg.forward(chat["id"], 77, chat["id"])
    with pytest.raises(PlaygroundError, match="no chat"):
        await pg.forward(chat["id"], chat["topics"][0]["id"], 7)


async def test_a_reply_quotes_the_part_that_is_nearest_to_where_it_was_marked(pg):
    chat = (await pg.chat())["id"]
    answer = await sent(pg, chat, "🙂 yes, no, yes")
    await pg.say(chat, "which?", reply_to=answer["message_id"], quote="yes")
    await pg.say(chat, "which?", reply_to=answer["message_id"], quote={"text": "yes", "position": 12})
    quotes = [update["message"]["quote"] for update in await updates(pg)]
    assert quotes == [{"text": "yes", "position": at, "is_manual": True} for at in (3, 12)]
    for quote, reply in (("maybe", answer["message_id"]), ("yes", None), (" ", answer["message_id"])):
        with pytest.raises(PlaygroundError):
            await pg.say(chat, "which?", reply_to=reply, quote=quote)


async def test_people_delete_their_own_messages_and_privately_the_bots_and_the_bot_is_not_told(pg):
    chat = (await pg.chat())["id"]
    own, answer = await pg.say(chat, "mine"), await sent(pg, chat, "the bot's")
    await updates(pg)
    await pg.delete(chat, own.message_id)
    await pg.delete(chat, answer["message_id"])
    assert await pg.messages(chat) == []
    assert [one for one in await updates(pg) if one["message"]["text"] != "mine"] == []
    gone = await refused(pg, "editMessageText", chat_id=chat, message_id=answer["message_id"], text="more")
    assert gone == (400, "Bad Request: message to edit not found")


async def test_in_a_group_its_maker_deletes_any_message_and_others_their_own(pg):
    group = await pg.chat("group")
    ann, ben = group["users"][0]["id"], (await pg.user("Ben"))["id"]
    of_ann = await pg.say(group["id"], "Ann's", user=ann)
    of_ben = await pg.say(group["id"], "Ben's", user=ben)
    with pytest.raises(PlaygroundError, match="its maker"):
        await pg.delete(group["id"], of_ann.message_id, user=ben)
    await pg.delete(group["id"], of_ben.message_id, user=ben)
    await pg.delete(group["id"], of_ann.message_id, user=ann)
    assert await pg.messages(group["id"]) == []
