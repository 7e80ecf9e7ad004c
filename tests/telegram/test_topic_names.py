"""Topics are given names by the real client, against the playground."""

import pytest

from botapi.errors import Refused
from tasks.session import SessionKey
from tests.telegram.conftest import World


@pytest.mark.promise("topic-titles")
async def test_a_topic_of_a_private_chat_and_of_a_forum_is_named(world: World) -> None:
    private = await world.session()
    topic = await world.pg.topic(private.chat, "")
    message = (await world.pg.say(private.chat, "hi", thread=topic)).message
    assert message["reply_to_message"]["forum_topic_created"]["is_name_implicit"] is True
    await world.delivery.name_topic(SessionKey(private.bot, private.chat, topic), "Lanes")
    assert (await world.pg.messages(private.chat, thread=topic))[-1]["forum_topic_edited"] == {"name": "Lanes"}

    forum = await world.pg.chat("supergroup", topics=["One"])
    where = SessionKey(private.bot, forum["id"], forum["topics"][0]["id"])
    with pytest.raises(Refused, match="Not enough rights"):
        await world.delivery.name_topic(where, "Two")
    await world.pg.control("POST", f"/chats/{where.chat}/member", {"status": "administrator"})
    await world.delivery.name_topic(where, "Two")
    for name, why in (("Two", "TOPIC_NOT_MODIFIED"), ("x" * 129, "topic name is too long")):
        with pytest.raises(Refused, match=rf"(?i){why}"):
            await world.delivery.name_topic(where, name)
    await world.pg.set_topic(where.chat, where.topic or 0, "rename", "Mine")
    with pytest.raises(Refused, match=r"(?i)TOPIC_ID_INVALID"):
        await world.delivery.name_topic(SessionKey(private.bot, forum["id"], 99), "Two")
