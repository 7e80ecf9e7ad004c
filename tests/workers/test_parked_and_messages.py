"""A message that comes while a turn waits for a person: what the mode says of it."""

import pytest

from tests.workers.asking import AUTHOR, BOOK, ONE, WORDS, Asking, parked, press, shown, turn
from tests.workers.pool import Pool
from workers.steps import PersonsAnswer


@pytest.mark.promise("ask-ends")
@pytest.mark.parametrize("kind", ["stop", "new"])
async def test_stop_and_new_withdraw_the_question(pool: Pool, kind: str) -> None:
    runtime = await parked(pool)
    await pool.say(1, kind=kind)
    await pool.workers["w-one"].answer(ONE)
    assert "Withdrawn." in shown(pool)[0]
    assert len(runtime.seen) == 1
    assert await pool.idle(ONE)
    assert "parked" not in await pool.state(ONE)
    # What is pressed now is dropped.
    await pool.say(1, kind="answer", v=3, choice={"ask": "gone", "say": "once"}, sender=AUTHOR)
    await pool.workers["w-one"].answer(ONE)
    assert await pool.idle(ONE)


async def test_in_collect_mode_a_message_joins_the_turn_and_allows_nothing(pool: Pool) -> None:
    runtime = await parked(pool)
    await pool.say(1, "make it five", sender=AUTHOR)
    await pool.workers["w-one"].answer(ONE)
    assert runtime.seen[-1].answers == {"k1/0": PersonsAnswer("words", "make it five", person=7)}
    assert "Not allowed" in shown(pool)[0]
    assert pool.telegram.answered(ONE) == [1, 2]
    assert await pool.idle(ONE)


async def test_a_file_ends_the_question_and_is_answered_by_the_next_turn(pool: Pool) -> None:
    runtime = await parked(pool)
    await pool.say(1, "look", sender=AUTHOR, media=[{"kind": "photo", "file_id": "f"}])
    await pool.workers["w-one"].answer(ONE)
    assert runtime.seen[1].answers == {"k1/0": PersonsAnswer("words", "")}
    assert [message.text for message in runtime.seen[2].messages] == ["look"]


async def test_in_followup_mode_a_message_waits_behind_the_question(pool: Pool) -> None:
    runtime = await parked(pool, COHORT_QUEUE_MODE="followup")
    worker = pool.workers["w-one"]
    await pool.say(1, "and then", sender=AUTHOR)
    await worker.answer(ONE)
    assert len(runtime.seen) == 1
    assert await pool.pending() == []
    runtime.rounds = ((BOOK,),)
    await press(pool, "once")
    runtime.rounds = ()
    await worker.answer(ONE)
    assert [[message.text for message in request.messages] for request in runtime.seen[1:]] == [
        ["please"],
        ["and then"],
    ]
    assert await pool.idle(ONE)


async def test_in_interrupt_mode_a_message_withdraws_the_question_and_ends_the_turn(pool: Pool) -> None:
    runtime = await parked(pool, COHORT_QUEUE_MODE="interrupt")
    runtime.rounds = ()
    await pool.say(1, "rather not", sender=AUTHOR)
    await pool.workers["w-one"].answer(ONE)
    assert "Withdrawn." in shown(pool)[0]
    assert [message.text for message in runtime.seen[-1].messages] == ["rather not"]
    assert runtime.kept[-1] == [], "it is another turn"
    assert pool.telegram.answered(ONE) == [1, 2]
    assert await pool.idle(ONE)


@pytest.mark.parametrize("mode", ["collect", "followup", "interrupt"])
async def test_words_answer_what_a_tool_asks_in_any_mode(pool: Pool, mode: str) -> None:
    runtime = await parked(pool, runtime=Asking(((WORDS,),)), COHORT_QUEUE_MODE=mode)
    await pool.say(1, "Ann", sender=AUTHOR)
    await pool.workers["w-one"].answer(ONE)
    assert runtime.seen[-1].answers == {"k3/1/ask1": PersonsAnswer("words", "Ann", "Ann", person=7)}
    assert "Answered." in shown(pool)[0]
    assert await pool.idle(ONE)


async def test_a_reply_answers_the_question_that_it_replies_to(pool: Pool) -> None:
    runtime = await parked(pool, runtime=Asking(((BOOK, WORDS),)))
    second = list(pool.telegram.chat(ONE).shown)[1]
    await pool.say(1, "Ann", sender=AUTHOR, reply_to=second)
    await pool.workers["w-one"].answer(ONE)
    assert len(runtime.seen) == 1
    assert [question.kind for question in (await turn(pool)).open] == ["approve"]
