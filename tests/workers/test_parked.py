"""A turn that waits for people: it holds nothing, and goes on with their answers, on any worker, however late."""

import asyncio
from typing import Any

import pytest

from tasks import keys
from tasks.journal import Mark
from tasks.phrases import phrase
from tests.support.redis_of import redis_of
from tests.workers.asking import ASK, AUTHOR, BOOK, ONE, WORDS, Asking, parked, press, shown, turn
from tests.workers.fakes import PATIENCE_S
from tests.workers.pool import Pool, session
from workers.interfaces import Sink, TurnRequest, TurnResult
from workers.steps import PersonsAnswer, Question


@pytest.mark.promise("parked")
async def test_a_parked_turn_holds_no_claim_no_work_and_no_try(pool: Pool) -> None:
    await parked(pool)
    state = await pool.state(ONE)
    assert "owner" not in state
    assert "tries" not in state
    assert await pool.pending() == []
    assert len(await pool.raw_inbox(ONE)) == 1
    assert await pool.store.sessions.parked_turns(64) == 1
    (question,) = [reply for _, reply in pool.telegram.delivered]
    assert "book" in question.text
    assert "s3cret" not in question.text
    assert [button.text for row in question.buttons for button in row] == ["Allow once", "Deny", "Always in this chat"]


@pytest.mark.promise("parked")
async def test_the_answer_has_the_turn_go_on_on_any_worker_however_late(pool: Pool) -> None:
    await parked(pool, COHORT_ASK_TTL="1000000")
    await pool.workers["w-one"].kill()
    pool.clock.advance(7 * 24 * 3600)
    await press(pool, "once")
    runtime = Asking()
    heir = await pool.worker("w-two", real=runtime, COHORT_ASK_TTL="1000000")
    await heir.answer(ONE)
    assert runtime.seen[0].answers == {"k1/0": PersonsAnswer("run", person=7)}
    assert runtime.kept == [[b"step 0"]]
    assert [message.text for message in runtime.seen[0].messages] == ["please"]
    assert "Allowed once." in shown(pool)[0]
    assert shown(pool)[1] == "done: run"
    assert pool.telegram.answered(ONE) == [1, 2]
    assert await pool.idle(ONE)
    assert not await redis_of(pool.store).exists(keys.journal(ONE))
    assert await pool.store.sessions.parked_turns(64) == 0


async def test_a_parked_turn_that_nothing_new_came_to_is_put_to_rest_again(pool: Pool) -> None:
    runtime = await parked(pool)
    worker = pool.workers["w-one"]
    assert (await worker.answer(ONE))["turns"] == 0
    assert len(runtime.seen) == 1
    assert "tries" not in await pool.state(ONE)


async def test_a_release_that_asks_no_one_leaves_a_parked_turn_alone(pool: Pool) -> None:
    await parked(pool)
    mark = Mark.parse((await pool.state(ONE))["journal"])
    assert mark is not None
    assert mark.version == 2


@pytest.mark.promise("ask-answered-once")
@pytest.mark.parametrize("verdict", ["no", "nonsense", "0"])
async def test_what_is_pressed_after_the_first_answer_changes_nothing(pool: Pool, verdict: str) -> None:
    runtime = await parked(pool)
    await press(pool, "once")
    await press(pool, verdict)
    await pool.workers["w-one"].answer(ONE)
    assert runtime.seen[-1].answers == {"k1/0": PersonsAnswer("run", person=7)}
    assert await pool.raw_inbox(ONE) == []
    assert await pool.idle(ONE)


@pytest.mark.promise("ask-who")
async def test_only_the_author_and_operators_may_answer(pool: Pool) -> None:
    runtime = await parked(pool, COHORT_ADMINS="9")
    worker = pool.workers["w-one"]
    await press(pool, "once", person=8)
    await worker.answer(ONE)
    assert len(runtime.seen) == 1, "a stranger's press allows nothing"
    await press(pool, "once", person=9)
    await worker.answer(ONE)
    assert runtime.seen[-1].answers == {"k1/0": PersonsAnswer("run", person=9)}
    assert await pool.idle(ONE)


