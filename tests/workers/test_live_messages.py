"""The messages in which an answer grows, over the deaths of its workers."""

import pytest

from tests.support.redis_of import redis_of
from tests.workers.pool import Pool, Worker, session
from workers.showing import Step

ONE = session(1)


async def grown_over(pool: Pool, messages: int) -> Worker:
    """A worker whose turn has grown over so many messages and is held."""
    worker = await pool.worker("w-one")
    hold = pool.model.hold("long")
    pool.model.partial["long"] = "\f".join(f"part {number}" for number in range(messages))
    await pool.say(1, "long")
    worker.doorbell(ONE)
    await hold.reached()
    await pool.telegram.changes.until(lambda: len(pool.telegram.noted) == messages)
    return worker


@pytest.mark.promise("long-answers")
async def test_the_heir_of_an_answer_in_several_messages_edits_the_first_and_leaves_none_behind(pool: Pool) -> None:
    first = await grown_over(pool, 3)
    messages = list(pool.telegram.chat(ONE).shown)
    await first.kill()
    pool.model.hold("long").go.set()
    pool.model.partial.clear()
    heir = await pool.worker("w-two")
    await heir.answer(ONE)
    assert pool.telegram.chat(ONE).shown == {messages[0]: "answer to long"}
    assert {"live", "live_more"}.isdisjoint(await pool.state(ONE))


async def test_the_next_turn_grows_in_a_message_of_its_own(pool: Pool) -> None:
    worker = await grown_over(pool, 2)
    pool.model.hold("long").go.set()
    pool.model.partial.clear()
    await pool.telegram.until_delivered(1)
    await pool.say(1, "short")
    worker.doorbell(ONE)
    await pool.telegram.until_delivered(2)
    assert list(pool.telegram.chat(ONE).shown.values()) == ["answer to long", "answer to short"]
    assert pool.telegram.delivered[-1][1].edit is None


async def test_further_messages_of_another_turn_are_not_taken_for_this_one_s(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    await pool.say(1, "hello")
    await worker.answer(ONE)
    # A release that knows one message alone has committed a turn, and died in the next.
    stale = {"live": "900", "live_more": "101:102,103"}
    await redis_of(pool.store).hset(f"cohort:s:{ONE}:state", mapping=stale)
    await pool.say(1, "again")
    await worker.answer(ONE)
    _, reply = pool.telegram.delivered[-1]
    assert (reply.edit, reply.drops) == (900, ())


async def test_damaged_ids_of_messages_hold_no_answer_up(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    damaged = {"live": "900", "live_more": "900:x,,901,-3,\u0663"}
    await redis_of(pool.store).hset(f"cohort:s:{ONE}:state", mapping=damaged)
    await pool.say(1, "hello")
    await worker.answer(ONE)
    assert pool.telegram.delivered[-1][1].edit == 900


@pytest.mark.parametrize(("shown", "delivered"), [("answer to a\fb", ["b"]), ("answer\fb", ["answer to a", "b"])])
async def test_a_message_that_was_closed_as_the_final_text_has_it_is_not_delivered_again(
    pool: Pool, shown: str, delivered: list[str]
) -> None:
    worker = await pool.worker("w-one")
    pool.model.partial["a"] = shown
    hold = pool.model.hold("a")
    update = await pool.say(1, "a\fb")
    worker.doorbell(ONE)
    await hold.reached()
    await pool.telegram.changes.until(lambda: len(pool.telegram.noted) == 2)
    hold.go.set()
    await pool.telegram.until_delivered(len(delivered))
    assert list(pool.telegram.chat(ONE).shown.values()) == ["answer to a", "b"]
    assert pool.telegram.texts(ONE) == delivered
    assert set(pool.telegram.answered(ONE)) == {update}


async def with_a_step(pool: Pool, **environ: str) -> str:
    """What is delivered after a turn of one tool call."""
    worker = await pool.worker("w-one", **environ)
    pool.model.steps["work"] = [Step("1", "fetch_page"), Step("1", "fetch_page", "done")]
    await pool.say(1, "work")
    await worker.answer(ONE)
    return pool.telegram.texts(ONE)[-1]


@pytest.mark.promise("steps-shown")
async def test_of_steps_nothing_stays_unless_chosen(pool: Pool) -> None:
    assert await with_a_step(pool) == "answer to work"


@pytest.mark.promise("steps-shown")
@pytest.mark.parametrize("mode", ["fold", "keep"])
async def test_steps_stay_below_the_answer_where_the_operator_says_so(pool: Pool, mode: str) -> None:
    assert await with_a_step(pool, COHORT_STEPS=mode) == "answer to work\n\n✓ Fetch page"


async def test_a_chat_chooses_for_itself_what_stays_of_its_steps(pool: Pool) -> None:
    worker = await pool.worker("w-zero", COHORT_STEPS="keep")
    await pool.say(1, kind="choose", choice={"steps": "live"})
    await worker.answer(ONE)
    await worker.stop()
    assert await with_a_step(pool, COHORT_STEPS="keep") == "answer to work"


@pytest.mark.promise("thinking-shown")
@pytest.mark.parametrize(("mode", "text"), [("hide", "answer to work"), ("fold", "hm\n\nanswer to work")])
async def test_thoughts_stand_above_the_answer_where_the_operator_or_the_chat_says_so(
    pool: Pool, mode: str, text: str
) -> None:
    worker = await pool.worker("w-one", COHORT_THINKING=mode)
    pool.model.thoughts["work"] = "hm"
    await pool.say(1, "work")
    await worker.answer(ONE)
    other = {"hide": "show", "fold": "hide"}[mode]
    await pool.say(1, kind="choose", choice={"thinking": other})
    await worker.answer(ONE)
    await pool.say(1, "work")
    await worker.answer(ONE)
    first, _, last = pool.telegram.texts(ONE)
    assert {first, last} == {"answer to work", "hm\n\nanswer to work"}
    assert first == text
