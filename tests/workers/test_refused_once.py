"""What is over its budget is refused once for the messages that wait, and once an hour for a payer after that."""

from typing import Any, Literal

import pytest

from tasks.envelope import Inbound
from tasks.store.state import StateField
from tests.conftest import BOT
from tests.support.redis_of import redis_of
from tests.workers.pool import Pool, session
from workers import texts
from workers.sessions.spending import HELD, LEAST_HELD, USED_UP
from workers.sessions.turns.refusals import QUIET_FOR_S, Refusals

ONE = session(1)


@pytest.mark.promise("budgets")
@pytest.mark.parametrize("whose", ["person", "chat"])
@pytest.mark.parametrize(("waiting", "after"), [(5, 0), (1, 2)])
async def test_a_used_up_day_is_told_once_an_hour(
    pool: Pool, waiting: int, after: int, whose: Literal["person", "chat"]
) -> None:
    setting, scope = ("COHORT_BUDGET_USER", "user:77") if whose == "person" else ("COHORT_BUDGET_CHAT", "chat:1")
    settings = {setting: "20", "COHORT_QUEUE_MODE": "followup"}
    worker = await pool.worker("w-one", **settings)
    await redis_of(pool.store).hset(f"cohort:usage:{BOT}:{scope}:2027-01-15", "input_tokens", 20)
    await pool.say_all(1, *({"text": str(number), "sender": {"id": 77}} for number in range(waiting)))
    await worker.answer(ONE)
    for number in range(after):
        await pool.say(1, f"then {number}", sender={"id": 77})
        await worker.answer(ONE)
    await worker.kill()
    heir = await pool.worker("w-two", **settings)
    await pool.say(1, "to the heir", sender={"id": 77})
    await heir.answer(ONE)
    refusal = texts.over_budget(whose)
    assert pool.telegram.texts(ONE) == [refusal]
    assert await pool.idle(ONE)
    for pause, told in ((QUIET_FOR_S, 2), (1.0, 2)):
        pool.clock.advance(pause)
        await pool.say(1, "later", sender={"id": 77})
        await heir.answer(ONE)
        assert pool.telegram.texts(ONE) == [refusal] * told
    assert (await pool.state(ONE)).get("turns") is None


@pytest.mark.promise("budgets")
async def test_what_is_held_is_told_once_of_the_messages_that_wait(pool: Pool) -> None:
    worker = await pool.worker("w-one", COHORT_BUDGET_USER=str(LEAST_HELD), COHORT_QUEUE_MODE="followup")
    turn = pool.model.hold("long")
    await pool.say(2, "long", sender={"id": 77})
    worker.doorbell(session(2))
    await turn.reached()
    await pool.say_all(1, *({"text": str(number), "sender": {"id": 77}} for number in range(3)))
    await worker.answer(ONE)
    refusal = texts.over_budget("person", held=True)
    assert pool.telegram.texts(ONE) == [refusal]
    pool.clock.advance(1.0)
    await pool.say(1, "later", sender={"id": 77})
    await worker.answer(ONE)
    assert pool.telegram.texts(ONE) == [refusal, refusal], "it may be free in a moment"
    turn.go.set()
    await pool.telegram.until_delivered(3)
    assert pool.telegram.texts(session(2)) == ["answer to long"]


@pytest.mark.parametrize(
    ("verdict", "at", "kind", "known"),
    [
        (USED_UP, 7000.0, "message", True),
        (HELD, 6900.0, "message", True),
        (HELD, 7000.0, "message", False),
        (USED_UP, 7000.0, "reminder", False),
        (USED_UP, 7000.0, "compact", False),
    ],
)
def test_what_a_refusal_is_told_of_again(verdict: int, at: float, kind: Any, known: bool) -> None:
    said = Refusals.read("", 6950.0)
    message = Inbound(session=str(ONE), update_id=1, at=at, kind=kind)
    assert not said.repeats(7, verdict, [message])
    heard = Refusals.read(said.fields[StateField.over_budget] + " junk x:y", 7000.0)
    assert not any(Refusals.read("a:1:6950.0", when).told for when in (6949.0, 6950.0 + QUIET_FOR_S))
    assert heard.repeats(7, verdict, [message]) is known
    assert bool(heard.fields) is not known
    assert not heard.repeats(8, verdict, [message])


def test_a_refusal_of_another_day_is_told() -> None:
    said = Refusals.read("", 86_300.0)
    message = Inbound(session=str(ONE), update_id=1, at=86_300.0)
    assert not said.repeats(7, USED_UP, [message])
    assert not Refusals.read(said.fields[StateField.over_budget], 86_500.0).repeats(7, USED_UP, [message])


async def test_others_are_answered_where_one_was_refused_before(pool: Pool) -> None:
    worker = await pool.worker("w-one", COHORT_BUDGET_USER="1000")
    await redis_of(pool.store).hset(f"cohort:usage:{BOT}:user:8:2027-01-15", "input_tokens", 1000)
    group = session(-5)
    for _ in range(2):
        await pool.say_all(-5, *({"text": "hi", "sender": {"id": who}, "chat_type": "supergroup"} for who in (7, 8)))
        await worker.answer(group)
    told = [(reply.answers, reply.text == texts.over_budget("person")) for _, reply in pool.telegram.delivered]
    assert told == [((1,), False), ((2,), True), ((3,), False)]
    assert await pool.idle(group)
