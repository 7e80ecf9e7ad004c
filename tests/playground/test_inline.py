"""Questions behind the bot's name: what is offered, what is sent, and where the bot is told nothing."""

import asyncio

import pytest

from playground.client import PlaygroundError


def article(number: str) -> dict:
    words = {"message_text": f"say {number}"}
    return {"type": "article", "id": number, "title": number, "input_message_content": words}


async def offered(pg, chat: int, **fields) -> dict:
    """A question that the bot answers with two things to send."""
    earlier = (await pg.call("getUpdates", allowed_updates=["inline_query"]))["result"]
    beyond = earlier[-1]["update_id"] + 1 if earlier else 0

    async def answer() -> None:
        (update,) = (await pg.call("getUpdates", offset=beyond, timeout=60))["result"]
        results = [article("a"), article("b")]
        await pg.call("answerInlineQuery", inline_query_id=update["inline_query"]["id"], results=results)

    async with asyncio.TaskGroup() as group:
        group.create_task(answer())
        asked = group.create_task(pg.inline(chat, "warm?", **fields))
    return asked.result()


async def test_a_person_sends_the_result_that_they_choose_and_by_default_the_first(pg):
    chat = (await pg.chat())["id"]
    offer = await offered(pg, chat)
    assert [one["id"] for one in offer["results"]] == ["a", "b"]
    assert (await pg.choose(offer["query"], "b")).message["text"] == "say b"
    assert (await pg.choose(offer["query"])).message["text"] == "say a"
    with pytest.raises(PlaygroundError, match="has not offered this"):
        await pg.choose(offer["query"], "c")


async def test_what_is_chosen_in_a_topic_stands_in_it(pg):
    forum = await pg.chat("supergroup", topics=["Weather"])
    thread = forum["topics"][0]["id"]
    offer = await offered(pg, forum["id"], thread=thread)
    message = (await pg.choose(offer["query"])).message
    assert (message["message_thread_id"], message["via_bot"]["is_bot"]) == (thread, True)
    with pytest.raises(PlaygroundError, match="no topic"):
        await pg.inline(forum["id"], "warm?", thread="none")


async def test_a_bot_that_wants_no_questions_lets_no_person_wait_for_its_answer(pg):
    await pg.call("getUpdates", allowed_updates=["message"])
    chat = (await pg.chat())["id"]
    asked = await pg.inline(chat, "warm?", timeout=60)
    assert (asked["update_id"], asked["results"]) == (None, None)


async def test_a_guest_is_called_in_a_topic(pg):
    await pg.call("getUpdates", allowed_updates=["guest_message"])
    forum = await pg.chat("supergroup", topics=["Weather"])
    await pg.member(forum["id"], "left")
    said = await pg.summon(forum["id"], "@cohort_playground_bot warm?", thread=forum["topics"][0]["id"])
    (update,) = (await pg.call("getUpdates", allowed_updates=["guest_message"]))["result"]
    assert update["guest_message"]["message_thread_id"] == said.message["message_thread_id"]


async def test_the_bot_is_told_what_was_sent_unless_its_inline_feedback_is_off(pg):
    chat = (await pg.chat())["id"]
    offer = await offered(pg, chat)
    assert (await pg.choose(offer["query"], feedback=False)).update_id is None
    await pg.control("POST", "/inline", {"feedback": False})
    assert (await pg.control("GET", "/faults"))["inline"] == {"feedback": False}
    assert (await pg.choose(offer["query"])).update_id is None
    with pytest.raises(PlaygroundError, match="true or false"):
        await pg.control("POST", "/inline", {"feedback": "no"})
    await pg.control("POST", "/inline", {"feedback": True})
    await pg.call("getUpdates", allowed_updates=["chosen_inline_result"])
    assert (await pg.choose(offer["query"])).update_id is not None
