"""Rich messages on their way, and what is left of them when Telegram refuses them."""

import asyncio

import pytest

from botapi.pacing import Priority
from botapi.shape import Shape
from tasks.envelope import Button, Reply
from tests.telegram.conftest import World
from tests.telegram.test_rich import ANSWER, TABLE, words
from workers.telegram.delivery import TelegramDelivery
from workers.telegram.markdown.rich import rich_blocks
from workers.telegram.render import render


async def test_a_rich_answer_is_sent_and_edited_with_its_buttons_and_its_question(world: World) -> None:
    session = await world.session()
    asked = (await world.pg.say(session.chat, "?")).message_id
    blocks = rich_blocks(ANSWER)
    button = ((Button(text="Retry", data="r"),),)
    (message,) = await world.delivery.deliver(session, Reply(text="t", rich=blocks, reply_to=asked, buttons=button))
    (found,) = await world.pg.bot_messages(session.chat)
    assert found["rich_message"]["blocks"] == list(blocks)
    assert found["reply_to_message"]["message_id"] == asked
    assert found["reply_markup"]["inline_keyboard"][0][0]["text"] == "Retry"
    await world.delivery.deliver(session, Reply(text="t", rich=rich_blocks("# Other"), edit=message))
    (found,) = await world.pg.bot_messages(session.chat)
    assert words(found["rich_message"]["blocks"]) == "Other"
    assert "reply_markup" not in found


async def test_a_growing_message_becomes_the_rich_answer(world: World) -> None:
    session = await world.session()
    message = await world.calls.create(session, Shape("# Ti"), priority=Priority.FRAME)
    await world.delivery.deliver(session, Reply(text="Title", rich=rich_blocks("# Title"), edit=message))
    (found,) = await world.pg.bot_messages(session.chat)
    assert (found["message_id"], found.get("text")) == (message, None)
    await world.delivery.deliver(session, Reply(text="plain again", edit=message))
    assert await world.texts(session) == ["plain again"]


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (400, "Bad Request: rich message must be non-empty"),
        (400, "Bad Request: RICH_MESSAGE_INVALID"),
        (400, "Bad Request: message text is empty"),
        (400, "Bad Request: can't parse entities"),
        (400, "Bad Request: something new"),
        (400, "Bad Request: not enough rights to send rich messages"),
        (403, "Forbidden: not here"),
        (404, "Not Found"),
    ],
)
@pytest.mark.parametrize("edits", [False, True])
async def test_a_refused_rich_message_goes_out_with_entities(
    world: World, code: int, said: str, *, edits: bool
) -> None:
    session = await world.session()
    edit = await world.calls.create(session, Shape("Ti")) if edits else None
    method = "editMessageText" if edits else "sendRichMessage"
    await world.pg.fault("error", method, code=code, description=said)
    bold = ({"type": "bold", "offset": 0, "length": 5},)
    await world.delivery.deliver(session, Reply(text="Title", entities=bold, rich=rich_blocks("# Title"), edit=edit))
    (found,) = await world.pg.bot_messages(session.chat)
    assert (found["text"], found["entities"]) == ("Title", list(bold))
    assert world.clock.slept == []


async def test_the_ladder_goes_on_from_entities_to_plain_text(world: World) -> None:
    session = await world.session()
    await world.pg.fault("error", "sendRichMessage", code=400, description="Bad Request: RICH_MESSAGE_INVALID")
    await world.pg.fault("error", "sendMessage", code=400, description="Bad Request: can't parse entities")
    bold = ({"type": "bold", "offset": 0, "length": 5},)
    await world.delivery.deliver(session, Reply(text="Title", entities=bold, rich=rich_blocks("# Title")))
    (found,) = await world.pg.bot_messages(session.chat)
    assert (found["text"], found.get("entities")) == ("Title", None)


async def test_a_rich_message_without_its_topic_is_rich_still(world: World) -> None:
    session = await world.session()
    await world.pg.fault("error", "sendRichMessage", code=400, description="Bad Request: BUTTON_DATA_INVALID")
    button = ((Button(text="Retry", data="r"),),)
    await world.delivery.deliver(session, Reply(text="t", rich=rich_blocks("# Title"), buttons=button))
    (found,) = await world.pg.bot_messages(session.chat)
    assert "rich_message" in found
    assert "reply_markup" not in found


async def test_a_flood_is_waited_for_and_the_message_stays_rich(world: World) -> None:
    session = await world.session()
    await world.pg.fault("429", "sendRichMessage", retry_after=7)
    await world.delivery.deliver(session, Reply(text="t", rich=rich_blocks("# Title")))
    (found,) = await world.pg.bot_messages(session.chat)
    assert "rich_message" in found


async def test_the_setting_makes_answers_rich(world: World) -> None:
    delivery = TelegramDelivery(world.bot, world.settings.model_copy(update={"rich": "on"}), world.clock)
    (reply,) = await asyncio.to_thread(delivery.render, TABLE)
    assert reply.rich[0]["type"] == "table"
    assert not world.delivery.render(TABLE)[0].rich


def test_a_rich_reply_survives_the_outbox_and_an_older_worker_reads_its_text() -> None:
    (reply,) = render(ANSWER, rich=True)
    assert Reply.from_json(reply.to_json()) == reply
    older = {name: value for name, value in reply.model_dump().items() if name != "rich"}
    assert older["text"]
    assert older["entities"]
