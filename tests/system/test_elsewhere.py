"""Questions in chats that are not the bot's own, over real processes."""

import pytest

from playground import Json
from playground.client import PlaygroundClient
from tests.system.conftest import Running


@pytest.mark.promise("inline-messages")
async def test_an_inline_question_is_answered_in_the_message_that_its_author_sent(
    people: PlaygroundClient, running: Running
) -> None:
    del running
    group = (await people.chat("group"))["id"]
    offer = await people.inline(group, "how warm is it")
    (article,) = offer["results"]
    assert article["reply_markup"]["inline_keyboard"]
    sent = await people.choose(offer["query"])
    await people.wait_confirmed()
    message = await answered(people, group, sent.message_id, "echo: how warm is it")
    assert message["text"].startswith("how warm is it"), "the question stays above its answer"
    assert "reply_markup" not in message
    # Without /setinlinefeedback the bot is not told; the person who asked presses the button.
    offer = await people.inline(group, "and tomorrow")
    sent = await people.choose(offer["query"], feedback=False)
    ((button,),) = offer["results"][0]["reply_markup"]["inline_keyboard"]
    await people.press(group, sent.message_id, button["callback_data"])
    message = await answered(people, group, sent.message_id, "echo: and tomorrow")
    assert "reply_markup" not in message


@pytest.mark.promise("inline-messages")
async def test_a_guest_answers_in_the_chat_of_which_it_is_no_member(people: PlaygroundClient) -> None:
    group = (await people.chat("group"))["id"]
    await people.member(group, "left")
    await people.summon(group, "@cohort_playground_bot good evening")
    (message,) = await people.wait_for(group, lambda ours: bool(ours) and "echo:" in ours[-1]["text"])
    assert "good evening" in message["text"]
    assert await people.journal(method="sendMessage", chat=group) == []


async def answered(people: PlaygroundClient, chat: int, number: int, words: str) -> Json:
    """The message, once it has these words."""
    version = -1
    while True:
        found = await people.control("GET", f"/chats/{chat}/messages", after=version, timeout=60)
        version = found["version"]
        for message in found["messages"]:
            if message["message_id"] == number and words in message["text"]:
                return message
