"""A pressed button of a question: whether it counts, and the one line that its person reads."""

import pytest
from aiogram import types as tg

from bot import texts
from tasks import keys
from tasks.asking import GivenAnswer, OpenQuestion, ParkedTurn
from tests.bot.conftest import Doorway
from tests.bot.updates import ANN, BOT, message, pressed, said

ANNS = "4242:700"
QUESTION = OpenQuestion(id="q1", key="k/0", kind="approve", about="book", text="May I do this?", scope="a:book")
TURN = ParkedTurn(turn="t", taken=1, ends=2e9, who=(ANN.id,), questions=(QUESTION,))


async def asks(doorway: Doorway, turn: ParkedTurn = TURN) -> None:
    await doorway.store.redis.hset(keys.state(ANNS), "parked", turn.to_json())


async def press(doorway: Doorway, *data: str) -> list[str | None]:
    """Press buttons, each in a batch of its own; what is read."""
    for number, one in enumerate(data, 1):
        await doorway.door.take([pressed(one, message("May I?", sender=BOT), update_id=number)])
    await doorway.followed()
    return [line for _, line in doorway.signs.pressed]


@pytest.mark.promise("ask-answered-once")
async def test_the_first_press_is_stored_and_the_second_one_told(doorway: Doorway) -> None:
    await asks(doorway)
    assert await press(doorway, "ask:q1:once", "ask:q1:no") == [texts.TAKEN, texts.QUESTION_ANSWERED]
    (entry,) = await doorway.inbox(ANNS)
    assert (entry.kind, entry.v, entry.choice, entry.person) == ("answer", 3, {"ask": "q1", "say": "once"}, ANN.id)
    assert len(await doorway.doorbells()) == 1


async def test_two_presses_of_one_batch_count_once(doorway: Doorway) -> None:
    await asks(doorway)
    on = message("May I?", sender=BOT)
    await doorway.door.take([pressed(f"ask:q1:{verdict}", on, update_id=n) for n, verdict in ((1, "no"), (2, "once"))])
    assert [entry.choice["say"] for entry in await doorway.inbox(ANNS)] == ["no"]


@pytest.mark.promise("ask-who")
@pytest.mark.parametrize(
    ("turn", "data", "line"),
    [
        (None, "ask:q1:once", texts.QUESTION_ENDED),
        (TURN, "ask:q9:once", texts.QUESTION_ENDED),
        (TURN, "ask:q1:seven", texts.QUESTION_ENDED),
        (TURN, "ask:q1:", texts.QUESTION_ENDED),
        (TURN.model_copy(update={"who": (1,)}), "ask:q1:once", texts.QUESTION_NOT_YOURS),
        (TURN.model_copy(update={"given": {"q1": GivenAnswer(verdict="no")}}), "ask:q1:once", texts.QUESTION_ANSWERED),
        (TURN, "ask:q1:no", texts.DENIED),
    ],
)
async def test_each_press_is_told_in_one_line_what_became_of_it(
    doorway: Doorway, turn: ParkedTurn | None, data: str, line: str
) -> None:
    if turn is not None:
        await asks(doorway, turn)
    assert await press(doorway, data) == [line]
    assert len(await doorway.inbox(ANNS)) == (line == texts.DENIED)


async def test_a_question_in_a_message_that_telegram_no_longer_shows_is_answered(doorway: Doorway) -> None:
    await asks(doorway)
    gone = tg.InaccessibleMessage(chat=message("x").chat, message_id=10, date=0)
    await doorway.door.take([pressed("ask:q1:once", gone)])
    assert len(await doorway.inbox(ANNS)) == 1


async def test_status_names_the_open_question(doorway: Doorway) -> None:
    await asks(doorway)
    await doorway.door.take([said("/status")])
    ((_, text),) = await doorway.said()
    assert text.startswith(texts.asked("book"))
