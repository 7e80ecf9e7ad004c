"""A turn whose chat takes nothing any more costs no more: it ends, and what waits behind it is not asked."""

import json

import pytest

from tests.support.redis_of import redis_of
from tests.workers.pool import Pool, Worker, session

ONE = session(1)
ENDING = [
    "Forbidden: bot was blocked by the user",
    "Forbidden: bot was kicked from the supergroup chat",
    "Forbidden: bot is not a member of the supergroup chat",
    "Forbidden: user is deactivated",
    "Forbidden: the group chat was deleted",
    "Chat not found",
    "Have no write access to the chat",
    "Not enough rights to send text messages to the chat",
    "CHAT_WRITE_FORBIDDEN",
]
PASSING = ["Topic_closed", "Message thread not found", "Button_data_invalid", "Message to be replied not found", "?"]


async def refused(pool: Pool, why: str) -> Worker:
    """Two messages wait, the second behind the first one's turn, and Telegram shows nothing of that."""
    worker = await pool.worker("w-one", COHORT_QUEUE_MODE="followup")
    worker.delivery.gone.add(ONE)
    worker.delivery.gone_why = why
    pool.model.partial["long"] = "Once upon"
    await pool.say_all(1, {"text": "long story"}, {"text": "another"})
    return worker


@pytest.mark.parametrize("why", ENDING)
async def test_a_turn_ends_when_its_chat_takes_nothing_any_more(pool: Pool, why: str) -> None:
    worker = await refused(pool, why)
    pool.model.hold("long")
    await worker.answer(ONE)
    assert pool.model.saw() == [["long story"]]
    assert await pool.idle(ONE)
    raw = await redis_of(pool.store).hget(f"cohort:s:{ONE}:state", "history")
    assert json.loads(raw or b"[]") == ["long story", "Once upon [stopped]"]
    # Who comes back is answered as ever.
    worker.delivery.gone.clear()
    await pool.say(1, "back")
    await worker.answer(ONE)
    (answer,) = pool.telegram.texts(ONE)
    assert "back" in answer


@pytest.mark.parametrize("why", PASSING)
async def test_a_turn_goes_on_where_its_answer_may_still_come(pool: Pool, why: str) -> None:
    worker = await refused(pool, why)
    hold = pool.model.hold("long")
    turn = worker.doorbell(ONE)
    await hold.reached()
    hold.go.set()
    await turn
    assert pool.model.saw() == [["long story"], ["another"]]
