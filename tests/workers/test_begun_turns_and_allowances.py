"""A turn that goes on where it was is not refused half-way, and answers the messages with which it was begun."""

import asyncio
from dataclasses import dataclass, field

import pytest

from tests.conftest import BOT
from tests.support.redis_of import redis_of
from tests.workers.asking import AUTHOR, BOOK, ONE, Asking, press
from tests.workers.fakes import PATIENCE_S
from tests.workers.pool import Pool
from workers.interfaces import Sink, TurnRequest, TurnResult
from workers.steps import PersonsAnswer

BEN = {"id": 8, "name": "Ben"}
TODAY, TOMORROW = "2027-01-15", "2027-01-16"
DAY_S = 24 * 3600
ENVIRON = {"COHORT_BUDGET_USER": "100000", "COHORT_ASK_TTL": "1000000"}


async def used_up(pool: Pool, day: str, *people: int) -> None:
    for person in people:
        await redis_of(pool.store).hset(f"cohort:usage:{BOT}:user:{person}:{day}", "input_tokens", 100_000)


async def both_ask(pool: Pool, runtime: Asking) -> None:
    """One turn answers two people, and rests."""
    worker = await pool.worker("w-one", real=runtime, **ENVIRON)
    await pool.say_all(1, {"text": "a table", "sender": AUTHOR}, {"text": "for two", "sender": BEN})
    await worker.answer(ONE)
    assert "parked" in await pool.state(ONE)


def texts(request: TurnRequest) -> list[str]:
    return [message.text for message in request.messages]


@pytest.mark.promise("parked")
@pytest.mark.parametrize("people", [(8,), (7, 8)])
async def test_a_parked_turn_goes_on_though_allowances_are_used_up_when_it_is_answered(
    pool: Pool, people: tuple[int, ...]
) -> None:
    runtime = Asking()
    await both_ask(pool, runtime)
    pool.clock.advance(DAY_S)
    await used_up(pool, TOMORROW, *people)
    await press(pool, "once")
    await pool.workers["w-one"].answer(ONE)
    assert [texts(request) for request in runtime.seen] == [["a table", "for two"]] * 2
    assert runtime.kept[-1] == [b"step 0"], "it goes on where it was"
    assert runtime.seen[-1].answers == {BOOK.key: PersonsAnswer("run", person=7)}
    assert sorted(pool.telegram.answered(ONE)) == [1, 2, 3]
    assert await pool.idle(ONE)


@pytest.mark.promise("parked")
async def test_a_message_that_was_refused_before_a_question_is_not_answered_by_the_turn_that_goes_on(
    pool: Pool,
) -> None:
    await used_up(pool, TODAY, 8)
    runtime = Asking()
    await both_ask(pool, runtime)
    pool.clock.advance(DAY_S)
    await press(pool, "once")
    await pool.workers["w-one"].answer(ONE)
    assert [texts(request) for request in runtime.seen] == [["a table"]] * 2
    assert runtime.kept[-1] == [b"step 0"], "it goes on where it was"
    said = pool.telegram.texts(ONE)
    assert said[-2:] == ["done: run", next(text for text in said if "today's limit" in text)]
    assert sorted(pool.telegram.answered(ONE)) == [1, 2, 3]
    assert "refused" not in await pool.state(ONE)
    assert await pool.idle(ONE)


@dataclass
class Stepping(Asking):
    """Its turns keep a step; the first one then stays where it is."""

    stays: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self, request: TurnRequest, sink: Sink) -> TurnResult:
        self.rounds = ()
        result = await super().run(request, sink)
        assert request.steps is not None
        await request.steps.written()
        if len(self.seen) == 1 and len(self.kept[0]) == 0:
            self.stays.set()
            await asyncio.Event().wait()
        return result


@pytest.mark.promise("steps-once")
async def test_a_turn_that_kept_steps_goes_on_at_its_heir_though_the_allowance_is_used_up(pool: Pool) -> None:
    runtime = Stepping()
    worker = await pool.worker("w-one", real=runtime, **ENVIRON)
    await pool.say(1, "please", sender=AUTHOR)
    pool.doorbell(worker, ONE)
    async with asyncio.timeout(PATIENCE_S):
        await runtime.stays.wait()
    await worker.kill()
    await used_up(pool, TODAY, 7)
    heirs = Stepping()
    heir = await pool.worker("w-two", real=heirs, **ENVIRON)
    await heir.answer(ONE)
    assert heirs.kept == [[b"step 0"]]
    assert pool.telegram.texts(ONE) == ["done: "]
    await pool.say(1, "and more", sender=AUTHOR)
    await heir.answer(ONE)
    assert len(heirs.seen) == 1, "a turn that begins is refused"
