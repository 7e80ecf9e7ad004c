"""Words that come while a turn waits for people: each answers one question at most, and only its person's do."""

from typing import Any

import pytest

from tests.workers.asking import AUTHOR, BOOK, ONE, WORDS, Asking, parked, press, shown, turn
from tests.workers.pool import Pool, session
from workers.interfaces import Sink, TurnFailed, TurnRequest, TurnResult
from workers.steps import Question

DAY = Question("k4/1/ask1", "ask_user", "", text="Which day?")
OTHER = {"id": 8, "name": "Ben"}


@pytest.mark.promise("ask-answered-once")
async def test_words_that_answered_one_question_do_not_answer_the_next_one_too(pool: Pool) -> None:
    runtime = await parked(pool, runtime=Asking(((WORDS,), (DAY,))))
    worker = pool.workers["w-one"]
    await pool.say(1, "Ann", sender=AUTHOR)
    await worker.answer(ONE)
    assert [question.text for question in (await turn(pool)).open] == ["Which day?"]
    await pool.say(1, "Monday", sender=AUTHOR)
    await worker.answer(ONE)
    answers = runtime.seen[-1].answers
    assert {key: said.plain for key, said in answers.items()} == {WORDS.key: "Ann", DAY.key: "Monday"}
    assert await pool.idle(ONE)


async def test_words_that_denied_one_call_do_not_deny_the_next_one_too(pool: Pool) -> None:
    pay = Question("k5/0", "pay", "{}", scope="agent:pay")
    runtime = await parked(pool, runtime=Asking(((BOOK,), (pay,))))
    worker = pool.workers["w-one"]
    await pool.say(1, "make it five", sender=AUTHOR)
    await worker.answer(ONE)
    assert [question.about for question in (await turn(pool)).open] == ["pay"]
    await press(pool, "once")
    await worker.answer(ONE)
    assert [said.verdict for said in runtime.seen[-1].answers.values()] == ["words", "run"]
    assert pool.telegram.answered(ONE) == [1, 2, 3]
    assert await pool.idle(ONE)


@pytest.mark.parametrize(
    ("kind", "told"), [("stop", "Stopped."), ("new", "New conversation. I skipped your last message.")]
)
async def test_words_that_answered_a_question_are_no_skipped_message(pool: Pool, kind: str, told: str) -> None:
    await parked(pool, runtime=Asking(((WORDS,), (DAY,), (BOOK,))))
    worker = pool.workers["w-one"]
    for words in ("Ann", "Monday"):
        await pool.say(1, words, sender=AUTHOR)
        await worker.answer(ONE)
    await pool.say(1, kind=kind, sender=AUTHOR)
    await worker.answer(ONE)
    assert shown(pool)[-1] == told
    assert await pool.idle(ONE)


@pytest.mark.promise("ask-who")
@pytest.mark.parametrize("what", ["a person without a name", "a reminder", "an edit"])
async def test_what_is_no_answer_of_its_person_ends_the_question_and_answers_nothing(pool: Pool, what: str) -> None:
    where, runtime = session(-100), Asking(((WORDS,),))
    worker = await pool.worker("w-one", real=runtime)
    await pool.say(-100, "please", sender=AUTHOR, chat_type="supergroup", message_id=5)
    await worker.answer(where)
    said: dict[str, Any] = {
        "a person without a name": {},
        "a reminder": {"sender": AUTHOR, "kind": "reminder"},
        "an edit": {"sender": AUTHOR, "edited": True, "message_id": 5},
    }[what]
    await pool.say(-100, "yes", chat_type="supergroup", **said)
    await worker.answer(where)
    (answer,) = runtime.seen[-1].answers.values()
    assert "yes" in answer.words, "the model reads it"
    assert (answer.plain, answer.pressed) == ("", None), "a form and a tool that asks take it for no answer"
    assert "Not answered" in next(iter(pool.telegram.chat(where).shown.values()))
    assert await pool.idle(where)


