"""Forums: switched on and off in a running group, with a General topic that may be closed or hidden."""

import pytest

from playground.client import PlaygroundClient, PlaygroundError


async def refusal(pg: PlaygroundClient, chat: int, **fields: object) -> str | None:
    """What the bot hears when it writes there; None: it stands."""
    return (await pg.call("sendMessage", chat_id=chat, text="hi", **fields)).get("description")


@pytest.mark.parametrize(("do", "then"), [("close", "reopen"), ("hide", "unhide")])
async def test_the_bot_cannot_write_into_a_general_that_is_closed_or_hidden(
    pg: PlaygroundClient, do: str, then: str
) -> None:
    chat = (await pg.chat("supergroup", topics=["work"]))["id"]
    topic = await pg.topic(chat, "play")
    await pg.set_topic(chat, 1, do)
    assert await refusal(pg, chat) == "Bad Request: TOPIC_CLOSED"
    assert await refusal(pg, chat, message_thread_id=topic) is None
    await pg.set_topic(chat, 1, then)
    assert await refusal(pg, chat) is None


async def test_topics_switched_off_and_on_again_are_those_of_before(pg: PlaygroundClient) -> None:
    chat = (await pg.chat("supergroup"))["id"]
    assert (await pg.say(chat, "plain")).message["chat"].get("is_forum") is None
    await pg.forum(chat, on=True)
    topic = await pg.topic(chat, "work")
    assert (await pg.say(chat, "in it", thread=topic)).message["is_topic_message"]
    described = await pg.forum(chat, on=False)
    assert described["topics"] == []
    assert await refusal(pg, chat, message_thread_id=topic) == "Bad Request: message thread not found"
    with pytest.raises(PlaygroundError, match="no topic"):
        await pg.say(chat, "in it", thread=topic)
    assert "is_topic_message" not in (await pg.say(chat, "plain again")).message
    assert [one["id"] for one in (await pg.forum(chat, on=True))["topics"]] == [topic]
    assert await refusal(pg, chat, message_thread_id=topic) is None


@pytest.mark.parametrize("kind", ["private", "group"])
async def test_only_supergroups_become_forums(pg: PlaygroundClient, kind: str) -> None:
    chat = (await pg.chat(kind))["id"]
    with pytest.raises(PlaygroundError, match="only supergroups"):
        await pg.forum(chat, on=True)
    if kind == "group":
        with pytest.raises(PlaygroundError, match="no topic"):
            await pg.set_topic(chat, 1, "hide")
