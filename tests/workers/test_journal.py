"""A turn's steps over the real store: what an heir is given, which messages it answers, and who may keep steps."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from tasks import keys
from tasks.journal import Mark, turn_of
from tests.support.redis_of import redis_of
from tests.workers.fakes import PATIENCE_S
from tests.workers.pool import Pool, session
from workers.interfaces import Sink, TurnFailed, TurnRequest, TurnResult
from workers.usage import Usage

ONE = session(1)


@dataclass
class Stepping:
    """A runtime that keeps a step, tells so, and goes on when it is let; each worker has one."""

    what: Callable[[TurnRequest], str] = lambda _request: "answer"
    agents: tuple[str, ...] = ("agent",)
    finishes: bool = False
    """Its step is one that has ended."""
    seen: list[tuple[list[str], list[bytes]]] = field(default_factory=list)
    kept: asyncio.Event = field(default_factory=asyncio.Event)
    go: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self, request: TurnRequest, sink: Sink) -> TurnResult:
        steps = request.steps
        assert steps is not None
        self.seen.append(([message.text for message in request.messages], list(steps.kept)))
        request.spent(Usage(10, 5, "m"))
        steps.add(f"step {len(steps.kept)}".encode(), finished=self.finishes)
        await steps.written()
        self.kept.set()
        if self.what(request) == "hold":
            await self.go.wait()
        if self.what(request) == "fail" and len(self.seen) == 1:
            raise TurnFailed("retry", "later", "a passing fault")
        steps.add(b"not worth a write")
        return TurnResult("answer", b"history", Usage(0, 0, "m"))

    async def compact(self, request: TurnRequest) -> TurnResult:
        raise AssertionError


def holds(_request: TurnRequest) -> str:
    return "hold"


async def dies_in_a_step(pool: Pool, *texts: str) -> None:
    """A worker keeps a step of a turn on these messages and dies; its supervisor saw it."""
    await pool.say_all(1, *({"text": text} for text in texts))
    await dies_when_it_kept_a_step(pool, "w-one")


async def dies_when_it_kept_a_step(pool: Pool, name: str, held: Stepping | None = None) -> Stepping:
    """A worker of this name goes on with what is there, keeps a step and dies."""
    held = held or Stepping(holds)
    worker = await pool.worker(name, real=held)
    pool.doorbell(worker, ONE)
    async with asyncio.timeout(PATIENCE_S):
        await held.kept.wait()
    await worker.kill()
    return held


async def journal(pool: Pool) -> list[bytes]:
    return await redis_of(pool.store).lrange(keys.journal(ONE), 0, -1)


@pytest.mark.promise("steps-once")
async def test_an_heir_has_the_steps_and_answers_the_same_messages_whatever_came_since(pool: Pool) -> None:
    await dies_in_a_step(pool, "a", "b")
    await pool.say(1, "c")
    runtime = Stepping()
    heir = await pool.worker("w-two", real=runtime)
    await heir.answer(ONE)
    assert runtime.seen == [(["a", "b"], [b"step 0"]), (["c"], [])]
    assert pool.telegram.answered(ONE) == [1, 2, 3]
    assert await journal(pool) == []
    assert "journal" not in await pool.state(ONE)


async def test_after_a_second_death_the_messages_run_one_at_a_time(pool: Pool) -> None:
    await dies_in_a_step(pool, "a", "b")
    held = await dies_when_it_kept_a_step(pool, "w-two")
    runtime = Stepping()
    third = await pool.worker("w-three", real=runtime)
    await third.answer(ONE)
    assert [texts for texts, _ in (*held.seen, *runtime.seen)] == [["a", "b"], ["a"], ["b"]]
    assert [kept for _, kept in runtime.seen] == [[], []]


@pytest.mark.promise("steps-once")
@pytest.mark.parametrize("words", ["a", "b"])
async def test_one_message_keeps_its_steps_over_further_deaths_also_when_it_was_edited_meanwhile(
    pool: Pool, words: str
) -> None:
    await dies_in_a_step(pool, "a")
    await pool.say(1, words, message_id=1, edited=True)
    held = await dies_when_it_kept_a_step(pool, "w-two")
    runtime = Stepping()
    await (await pool.worker("w-three", real=runtime)).answer(ONE)
    assert (held.seen, runtime.seen[0]) == ([(["a"], [b"step 0"])], (["a"], [b"step 0", b"step 1"]))
    assert runtime.seen[1:] == ([] if words == "a" else [(["b"], [])])


async def test_a_try_after_a_passing_fault_has_the_steps_of_the_try_before(pool: Pool) -> None:
    runtime = Stepping(lambda _request: "fail")
    worker = await pool.worker("w-one", real=runtime)
    await pool.say(1, "a")
    await worker.answer(ONE)
    assert runtime.seen == [(["a"], []), (["a"], [b"step 0"])]


async def test_what_steps_cost_is_counted_once_also_when_their_worker_dies(pool: Pool) -> None:
    await dies_in_a_step(pool, "a")
    assert (await pool.state(ONE))["input_tokens"] == "10"
    heir = await pool.worker("w-two", real=Stepping())
    await heir.answer(ONE)
    state = await pool.state(ONE)
    assert (state["input_tokens"], state["output_tokens"], state["turns"]) == ("20", "10", "1")
    days = await redis_of(pool.store).keys(keys.usage("*:chat:1", "*"))
    assert [await redis_of(pool.store).hget(day, "input_tokens") for day in days] == [b"20"]


@pytest.mark.promise("fenced-steps")
async def test_a_worker_that_lost_its_claim_keeps_no_step_and_its_turn_ends(pool: Pool) -> None:
    late = Stepping(holds)
    zombie = await pool.worker("w-one", real=late)
    await pool.say(1, "a")
    doorbell = zombie.doorbell(ONE)
    async with asyncio.timeout(PATIENCE_S):
        await late.kept.wait()
    await pool.store.members.report_death("w-one")
    heir = await pool.worker("w-two", real=Stepping())
    await heir.answer(ONE)
    late.go.set()
    async with asyncio.timeout(PATIENCE_S):
        assert (await doorbell)["outcome"] == "elsewhere"
    assert pool.telegram.answered(ONE) == [1]
    assert await journal(pool) == []


@dataclass
class Ending(Stepping):
    """A runtime whose step ends when it is let."""

    ended: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self, request: TurnRequest, sink: Sink) -> TurnResult:
        steps = request.steps
        assert steps is not None
        steps.add(b"begun")
        await steps.written()
        self.kept.set()
        await self.go.wait()
        steps.add(b"ended")
        await steps.safe()
        self.ended.set()
        return TurnResult("answer", b"history", Usage(0, 0, "m"))


async def test_a_turn_waits_for_its_steps_end_to_be_kept_and_not_for_a_redis_that_is_away(pool: Pool) -> None:
    runtime = Ending()
    worker = await pool.worker("w-one", real=runtime)
    redis = redis_of(pool.store)
    await pool.say(1, "a")
    doorbell = worker.doorbell(ONE)
    async with asyncio.timeout(PATIENCE_S):
        await runtime.kept.wait()
        await redis.client_pause(60_000, all=False)
        runtime.go.set()
        while not any(line["cmd"] == "evalsha" and "b" in line["flags"] for line in await redis.client_list()):
            pass
        assert not runtime.ended.is_set()
        await runtime.ended.wait()
        assert await journal(pool) == [b"begun"]
        await redis.client_unpause()
        await doorbell
    assert pool.telegram.answered(ONE) == [1]


async def test_a_turn_that_is_stopped_leaves_no_journal(pool: Pool) -> None:
    await dies_in_a_step(pool, "a")
    await pool.say(1, kind="stop")
    runtime = Stepping()
    heir = await pool.worker("w-two", real=runtime)
    await heir.answer(ONE)
    assert runtime.seen == []
    assert await journal(pool) == []


async def test_a_newer_releases_turn_waits_for_a_worker_that_can_read_it_and_can_be_stopped(pool: Pool) -> None:
    await dies_in_a_step(pool, "a")
    await redis_of(pool.store).hset(keys.state(ONE), "journal", "3 steps of another kind")
    runtime = Stepping()
    old = await pool.worker("w-two", real=runtime)
    await old.answer(ONE)
    assert runtime.seen == []
    assert await journal(pool) == [b"step 0"]
    await pool.say(1, kind="stop")
    await old.answer(ONE)
    assert await journal(pool) == []
    assert await pool.idle(ONE)


async def test_a_journal_that_something_else_changed_costs_the_turn_nothing(pool: Pool) -> None:
    runtime = Stepping(holds)
    worker = await pool.worker("w-one", real=runtime)
    await pool.say(1, "a")
    doorbell = worker.doorbell(ONE)
    async with asyncio.timeout(PATIENCE_S):
        await runtime.kept.wait()
    await redis_of(pool.store).hset(keys.state(ONE), "journal", str(Mark(1, turn_of([9]), "other")))
    runtime.go.set()
    async with asyncio.timeout(PATIENCE_S):
        await doorbell
    assert pool.telegram.answered(ONE) == [1]


async def test_a_handed_over_turn_goes_on_with_its_steps(pool: Pool) -> None:
    runtime = Stepping(holds)
    worker = await pool.worker("w-one", real=runtime)
    await pool.say(1, "a")
    pool.doorbell(worker, ONE)
    async with asyncio.timeout(PATIENCE_S):
        await runtime.kept.wait()
    worker.cancel_turns()
    await worker.stop()
    heirs = Stepping()
    await (await pool.worker("w-two", real=heirs)).answer(ONE)
    assert heirs.seen == [(["a"], [b"step 0"])]


@pytest.mark.parametrize("mark", [b"", b"nonsense", b"\xff\xfe", b"1 x y z", b"1 1", b"1 1 turn nonce and more"])
async def test_a_damaged_mark_is_none_and_the_turn_begins_again(pool: Pool, mark: bytes) -> None:
    await dies_in_a_step(pool, "a")
    await redis_of(pool.store).hset(keys.state(ONE), "journal", mark)
    runtime = Stepping()
    await (await pool.worker("w-two", real=runtime)).answer(ONE)
    assert runtime.seen == [(["a"], [])]
    assert pool.telegram.answered(ONE) == [1]
    assert await journal(pool) == []


@pytest.mark.parametrize("gone", [False, True])
async def test_a_journal_of_another_type_or_gone_is_begun_again_and_kept(pool: Pool, *, gone: bool) -> None:
    await dies_in_a_step(pool, "a")
    await redis_of(pool.store).delete(keys.journal(ONE))
    if not gone:
        await redis_of(pool.store).set(keys.journal(ONE), "something else")
    second = Stepping(holds)
    heir = await pool.worker("w-two", real=second)
    pool.doorbell(heir, ONE)
    async with asyncio.timeout(PATIENCE_S):
        await second.kept.wait()
    assert await journal(pool) == [b"step 0"], "steps are kept again"
    await heir.kill()
    runtime = Stepping()
    await (await pool.worker("w-three", real=runtime)).answer(ONE)
    assert (second.seen, runtime.seen) == ([(["a"], [])], [(["a"], [b"step 0"])])
    assert pool.telegram.answered(ONE) == [1]
    assert await pool.idle(ONE)
