"""Turns that fail: what is tried again, what is told, and what Retry runs."""

import asyncio

import pytest

from ops.commands.find import Sought
from tasks.phrases import phrase
from tasks.turn_record import reference
from tests.workers.fake_model import ScriptedRuntime
from tests.workers.fakes import without_reference
from tests.workers.pool import Pool
from tests.workers.test_loop import ONE
from tests.workers.test_references import referred
from workers import texts
from workers.interfaces import Sink, TurnFailed, TurnRequest, TurnResult


def outage() -> TurnFailed:
    return TurnFailed("retry", "busy", "503")


def refusal() -> TurnFailed:
    return TurnFailed("tell", "I cannot answer that.", "content filter")


# -- turns that fail


async def test_a_passing_fault_is_tried_again_and_its_user_sees_one_answer(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    pool.model.fail("hello", outage(), outage())
    await pool.say(1, "hello")
    await worker.answer(ONE)
    assert pool.telegram.texts(ONE) == ["answer to hello"]
    assert [call.end for call in pool.model.calls] == ["TurnFailed", "TurnFailed", "answered"]


async def test_until_the_next_try_its_user_reads_what_is_waited_for(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    pool.model.fail("hello", TurnFailed("retry", phrase("fault-busy"), "503"), ValueError("a defect of ours"))
    await pool.say(1, "hello")
    await worker.answer(ONE)
    assert pool.telegram.phases == [phrase("fault-busy"), "", phrase("another-try"), ""]


async def test_a_permanent_fault_is_told_at_once_and_leaves_the_history_as_it_was(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    pool.model.fail("bad", refusal())
    for text in ("good", "bad", "good again"):
        await pool.say(1, text)
        await worker.answer(ONE)
    assert pool.telegram.texts(ONE) == ["answer to good", "I cannot answer that.", "answer to good again"]
    assert pool.model.calls[-1].history == ["good"]


async def test_what_a_failed_turn_thought_stays_above_the_words_about_it(pool: Pool) -> None:
    worker = await pool.worker("w-one", COHORT_THINKING="fold")
    pool.model.thoughts["bad"] = "They ask for it."
    pool.model.fail("bad", refusal())
    await pool.say(1, "bad")
    await worker.answer(ONE)
    assert [without_reference(text) for text in pool.telegram.texts(ONE)] == [
        "They ask for it.\n\nI cannot answer that."
    ]


async def test_an_outage_ends_in_a_retry_button_that_runs_the_message_again(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    pool.model.fail("hello", *(outage() for _ in range(5)))
    await pool.say(1, "hello", quote="context")
    await worker.answer(ONE)
    (_, apology), *_ = pool.telegram.delivered
    assert without_reference(apology.text) == f"{phrase('outage')} {phrase('press-retry')}"
    assert apology.buttons[0][0].data == texts.RETRY_DATA

    # Something else is said and answered in between; that takes no promise back.
    await pool.say(1, "meanwhile")
    await worker.answer(ONE)
    await pool.say_all(1, {"kind": "retry"}, {"kind": "retry"})
    await worker.answer(ONE)
    await pool.say(1, kind="retry")
    await worker.answer(ONE)

    assert pool.telegram.texts(ONE)[1:] == ["answer to meanwhile", "answer to hello", phrase("nothing-to-retry")]
    assert pool.model.calls[-1].request.messages[0].quote == "context"
    assert pool.model.calls[-1].history == ["meanwhile"]
    assert "failed" not in await pool.state(ONE)


async def test_a_provider_that_wants_more_patience_than_people_have_is_asked_once(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    pool.model.fail("hello", TurnFailed("retry", "busy", "429", backoff=7200))
    await pool.say(1, "hello")
    await worker.answer(ONE)
    (_, apology), *_ = pool.telegram.delivered
    assert without_reference(apology.text) == f"{phrase('outage')} {phrase('press-retry')}"
    assert [call.end for call in pool.model.calls] == ["TurnFailed"]


async def test_retry_answers_every_message_that_failed_in_an_outage(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    for text in ("one", "two"):
        pool.model.fail(text, *(outage() for _ in range(5)))
        await pool.say(1, text)
        await worker.answer(ONE)
    await pool.say(1, kind="retry")
    await worker.answer(ONE)
    assert pool.model.calls[-1].texts == ["one", "two"]
    assert pool.telegram.texts(ONE)[-1] == "answer to one two"


async def test_a_retry_that_fails_again_can_be_retried_again(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    pool.model.fail("hello", *(outage() for _ in range(10)))
    await pool.say(1, "hello")
    for _ in range(3):
        await worker.answer(ONE)
        await pool.say(1, kind="retry")
    assert pool.telegram.texts(ONE) == [f"{phrase('outage')} {phrase('press-retry')}"] * 2 + ["answer to hello"]


async def test_a_new_conversation_forgets_what_could_be_retried(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    pool.model.fail("hello", *(outage() for _ in range(5)))
    await pool.say(1, "hello")
    await worker.answer(ONE)
    await pool.say_all(1, {"kind": "new"}, {"kind": "retry"})
    await worker.answer(ONE)
    assert pool.telegram.texts(ONE)[-1] == phrase("nothing-to-retry")


class SlowToEnd(ScriptedRuntime):
    """Its turns end at their limit, but one that ignores its cancellation takes twice as long again."""

    async def run(self, request: TurnRequest, sink: Sink) -> TurnResult:
        self.wanted += 1
        ended = asyncio.Event()
        asyncio.get_running_loop().call_later(3 * LIMIT_S, ended.set)
        await ended.wait()
        raise TurnFailed("tell", SLOW, "turn longer than its limit")


LIMIT_S = 0.02
SLOW = "This took longer than I am allowed to work on one message."


async def test_a_turn_that_takes_too_long_is_ended_once_by_the_runtime_which_knows_when_it_began(pool: Pool) -> None:
    runtime = SlowToEnd(pool.model, "w-one")
    worker = await pool.worker("w-one", real=runtime, COHORT_TURN_TIMEOUT=str(LIMIT_S))
    await pool.say(1, "endless")
    await worker.answer(ONE)
    assert pool.telegram.texts(ONE) == [SLOW]
    assert (runtime.wanted, pool.naps.taken) == (1, [])
    assert await pool.idle(ONE)


SETTINGS = TurnFailed("operator", "Something is wrong.", "401")
LONG_OUTAGE = TurnFailed("retry", "busy", "429", backoff=7200)


@pytest.mark.promise("retry-undo")
@pytest.mark.parametrize("problem", [SETTINGS, LONG_OUTAGE])
async def test_messages_that_waited_and_fail_for_one_reason_have_one_apology_whose_retry_answers_all(
    pool: Pool, problem: TurnFailed
) -> None:
    worker = await pool.worker("w-one", COHORT_QUEUE_MODE="followup")
    await pool.say(1, "good")
    for text in ("one", "two", "three"):
        pool.model.fail(text, problem)
        await pool.say(1, text)
    await worker.answer(ONE)
    stands = [without_reference(text) for text in pool.telegram.chat(ONE).shown.values()]
    assert (len(stands), stands[0]) == (2, "answer to good")
    # Each reference that a person has read leads to the apology that stands there now.
    _, *failed = worker.deps.trail.take()
    assert [(record.updates, record.stands_for) for record in failed] == [((2,), ()), ((3,), (2,)), ((4,), (2, 3))]
    read = [reference(ONE.bot, update) for update in (2, 3, 4)]
    assert referred(list(pool.telegram.chat(ONE).shown.values())[-1]) == read[-1]
    assert all(Sought.of(ref).means(failed[-1].session, failed[-1].found_by) for ref in read)
    assert failed[-1].replaced == read[:2]
    # What is written once the apology is there has one of its own.
    pool.model.fail("four", problem)
    await pool.say(1, "four", message_id=900)
    await worker.answer(ONE)
    assert len(pool.telegram.chat(ONE).shown) == 3
    ((button,),) = pool.telegram.delivered[-2][1].buttons
    await pool.say(1, kind="retry", message_id=901)
    await worker.answer(ONE)
    assert button.text == phrase("button-retry")


@pytest.mark.parametrize("problem", [SETTINGS, LONG_OUTAGE])
async def test_retry_below_one_apology_runs_all_its_messages(pool: Pool, problem: TurnFailed) -> None:
    worker = await pool.worker("w-one", COHORT_QUEUE_MODE="followup")
    for text in ("one", "two", "three"):
        pool.model.fail(text, problem)
        await pool.say(1, text)
    await worker.answer(ONE)
    await pool.say(1, kind="retry")
    await worker.answer(ONE)
    assert pool.model.calls[-1].texts == ["one", "two", "three"]
    assert pool.telegram.texts(ONE)[-1] == "answer to one two three"


async def test_another_persons_message_another_reason_and_an_answer_between_have_their_own_apology(pool: Pool) -> None:
    worker = await pool.worker("w-one", COHORT_QUEUE_MODE="followup")
    pool.model.fail("one", SETTINGS)
    pool.model.fail("two", TurnFailed("operator", "Something else is wrong.", "402"))
    pool.model.fail("three", SETTINGS)
    pool.model.fail("five", SETTINGS)
    for text, user in (("one", 1), ("two", 1), ("three", 2), ("four", 2), ("five", 2)):
        await pool.say(1, text, chat_type="group", sender={"id": user, "name": "Ann"})
    await worker.answer(ONE)
    assert len(pool.telegram.chat(ONE).shown) == len(pool.telegram.delivered) == 5
