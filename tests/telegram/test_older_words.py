"""What a dead worker has shown of an answer: it is read from Telegram, and stays until as much is said again."""

import pytest

from tasks.envelope import Button, Reply
from tests.telegram.conftest import World
from tests.telegram.stage import stage_with
from workers.showing import Trace
from workers.telegram.render import GOES_ON, growing, with_lines, words_of

STOP = ((Button(text="Stop", data="stop"),),)


@pytest.mark.promise("stop-keeps")
@pytest.mark.parametrize("buttons", [(), STOP])
async def test_words_of_before_stay_until_as_much_is_said_again(
    world: World, buttons: tuple[tuple[Button, ...], ...]
) -> None:
    stage, session = stage_with(world), await world.session()
    (earlier,) = await stage.delivery.deliver(session, Reply(text="Once upon a time", buttons=buttons))
    assert earlier is not None
    seen: set[str] = set()
    async with stage.live(session, message_ids=(earlier,), older=True) as answer:
        answer.text("Once")
        await stage.called(session, "editMessageReplyMarkup", 1 if not buttons else 3)
        assert answer.stands == "Once upon a time"
        answer.text("Once upon **a time** there")
        await stage.shows(session, "Once upon a time there")
        assert answer.stands is None
    for entry in await world.pg.journal(chat=session.chat, method="editMessageText"):
        seen.add(entry["params"]["text"])
    assert seen == {"Once upon a time there"}
    assert GOES_ON not in seen


@pytest.mark.promise("stop-keeps")
@pytest.mark.parametrize("buttons", [(), STOP])
async def test_they_have_a_stop_button_meanwhile(world: World, buttons: tuple[tuple[Button, ...], ...]) -> None:
    stage, session = stage_with(world), await world.session()
    (earlier,) = await stage.delivery.deliver(session, Reply(text="Once upon a time", buttons=buttons))
    assert earlier is not None
    async with stage.live(session, message_ids=(earlier,), older=True) as answer:
        answer.text("Once")
        (message,) = await world.pg.wait_for(
            session.chat, lambda ours: answer.stands == "Once upon a time" and "reply_markup" in ours[0]
        )
        assert message["text"] == "Once upon a time"
        assert message["reply_markup"]["inline_keyboard"][0][0]["text"] == "Stop"


async def test_where_telegram_does_not_tell_the_answer_begins_again(world: World) -> None:
    stage, session = stage_with(world), await world.session()
    (earlier,) = await stage.delivery.deliver(session, Reply(text="Once upon a time"))
    assert earlier is not None
    await world.pg.fault("error", "editMessageReplyMarkup", code=400, description="Bad Request: MESSAGE_ID_INVALID")
    async with stage.live(session, message_ids=(earlier,), older=True) as answer:
        answer.text("Once")
        await stage.shows(session, "Once")
        assert answer.stands is None


@pytest.mark.promise("stop-keeps")
@pytest.mark.parametrize("buttons", [(), STOP])
async def test_the_words_of_a_turn_that_is_stopped_are_told_and_their_button_goes(
    world: World, buttons: tuple[tuple[Button, ...], ...]
) -> None:
    stage, session = stage_with(world), await world.session()
    (first,) = await stage.delivery.deliver(session, Reply(text="Once upon"))
    (last,) = await stage.delivery.deliver(session, Reply(text="a time", buttons=buttons))
    assert first is not None
    assert last is not None
    said = await stage.delivery.standing(session, (first, 1_000_000, last), "hide", still_ours=stage.ask)
    assert said == "Once upon\n\na time"
    assert [message.get("reply_markup") for message in await world.pg.bot_messages(session.chat)] == [None, None]


@pytest.mark.parametrize("thinking", ["fold", "show"])
@pytest.mark.parametrize("words", ["", "It's 4. 😀"])
def test_what_was_heard_and_thought_is_none_of_the_words_that_stand_there(thinking: str, words: str) -> None:
    trace = Trace(thoughts="two and two 😀", folds=thinking == "fold", heard="What's two and two?")
    (part,) = growing(words, trace=trace)
    (part,) = with_lines([part], ["→ add"])
    assert words_of(part, thinking) == words
