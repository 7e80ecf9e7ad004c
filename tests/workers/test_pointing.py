"""An answer points at its message where it does not stand right below it."""

import pytest

from tests.workers.pool import Pool, session

ONE = session(1)


async def pointed_at(pool: Pool) -> list[tuple[str, int | None]]:
    """Each answer, and the message that it answers by Telegram's means."""
    return [(reply.text, reply.reply_to) for _, reply in pool.telegram.delivered]


@pytest.mark.promise("replies-point")
async def test_answers_to_messages_that_wait_together_point_at_their_messages(pool: Pool) -> None:
    worker = await pool.worker("w-one", COHORT_QUEUE_MODE="followup")
    await pool.say_all(1, {"text": "a"}, {"text": "b"}, {"text": "c"})
    await worker.answer(ONE)
    assert await pointed_at(pool) == [("answer to a", 1), ("answer to b", 2), ("answer to c", 3)]


async def test_a_message_that_waited_for_a_turn_is_pointed_at(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    hold = pool.model.hold("first")
    await pool.say(1, "first")
    worker.doorbell(ONE)
    await hold.reached()
    await pool.say(1, "second")
    hold.go.set()
    await pool.telegram.until_delivered(2)
    assert await pointed_at(pool) == [("answer to first", None), ("answer to second", 2)]


@pytest.mark.promise("replies-point")
@pytest.mark.parametrize(("shown", "points"), [("", 1), ("so far", None)])
async def test_an_answer_below_a_message_that_came_meanwhile_points_at_its_own(
    pool: Pool, shown: str, points: int | None
) -> None:
    worker = await pool.worker("w-one", COHORT_QUEUE_MODE="followup")
    if shown:
        # It stands above the second message already.
        pool.model.partial["first"] = shown
    hold = pool.model.hold("first")
    await pool.say(1, "first")
    turn = worker.doorbell(ONE)
    await hold.reached()
    pool.clock.advance(30)
    await pool.say(1, "second")
    await worker.answer(ONE)
    hold.go.set()
    await turn
    assert await pointed_at(pool) == [("answer to first", points), ("answer to second", 2)]


async def test_a_second_doorbell_for_one_message_makes_its_answer_point_at_none(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    hold = pool.model.hold("first")
    await pool.say(1, "first")
    turn = worker.doorbell(ONE)
    await hold.reached()
    await worker.answer(ONE)
    hold.go.set()
    await turn
    assert await pointed_at(pool) == [("answer to first", None)]


async def test_an_answer_right_below_its_message_and_one_to_several_point_at_none(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    await pool.say(1, "alone")
    await worker.answer(ONE)
    await pool.say_all(1, {"text": "a"}, {"text": "b"})
    await worker.answer(ONE)
    assert await pointed_at(pool) == [("answer to alone", None), ("answer to a b", None)]


async def test_in_a_group_each_answer_points_at_its_message(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    await pool.say(1, "hello", chat_type="supergroup")
    await worker.answer(ONE)
    assert await pointed_at(pool) == [("answer to hello", 1)]


@pytest.mark.promise("topic-gone")
async def test_in_a_group_each_answer_knows_what_it_answers(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    await pool.say(1, "hello there", chat_type="private")
    await worker.answer(ONE)
    await pool.say(-7, "hello", chat_type="supergroup", sender={"id": 5, "name": "Ann"})
    await worker.answer(session(-7))
    assert [reply.about for _, reply in pool.telegram.delivered] == ["", "Ann: hello"]


@pytest.mark.promise("moved")
async def test_an_answer_to_what_waited_in_a_group_that_moved_names_it(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    await pool.say(-5, "where to?", chat_type="group", sender={"id": 5, "name": "Ann"})
    await pool.say(-5, kind="moved", v=2, moved_to=-1005, message_id=None)
    await worker.answer(session(-5))
    await worker.answer(session(-1005))
    assert pool.telegram.texts(session(-1005)) == ["Ann: where to?\nanswer to where to?"]