@pytest.mark.promise("ask-who")
@pytest.mark.parametrize(("who", "runs"), [("author", 1), ("anyone", 2)])
async def test_who_may_answer_in_a_group_is_a_setting(pool: Pool, who: str, runs: int) -> None:
    where, runtime = session(-100), Asking()
    worker = await pool.worker("w-one", real=runtime, COHORT_ASK_IN_GROUPS=who)
    await pool.say(-100, "please", sender=AUTHOR, chat_type="supergroup")
    await worker.answer(where)
    found, _ = await pool.store.sessions.parked(where)
    assert found is not None
    choice = {"ask": found.questions[0].id, "say": "once"}
    await pool.say(-100, kind="answer", v=3, choice=choice, sender={"id": 8, "name": "Ben"}, chat_type="supergroup")
    await worker.answer(where)
    assert len(runtime.seen) == runs


@pytest.mark.promise("ask-who")
async def test_the_bots_owner_answers_in_a_group_by_a_button_and_in_words(pool: Pool) -> None:
    where, runtime = session(-100), Asking(((BOOK,), (WORDS,)))
    worker = await pool.worker("w-one", real=runtime)
    await pool.say(-100, "please", sender=AUTHOR, chat_type="supergroup")
    await worker.answer(where)
    found, _ = await pool.store.sessions.parked(where)
    assert found is not None
    owner: dict[str, Any] = {"sender": {"id": 8, "name": "Ben"}, "chat_type": "supergroup", "in_charge": True}
    await pool.say(-100, kind="answer", v=3, choice={"ask": found.questions[0].id, "say": "once"}, **owner)
    await worker.answer(where)
    await pool.say(-100, "Ann Lee", **owner)
    await worker.answer(where)
    assert runtime.seen[-1].answers["k1/0"].verdict == "run"
    assert runtime.seen[-1].answers["k3/1/ask1"].plain == "Ann Lee"
    assert await pool.idle(where)


@pytest.mark.promise("ask-all")
async def test_several_questions_are_asked_in_order_and_the_turn_goes_on_when_all_are_answered(pool: Pool) -> None:
    runtime = await parked(pool, runtime=Asking(((BOOK, ASK),)))
    worker = pool.workers["w-one"]
    assert ["book" in text or "Which day?" in text for text in shown(pool)] == [True, True]
    await press(pool, "1", place=1)
    await worker.answer(ONE)
    assert len(runtime.seen) == 1
    assert "Answer: Tuesday" in shown(pool)[1]
    await press(pool, "no")
    await worker.answer(ONE)
    assert runtime.seen[-1].answers == {
        "k1/0": PersonsAnswer("no", person=7),
        "k2/1/ask1": PersonsAnswer("words", "Tuesday", pressed=1, person=7),
    }
    assert await pool.idle(ONE)


async def test_a_turn_may_ask_again_and_keeps_the_answers_that_it_has(pool: Pool) -> None:
    runtime = await parked(pool, runtime=Asking(((BOOK,), (WORDS,))))
    worker = pool.workers["w-one"]
    await press(pool, "once")
    await worker.answer(ONE)
    assert "parked" in await pool.state(ONE)
    await pool.say(1, "Ann", sender=AUTHOR)
    await worker.answer(ONE)
    assert runtime.seen[-1].answers == {
        "k1/0": PersonsAnswer("run", person=7),
        "k3/1/ask1": PersonsAnswer("words", "Ann", "Ann", person=7),
    }
    assert pool.telegram.answered(ONE) == [1, 2, 3]
    assert await pool.idle(ONE)


@pytest.mark.promise("ask-user")
async def test_words_answer_one_question_and_not_the_next_one_too(pool: Pool) -> None:
    further = Question("k3/1/ask2", "ask_user", "", text="Your town?")
    runtime = await parked(pool, runtime=Asking(((WORDS,), (further,))))
    worker = pool.workers["w-one"]
    await pool.say(1, "Ann", sender=AUTHOR)
    await worker.answer(ONE)
    assert [question.text for question in (await turn(pool)).open] == ["Your town?"]
    await pool.say(1, "Bonn", sender=AUTHOR)
    await worker.answer(ONE)
    assert [said.plain for said in runtime.seen[-1].answers.values()] == ["Ann", "Bonn"]
    assert pool.telegram.answered(ONE) == [1, 2, 3]
    assert await pool.idle(ONE)


