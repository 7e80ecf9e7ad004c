"""What was said stays when a turn is stopped or interrupted: in the history, and on the screen."""

import json

import pytest

from tasks.phrases import phrase
from tests.support.redis_of import redis_of
from tests.support.until import until
from tests.workers.pool import Pool, Worker, session
from workers import texts

ONE = session(1)


async def history(pool: Pool) -> list[str]:
    raw = await redis_of(pool.store).hget(f"cohort:s:{ONE}:state", "history")
    return json.loads(raw or b"[]")


async def stop(pool: Pool, worker: Worker, kind: str = "stop", **fields: str) -> None:
    await pool.say(1, kind=kind, **fields)
    worker.scheduler.interrupt(ONE)


@pytest.mark.promise("stop-keeps")
async def test_a_stopped_turn_stays_in_the_history_with_what_it_had_said(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    pool.model.partial["long"] = "Once upon"
    hold = pool.model.hold("long")
    await pool.say(1, "long story")
    turn = worker.doorbell(ONE)
    await hold.reached()
    await pool.telegram.changes.until(lambda: bool(pool.telegram.noted))
    await stop(pool, worker)
    await turn
    hold.go.set()
    assert await history(pool) == ["long story", "Once upon [stopped]"]
    assert pool.telegram.texts(ONE) == [f"Once upon\n\n{texts.stopped(1)}"]
    await pool.say(1, "go on")
    await worker.answer(ONE)
    assert pool.model.calls[-1].history == ["long story", "Once upon [stopped]"]


@pytest.mark.promise("stop-keeps")
@pytest.mark.parametrize("mode", ["edit", "draft"])
async def test_a_turn_that_was_handed_off_and_is_stopped_stays_in_the_history(pool: Pool, mode: str) -> None:
    pool.telegram.drafts = mode == "draft"
    one = await pool.worker("w-one", COHORT_STREAM=mode)
    pool.model.partial["long"] = "Once upon"
    hold = pool.model.hold("long")
    await pool.say_all(1, {"text": "long story"}, {"text": "of a fox"})
    pool.doorbell(one, ONE)
    await hold.reached()
    await until(lambda: shows(pool))
    await one.stop()
    await pool.say(1, kind="stop")
    two = await pool.worker("w-two", COHORT_STREAM=mode)
    await two.answer(ONE)
    assert await history(pool) == ["long story", "of a fox", "Once upon [stopped]"]


async def shows(pool: Pool) -> bool:
    """Whether what the turn shows is noted."""
    return bool({"live", "drafted"} & (await pool.state(ONE)).keys())


@pytest.mark.promise("stop-keeps")
async def test_a_new_conversation_keeps_nothing_of_the_turn_it_ended(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    hold = pool.model.hold("long")
    await pool.say(1, "long story")
    turn = worker.doorbell(ONE)
    await hold.reached()
    await stop(pool, worker, "new")
    await turn
    assert await history(pool) == []


@pytest.mark.promise("stop-keeps")
async def test_messages_that_only_waited_are_set_aside_and_not_remembered(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    await pool.say_all(1, {"text": "a"}, {"text": "b"}, {"kind": "stop"})
    await worker.answer(ONE)
    assert await history(pool) == []
    assert pool.telegram.texts(ONE) == [texts.stopped(2)]


@pytest.mark.promise("stop-keeps")
async def test_a_stop_for_a_dead_workers_turn_keeps_the_question_and_the_text_that_stands_there(pool: Pool) -> None:
    one = await pool.worker("w-one")
    pool.model.partial["long"] = "Once upon"
    hold = pool.model.hold("long")
    await pool.say(1, "long story")
    pool.doorbell(one, ONE)
    await hold.reached()
    await pool.telegram.changes.until(lambda: bool(pool.telegram.noted))
    await one.kill()
    await pool.say(1, kind="stop")
    two = await pool.worker("w-two")
    await two.answer(ONE)
    assert await history(pool) == ["long story", "Once upon [stopped]"]
    assert list(pool.telegram.chat(ONE).shown.values()) == ["Once upon", texts.stopped(1)]
    # Its Stop button goes.
    assert pool.telegram.delivered[-1][1].disarms == tuple(pool.telegram.noted)
    assert len(pool.model.calls) == 1


@pytest.mark.promise("stop-keeps")
async def test_an_interrupted_turn_that_had_said_something_stays_and_the_new_message_is_answered_next(
    pool: Pool,
) -> None:
    worker = await pool.worker("w-one", COHORT_QUEUE_MODE="interrupt")
    pool.model.partial["long"] = "Once upon"
    hold = pool.model.hold("long")
    first = await pool.say(1, "long story")
    turn = worker.doorbell(ONE)
    await hold.reached()
    await pool.telegram.changes.until(lambda: bool(pool.telegram.noted))
    second = await pool.say(1, "shorter")
    await worker.answer(ONE)
    await turn
    assert pool.telegram.texts(ONE) == [f"Once upon\n\n{phrase('interrupted')}", "answer to shorter"]
    assert pool.telegram.answered(ONE) == [first, second]
    assert pool.model.calls[-1].history == ["long story", "Once upon [stopped]"]


async def test_in_interrupt_mode_an_edit_of_the_message_at_work_begins_the_turn_again(pool: Pool) -> None:
    worker = await pool.worker("w-one", COHORT_QUEUE_MODE="interrupt")
    pool.model.partial["long"] = "Once upon"
    hold = pool.model.hold("long")
    await pool.say(1, "long story", message_id=7)
    turn = worker.doorbell(ONE)
    await hold.reached()
    await pool.telegram.changes.until(lambda: bool(pool.telegram.noted))
    await pool.say(1, "short story", message_id=7, edited=True)
    await worker.answer(ONE)
    await turn
    assert pool.telegram.texts(ONE) == ["answer to short story"]
    assert pool.model.calls[-1].history == []


@pytest.mark.promise("stop-keeps")
async def test_thoughts_that_a_stopped_turn_has_shown_stay(pool: Pool) -> None:
    worker = await pool.worker("w-one", COHORT_THINKING="fold", COHORT_STREAM="draft")
    pool.model.thoughts["long"] = "They want a story."
    hold = pool.model.hold("long")
    await pool.say(1, "long story")
    turn = worker.doorbell(ONE)
    await hold.reached()
    await stop(pool, worker)
    await turn
    assert pool.telegram.texts(ONE) == [f"They want a story.\n\n{texts.stopped(1)}"]
    assert await history(pool) == ["long story", " [stopped]"]
