"""The session of an inline message: one turn, one message, and nothing left behind."""

import pytest

from tasks.phrases import phrase
from tasks.session import SessionKey
from tests.conftest import BOT
from tests.support.redis_of import redis_of
from tests.workers.fakes import without_reference
from tests.workers.pool import Pool, Worker
from workers.interfaces import TurnFailed

HERE = SessionKey(BOT, 5, inline="AAQ-1")


async def turn(pool: Pool, worker: Worker, text: str = "how warm is it", where: SessionKey = HERE) -> None:
    await pool.say(where.chat, text, session=str(where), v=6, chat_type="private", message_id=None)
    await worker.answer(where)


async def kept(pool: Pool) -> set[str]:
    return {key.decode() async for key in redis_of(pool.store).scan_iter("cohort:s:*")}


@pytest.mark.promise("inline-messages")
async def test_it_is_answered_in_its_message_and_then_nothing_is_kept_of_it(pool: Pool) -> None:
    worker = await pool.worker("one")
    await pool.say(5, "in our chat")
    await worker.answer(SessionKey(BOT, 5))
    before = await kept(pool)
    await turn(pool, worker)
    assert any("how warm is it" in text for text in pool.telegram.texts(HERE))
    assert await kept(pool) == before
    assert await pool.pending() == []
    # A worker of the release before would send it into the person's own chat.
    assert {reply.v for where, reply in pool.telegram.delivered if where == HERE} == {4}


async def test_an_apology_offers_no_button_there_and_the_session_ends_all_the_same(pool: Pool) -> None:
    worker = await pool.worker("one")
    pool.model.fail("bad", TurnFailed("retry", "later", "later"))
    await turn(pool, worker, "bad")
    assert "Retry" not in pool.telegram.texts(HERE)[-1]
    assert await kept(pool) == set()


@pytest.mark.parametrize("problem", [TurnFailed("tell", "Too slow.", "turn longer than 60 s"), ValueError("a defect")])
async def test_what_was_said_stays_above_the_reason_why_it_ends(pool: Pool, problem: Exception) -> None:
    worker = await pool.worker("one")
    pool.model.partial["bad"] = "Once upon"
    pool.model.fail("bad", *[problem] * 5)
    await turn(pool, worker, "bad")
    words = problem.words if isinstance(problem, TurnFailed) else phrase("defect")
    shown = without_reference(pool.telegram.texts(HERE)[-1])
    assert shown.endswith(f"Once upon\n\n{words}")
    assert await kept(pool) == set()


async def test_a_chat_is_not_noted_as_closed_for_a_message_that_is_gone(pool: Pool) -> None:
    worker = await pool.worker("one")
    worker.delivery.gone.add(HERE)
    await turn(pool, worker)
    assert await redis_of(pool.store).exists(f"cohort:bot:{BOT}:closed") == 0
    assert await kept(pool) == set()


@pytest.mark.parametrize("step", ["claimed", "ran", "committed", "delivered"])
async def test_its_heir_answers_it_and_forgets_it(pool: Pool, step: str) -> None:
    first = await pool.worker("one")
    first.at_step = lambda passed: passed == step
    await pool.say(5, "how warm is it", session=str(HERE), v=6, chat_type="private", message_id=None)
    pool.doorbell(first, HERE)
    await first.has_ended()
    heir = await pool.worker("two")
    await heir.answer(HERE)
    assert any("how warm is it" in text for text in pool.telegram.texts(HERE))
    assert await kept(pool) == set()