@pytest.mark.promise("ask-ends")
async def test_a_question_without_an_answer_ends_with_a_line_and_a_sweep_finds_it(pool: Pool) -> None:
    runtime = await parked(pool)
    assert await pool.pending() == []
    pool.clock.advance(24 * 3600 + 1)
    assert await pool.pending() == [ONE]
    await pool.workers["w-one"].answer(ONE)
    assert "No answer came in time." in shown(pool)[0]
    assert phrase("no-answer-came") in shown(pool)[1]
    assert len(runtime.seen) == 1
    assert await pool.idle(ONE)
    assert await pool.pending() == []


async def test_always_is_remembered_in_the_chat_until_a_new_conversation(pool: Pool) -> None:
    runtime = await parked(pool)
    worker = pool.workers["w-one"]
    await press(pool, "always")
    await worker.answer(ONE)
    runtime.rounds = ()
    await pool.say(1, "again", sender=AUTHOR)
    await worker.answer(ONE)
    assert runtime.seen[-1].allowed == frozenset({"agent:book"})
    await pool.say(1, kind="new")
    await pool.say(1, "again", sender=AUTHOR)
    await worker.answer(ONE)
    assert runtime.seen[-1].allowed == frozenset()


async def test_what_was_said_before_a_question_stands_above_it_and_is_not_said_twice(pool: Pool) -> None:
    runtime = await parked(pool, runtime=Asking(says="I found a table."))
    assert shown(pool)[0] == "I found a table."
    await press(pool, "once")
    await pool.workers["w-one"].answer(ONE)
    assert shown(pool)[-1] == "done: run"
    assert len(runtime.seen) == 2


async def test_a_question_takes_the_place_of_a_message_that_showed_steps_alone(pool: Pool) -> None:
    chat = pool.telegram.chat(ONE)

    class Stepping(Asking):
        """Steps stand in a message before there is text; the pool's screen shows text alone."""

        async def run(self, request: TurnRequest, sink: Sink) -> TurnResult:
            sink.more("a step")
            async with asyncio.timeout(PATIENCE_S):
                while not self.seen and not chat.shown:
                    await redis_of(pool.store).ping()
            sink.text("")
            return await super().run(request, sink)

    await parked(pool, runtime=Stepping())
    assert [text.partition("\n")[0] for text in shown(pool)] == ["May I do this?"]
    await press(pool, "once")
    await pool.workers["w-one"].answer(ONE)
    assert shown(pool)[0].endswith("Allowed once.")
    assert await pool.idle(ONE)


@pytest.mark.parametrize("damaged", ["", "[]", '{"v": 1}', '{"v": 99}'])
async def test_a_damaged_note_of_the_question_has_the_turn_ask_again(pool: Pool, damaged: str) -> None:
    runtime = await parked(pool)
    await redis_of(pool.store).hset(keys.state(ONE), "parked", damaged)
    await pool.workers["w-one"].answer(ONE)
    assert len(runtime.seen) == 2
    assert runtime.kept[-1] == [b"step 0"]
    assert len((await turn(pool)).questions) == 1


async def test_a_worker_that_dies_between_the_answer_and_the_turn_leaves_it_to_an_heir(pool: Pool) -> None:
    await parked(pool)
    first = pool.workers["w-one"]
    first.at_step = lambda step: step == "committed"
    await press(pool, "once")
    pool.doorbell(first, ONE)
    await first.has_ended()
    runtime = Asking()
    heir = await pool.worker("w-two", real=runtime)
    await heir.answer(ONE)
    assert runtime.seen[-1].answers == {"k1/0": PersonsAnswer("run", person=7)}
    assert pool.telegram.answered(ONE) == [1, 2]
    assert await pool.idle(ONE)


async def test_a_worker_that_dies_as_it_asks_leaves_the_question_to_be_delivered(pool: Pool) -> None:
    first = await pool.worker("w-one", real=Asking())
    first.at_step = lambda step: step == "committed"
    await pool.say(1, "please", sender=AUTHOR)
    pool.doorbell(first, ONE)
    await first.has_ended()
    heir = await pool.worker("w-two", real=Asking())
    await heir.answer(ONE)
    assert len(shown(pool)) == 1
    assert await pool.pending() == []
    await press(pool, "no")
    await heir.answer(ONE)
    assert await pool.idle(ONE)