@pytest.mark.promise("ask-who")
@pytest.mark.parametrize("mode", ["collect", "steer", "followup"])
@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"media": [{"kind": "photo", "file_id": "f"}]},
        {"kind": "retry"},
        {"kind": "choose", "choice": {"steps": "keep"}},
    ],
)
async def test_what_another_person_sends_ends_no_question_of_the_author_and_comes_next(
    pool: Pool, mode: str, fields: dict[str, Any]
) -> None:
    where, runtime = session(-100), Asking(((BOOK,),))
    worker = await pool.worker("w-one", real=runtime, COHORT_QUEUE_MODE=mode)
    await pool.say(-100, "please", sender=AUTHOR, chat_type="supergroup", message_id=5)
    await worker.answer(where)
    await pool.say(-100, "yes", chat_type="supergroup", sender=OTHER, **fields)
    await worker.answer(where)
    assert len(runtime.seen) == 1
    assert await pool.pending() == []
    found, _ = await pool.store.sessions.parked(where)
    assert found is not None
    (question,) = found.open
    choice = {"ask": question.id, "say": "once"}
    await pool.say(-100, kind="answer", v=3, choice=choice, sender=AUTHOR, chat_type="supergroup")
    await worker.answer(where)
    assert [said.verdict for said in runtime.seen[1].answers.values()] == ["run"]
    assert [message.text for message in runtime.seen[1].messages] == ["please"]
    if fields.get("kind", "message") == "message":
        assert [message.text for message in runtime.seen[2].messages] == ["yes"]
    assert len(await pool.raw_inbox(where)) == (1 if len(runtime.seen) == 3 else 0)


@pytest.mark.parametrize("ends", ["in time", "by a newer message"])
async def test_a_question_that_ends_leaves_no_older_message_to_retry_or_take_back(pool: Pool, ends: str) -> None:
    class FailingFirst(Asking):
        async def run(self, request: TurnRequest, sink: Sink) -> TurnResult:
            if request.messages[0].text == "first":
                raise TurnFailed("tell", "Sorry.", "test")
            return await super().run(request, sink)

    worker = await pool.worker("w-one", real=FailingFirst(), COHORT_QUEUE_MODE="interrupt")
    await pool.say(1, "first", sender=AUTHOR)
    await worker.answer(ONE)
    await pool.say(1, "second", sender=AUTHOR)
    await worker.answer(ONE)
    assert "unanswered" in await pool.state(ONE)
    if ends == "in time":
        pool.clock.advance(24 * 3600 + 1)
        await worker.answer(ONE)
    else:
        await pool.say(1, kind="choose", choice={"queue": "collect"}, sender=AUTHOR)
        await worker.answer(ONE)
    assert "parked" not in await pool.state(ONE)
    assert "unanswered" not in await pool.state(ONE)
    assert len(shown(pool)) >= 2


async def test_a_turn_that_was_parked_in_a_group_asks_again_in_the_supergroup(pool: Pool) -> None:
    old, new, runtime = session(-5), session(-1005), Asking()
    worker = await pool.worker("w-one", real=runtime)
    await pool.say(-5, "please", sender=AUTHOR, chat_type="group")
    await worker.answer(old)
    asked, _ = await pool.store.sessions.parked(old)
    assert asked is not None
    await pool.say(-5, kind="moved", v=2, moved_to=-1005, message_id=None)
    await worker.answer(old)
    assert await pool.store.sessions.parked_turns(64) == 0
    await worker.answer(new)
    assert await pool.store.sessions.parked(old) == (None, ()), "its buttons say that the question has ended"
    again, _ = await pool.store.sessions.parked(new)
    assert again is not None
    assert await pool.store.sessions.parked_turns(64) == 1
    choice = {"ask": again.questions[0].id, "say": "once"}
    await pool.say(-1005, kind="answer", v=3, choice=choice, sender=AUTHOR, chat_type="supergroup")
    await worker.answer(new)
    assert [said.verdict for said in runtime.seen[-1].answers.values()] == ["run"]
    assert await pool.idle(new)
    assert await pool.pending() == []
