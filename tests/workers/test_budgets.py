"""Allowances: each model call is paid as it ends, by those who asked; turns at once do not spend the same tokens."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from tasks.session import SessionKey
from tests.conftest import BOT
from tests.support.redis_of import redis_of
from tests.workers.fakes import PATIENCE_S, Changes, Hold
from tests.workers.pool import Pool, session
from workers import texts
from workers.interfaces import Sink, TurnFailed, TurnRequest, TurnResult
from workers.sessions.spending import LEAST_HELD
from workers.showing import Step
from workers.usage import Usage

ONE = session(1)
BIG = str(100 * LEAST_HELD)


class Paid:
    """A runtime whose turns are scripted by text: model calls of so many tokens, ``tool``, a ``Hold``, an exception.

    Without a script each turn is one call of ten tokens.
    """

    agents = ("agent",)

    def __init__(self) -> None:
        self.scripts: dict[str, list[Any]] = {}
        self.ran: list[list[str]] = []
        self.changes = Changes()

    async def run(self, request: TurnRequest, sink: Sink | None) -> TurnResult:
        said = [message.text for message in request.messages]
        self.ran.append(said)
        self.changes.tell()
        spent = 0
        for step in next((self.scripts[text] for text in said if text in self.scripts), [10]):
            match step:
                case int():
                    spent += step
                    request.spent(Usage(step, 0, "priced"))
                case "tool":
                    assert sink is not None
                    sink.step(Step("1", "a tool"))
                case Hold():
                    await step.here()
                case _:
                    raise step
        return TurnResult(f"answer to {' '.join(said)}", b"history", Usage(spent, 0, "priced"))

    async def compact(self, request: TurnRequest) -> TurnResult:
        return await self.run(request, None)


@pytest.fixture
def paid() -> Paid:
    return Paid()


async def used(pool: Pool, scope: str, day: str = "2027-01-15") -> int:
    found = await redis_of(pool.store).hget(f"cohort:usage:{BOT}:{scope}:{day}", "input_tokens")
    return int(found or 0)


async def held(pool: Pool, *scopes: str, day: str = "2027-01-15") -> list[bytes]:
    """What is held of each."""
    rows = [await redis_of(pool.store).hgetall(f"cohort:usage:{BOT}:{scope}:{day}") for scope in scopes]
    return [value for row in rows for name, value in row.items() if name.startswith(b"held:") and value]


@pytest.mark.promise("budgets")
async def test_a_turn_is_paid_once_by_its_sender_its_chat_and_its_model(pool: Pool, paid: Paid) -> None:
    worker = await pool.worker("w-one", real=paid, COHORT_BUDGET_USER=BIG)
    paid.scripts["tools"] = [10, "tool", 20, "tool", 30]
    await pool.say(1, "tools", sender={"id": 77})
    await worker.answer(ONE)
    assert [await used(pool, scope) for scope in ("user:77", "chat:1", "model:priced")] == [60, 60, 60]
    state = await pool.state(ONE)
    assert (state["input_tokens"], state["turns"]) == ("60", "1")
    assert await held(pool, "user:77", "chat:1") == []


@pytest.mark.promise("budgets")
async def test_a_turn_that_is_stopped_pays_for_the_calls_that_had_ended(pool: Pool, paid: Paid) -> None:
    worker = await pool.worker("w-one", real=paid)
    paid.scripts["long"] = [10, hold := Hold(), 20]
    await pool.say(1, "long", sender={"id": 77})
    pool.doorbell(worker, ONE)
    await hold.reached()
    await pool.say(1, kind="stop", sender={"id": 77})
    worker.scheduler.interrupt(ONE)
    await pool.telegram.until_delivered(1)
    await worker.stop()
    assert [await used(pool, scope) for scope in ("user:77", "chat:1")] == [10, 10]
    assert (await pool.state(ONE))["input_tokens"] == "10"


@pytest.mark.promise("budgets")
@pytest.mark.parametrize(
    "fault", [TurnFailed("tell", "no", "d"), TurnFailed("operator", "no", "d"), ValueError("defect")]
)
async def test_a_turn_that_fails_pays_for_its_calls(pool: Pool, paid: Paid, fault: Exception) -> None:
    worker = await pool.worker("w-one", real=paid)
    paid.scripts["steps"] = [10, 20, fault]
    await pool.say(1, "steps", sender={"id": 77})
    await worker.answer(ONE)
    tries = len(paid.ran)
    assert [await used(pool, scope) for scope in ("user:77", "chat:1")] == [30 * tries, 30 * tries]


@pytest.mark.promise("budgets")
async def test_what_ended_before_a_tool_ran_is_paid_though_the_worker_dies(pool: Pool, paid: Paid) -> None:
    worker = await pool.worker("w-one", real=paid)
    paid.scripts["tools"] = [10, "tool", hold := Hold(), 20]
    await pool.say(1, "tools", sender={"id": 77})
    pool.doorbell(worker, ONE)
    await hold.reached()
    async with asyncio.timeout(PATIENCE_S):
        while await used(pool, "user:77") != 10:
            await redis_of(pool.store).ping()
    await worker.kill()
    assert await used(pool, "chat:1") == 10


@pytest.mark.promise("budgets")
async def test_messages_answered_together_are_paid_by_each_sender_for_their_own(pool: Pool, paid: Paid) -> None:
    worker = await pool.worker("w-one", real=paid)
    paid.scripts["a"] = [100]
    await pool.say_all(1, *({"text": text, "sender": {"id": who}} for text, who in zip("abc", (7, 8, 7), strict=True)))
    await worker.answer(ONE)
    assert paid.ran == [["a", "b", "c"]]
    assert [await used(pool, f"user:{who}") for who in (7, 8)] == [66, 34]
    assert await used(pool, "chat:1") == 100


@pytest.mark.promise("budgets")
async def test_only_the_one_whose_allowance_is_used_up_is_refused(pool: Pool, paid: Paid) -> None:
    worker = await pool.worker("w-one", real=paid, COHORT_BUDGET_USER=BIG)
    paid.scripts["dear"] = [int(BIG)]
    await pool.say(2, "dear", sender={"id": 8})
    await worker.answer(session(2))
    group = {"chat_type": "supergroup"}
    first, second, third = await pool.say_all(
        1, *({"text": text, "sender": {"id": who}, **group} for text, who in zip("abc", (7, 8, 7), strict=True))
    )
    await worker.answer(ONE)
    assert paid.ran[-1] == ["a", "c"]
    replies = [reply for where, reply in pool.telegram.delivered if where == ONE]
    assert [(reply.answers, reply.reply_to) for reply in replies] == [((first, third), third), ((second,), second)]
    assert replies[1].text == texts.over_budget("person")
    assert [await used(pool, f"user:{who}") for who in (7, 8)] == [10, int(BIG)]


@pytest.mark.promise("budgets")
async def test_who_writes_in_a_chats_name_has_no_allowance_of_its_own(pool: Pool, paid: Paid) -> None:
    worker = await pool.worker("w-one", real=paid, COHORT_BUDGET_USER="20")
    group = session(-500)
    for channel in (-500, -1001, -1002, -1003):
        await pool.say(-500, f"from {channel}", sender={"id": channel}, chat_type="supergroup")
        await worker.answer(group)
    assert len(paid.ran) == 2
    assert await used(pool, "user:-500") == 20


@pytest.mark.promise("budgets")
async def test_turns_at_the_same_time_do_not_spend_the_same_tokens(pool: Pool, paid: Paid) -> None:
    worker = await pool.worker("w-one", real=paid, COHORT_BUDGET_USER=str(3 * LEAST_HELD))
    gate = Hold()
    topics = [SessionKey(BOT, 1, topic) for topic in range(1, 9)]
    paid.scripts["all"] = [gate, LEAST_HELD]
    for topic in topics:
        await pool.say(1, "all", session=str(topic), sender={"id": 77})
        pool.doorbell(worker, topic)
    await pool.telegram.until_delivered(5)
    await paid.changes.until(lambda: len(paid.ran) == 3)
    assert {reply.text for _, reply in pool.telegram.delivered} == {texts.over_budget("person", held=True)}
    gate.go.set()
    await pool.telegram.until_delivered(8)
    assert await used(pool, "user:77") == 3 * LEAST_HELD
    await pool.say(1, "all", session=str(topics[0]), sender={"id": 77})
    pool.doorbell(worker, topics[0])
    await pool.telegram.until_delivered(9)
    assert pool.telegram.delivered[-1][1].text == texts.over_budget("person")


@pytest.mark.promise("budgets")
async def test_what_a_dead_workers_turn_held_is_held_by_its_heir_or_let_go(pool: Pool, paid: Paid) -> None:
    budget = {"COHORT_BUDGET_USER": str(LEAST_HELD), "COHORT_BUDGET_CHAT": str(LEAST_HELD)}
    worker = await pool.worker("w-one", real=paid, **budget)
    paid.scripts["long"] = [hold := Hold(), 10]
    await pool.say(1, "long", sender={"id": 77})
    pool.doorbell(worker, ONE)
    await hold.reached()
    await worker.kill()
    assert len(await held(pool, "user:77", "chat:1")) == 2
    hold.go.set()
    heir = await pool.worker("w-two", real=paid, **budget)
    await heir.answer(ONE)
    assert pool.telegram.texts(ONE) == ["answer to long"]
    assert await held(pool, "user:77", "chat:1") == []


async def test_a_turn_over_midnight_pays_on_the_day_on_which_each_call_ended(pool: Pool, paid: Paid) -> None:
    worker = await pool.worker("w-one", real=paid, COHORT_BUDGET_USER=BIG)
    paid.scripts["long"] = [10, hold := Hold(), 20]
    await pool.say(1, "long", sender={"id": 77})
    pool.doorbell(worker, ONE)
    await hold.reached()
    pool.clock.advance(timedelta(days=1).total_seconds())
    hold.go.set()
    await pool.telegram.until_delivered(1)
    await worker.stop()
    assert [await used(pool, "user:77", day) for day in ("2027-01-15", "2027-01-16")] == [10, 20]
    assert await held(pool, "user:77") == []


async def test_a_turn_whose_claim_was_lost_has_cost_what_it_cost(pool: Pool, paid: Paid) -> None:
    worker = await pool.worker("w-one", real=paid)
    paid.scripts["long"] = [10, hold := Hold()]
    await pool.say(1, "long", sender={"id": 77})
    pool.doorbell(worker, ONE)
    await hold.reached()
    await redis_of(pool.store).hset(f"cohort:s:{ONE}:state", mapping={"owner": "w-other", "epoch": 9})
    hold.go.set()
    await worker.stop()
    assert await used(pool, "user:77") == 10
    assert "input_tokens" not in await pool.state(ONE)


@pytest.mark.parametrize("said", [-5, True, "12", 2**63, 2**80, float("nan"), float("inf"), -0.5, None, [], "x", 1.9])
async def test_what_is_no_count_of_tokens_costs_nothing_and_breaks_nothing(pool: Pool, paid: Paid, said: Any) -> None:
    worker = await pool.worker("w-one", real=paid)

    async def run(request: TurnRequest, sink: Sink | None) -> TurnResult:
        del sink
        request.spent(Usage(said, said, "priced"))
        return TurnResult("fine", b"history", Usage(said, said, "priced"))

    paid.run = run
    await pool.say(1, "hello", sender={"id": 77})
    await worker.answer(ONE)
    assert pool.telegram.texts(ONE) == ["fine"]
    assert await used(pool, "user:77") in (0, 1, 12, 1_000_000_000)
    assert (await pool.state(ONE))["turns"] == "1"
