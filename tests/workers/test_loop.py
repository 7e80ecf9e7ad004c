"""A session's turns: answered once, in order, over the real store."""

from datetime import timedelta

import pytest

from tasks.envelope import Inbound
from tasks.phrases import phrase
from tests.workers.pool import Pool, session

ONE = session(1)


async def test_a_message_is_answered_once_and_its_session_let_go(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    update = await pool.say(1, "hello")

    report = await worker.answer(ONE)

    assert report == {"outcome": "answered", "turns": 1, "messages": 1, "tokens": 15, "seconds": 0.0}
    assert pool.telegram.texts(ONE) == ["answer to hello"]
    assert pool.telegram.answered(ONE) == [update]
    assert await pool.idle(ONE)
    assert (await worker.answer(ONE))["outcome"] == "idle"
    assert len(pool.model.calls) == 1


async def test_each_turn_goes_on_from_the_history_of_the_one_before(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    for text in ("one", "two", "three"):
        await pool.say(1, text)
        await worker.answer(ONE)
    await pool.say(2, "elsewhere")
    await worker.answer(session(2))

    assert [call.history for call in pool.model.calls] == [[], ["one"], ["one", "two"], []]
    glance = await pool.store.sessions.glance(ONE)
    assert (glance.usage_in, glance.usage_out) == (30, 15)


async def test_messages_that_come_while_a_turn_runs_are_taken_next_and_together(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    hold = pool.model.hold("first")
    updates = [await pool.say(1, "first")]
    turn = worker.doorbell(ONE)
    await hold.reached()
    for text in ("second", "third"):
        updates.append(await pool.say(1, text))
        assert (await worker.answer(ONE))["outcome"] == "joined"
    hold.go.set()

    # Two that come within a second of each other are a burst, which is over when 0.8 s brought no third.
    assert await turn == {"outcome": "answered", "turns": 2, "messages": 3, "tokens": 30, "seconds": 0.8}
    assert pool.model.saw() == [["first"], ["second", "third"]]
    assert pool.telegram.answered(ONE) == updates


@pytest.mark.promise("in-order")
async def test_ten_quick_messages_are_answered_one_after_the_other_in_order(pool: Pool) -> None:
    worker = await pool.worker("w-one", COHORT_QUEUE_MODE="followup")
    updates = await pool.say_all(1, *({"text": f"m{number}"} for number in range(10)))
    doorbells = [worker.doorbell(ONE) for _ in updates]
    for doorbell in doorbells:
        await doorbell

    assert pool.telegram.texts(ONE) == [f"answer to m{number}" for number in range(10)]
    assert pool.telegram.answered(ONE) == updates
    assert pool.model.calls[-1].history == [f"m{number}" for number in range(9)]


async def test_an_albums_parts_that_come_one_by_one_are_one_turn(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    photo = {"album": "a", "media": [{"kind": "photo", "file_id": "f"}]}
    await pool.say(1, "look", **photo)
    pool.naps.awake.clear()
    turn = worker.doorbell(ONE)
    await pool.naps.changes.until(lambda: bool(pool.naps.taken))
    await pool.say(1, **photo)
    pool.naps.awake.set()
    await turn

    (call,) = pool.model.calls
    assert len(call.request.messages[0].media) == 2
    assert len(pool.naps.taken) == 2
    assert len(pool.telegram.delivered) == 1


# -- what it may cost


@pytest.mark.promise("budgets")
@pytest.mark.parametrize("budget", ["COHORT_BUDGET_USER", "COHORT_BUDGET_CHAT"])
async def test_a_used_up_budget_is_told_and_starts_again_at_midnight(pool: Pool, budget: str) -> None:
    worker = await pool.worker("w-one", **{budget: "20"})
    sender = {"id": 77}
    for text in ("one", "two", "three"):
        await pool.say(1, text, sender=sender)
        await worker.answer(ONE)
    assert [call.texts for call in pool.model.calls] == [["one"], ["two"]]
    assert pool.telegram.texts(ONE)[-1].endswith("reached today's limit. It resets at midnight UTC.")

    # A user's budget follows them to another chat, a chat's does not.
    await pool.say(2, "elsewhere", sender=sender)
    await worker.answer(session(2))
    assert (pool.telegram.texts(session(2)) == ["answer to elsewhere"]) == (budget == "COHORT_BUDGET_CHAT")

    pool.clock.advance(timedelta(days=1).total_seconds())
    await pool.say(1, "tomorrow", sender=sender)
    await worker.answer(ONE)
    assert pool.telegram.texts(ONE)[-1] == "answer to tomorrow"


async def test_in_a_group_the_answer_names_the_message_it_is_for(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    await pool.say(1, "private", message_id=31)
    await pool.say(2, "in a group", message_id=32, chat_type="supergroup")
    for chat in (1, 2):
        await worker.answer(session(chat))
    assert [reply.reply_to for _, reply in pool.telegram.delivered] == [None, 32]


async def test_a_message_put_back_by_an_operator_is_answered(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    await pool.say(1, "hello")
    (raw,) = await pool.raw_inbox(ONE)
    assert Inbound.from_json(raw).text == "hello"
    pool.model.fail("hello", *(ValueError("a defect") for _ in range(3)))
    await worker.answer(ONE)
    (letter,) = await pool.store.dead.list()
    assert await pool.store.dead.retry(letter.id)
    await worker.answer(ONE)
    assert pool.telegram.texts(ONE) == [phrase("defect"), "answer to hello"]
