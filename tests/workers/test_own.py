"""A session whose turns need a process of their own: never run in a shared worker, handed over, found again."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from tasks.phrases import phrase
from tasks.status.worker import OwnHostStatus, Sends
from tasks.store.pauses import PauseView
from tests.support.redis_of import redis_of
from tests.support.until import until
from tests.workers.fakes import PATIENCE_S
from tests.workers.mishaps import at
from tests.workers.pool import Pool, Worker, session
from workers.process.own import OwnProcess, renewing
from workers.process.wiring import WorkerAssembly

ONE, TWO = session(1), session(2)
ISOLATED = frozenset({ONE})


async def host(worker: Worker, *, most: int = 4, busy: int = 0) -> None:
    """Some host starts such processes, by the clock of this worker."""
    await worker.store.own.beat("host", OwnHostStatus(host="here", most=most, alive=busy, busy=busy))


def assembly(worker: Worker) -> WorkerAssembly:
    """What the process is made of; the runtime is the scripted one."""
    engine: Any = SimpleNamespace(agents=("a",), servers_down=(), breaker=SimpleNamespace(failing={}))
    titles: Any = NoTopics()
    return WorkerAssembly(worker.store, engine, worker.deps, PauseView(worker.store.pauses), titles, Sends, None)


class NoTopics:
    """No topic gets a title."""

    async def run(self) -> None:
        await asyncio.Event().wait()


@asynccontextmanager
async def own(
    pool: Pool, name: str = "own-1", renew_cpu: Callable[[], None] = lambda: None, **environ: str
) -> AsyncGenerator[tuple[Worker, OwnProcess]]:
    """The process of session ``ONE``, which lives in the block."""
    worker = await pool.worker(name, **environ)
    process = OwnProcess(worker.settings, ONE, assembly(worker), worker._loops, pool.clock, renew_cpu)
    async with asyncio.TaskGroup() as group:
        group.create_task(process.run(), name=name)
        await until(lambda: rests(worker, process))
        try:
            yield worker, process
        finally:
            process.ending.set()


async def rests(worker: Worker, process: OwnProcess) -> bool:
    """Whether it has looked into the inbox."""
    return "claimed" in worker.passed and (not process._scheduler.awake or bool(worker.pool.model.calls))


async def came_meanwhile(process: OwnProcess) -> bool:
    """Whether a doorbell came while it works."""
    return process._scheduler._loops[ONE][0].arrivals.unseen


async def asleep(process: OwnProcess) -> bool:
    return not process._scheduler.awake


async def has_place(pool: Pool, name: str) -> bool:
    return await redis_of(pool.store).get(f"cohort:own:{ONE}") == name.encode()


async def ended(pool: Pool) -> bool:
    """Whether the first model call has ended."""
    return pool.model.calls[0].end != "running"


@pytest.mark.promise("own-process")
async def test_a_shared_worker_runs_no_turn_of_it_and_says_once_that_there_is_no_host(pool: Pool) -> None:
    worker = await pool.worker("w-one", isolated=ISOLATED)
    await pool.say(1, "secret")
    for _ in range(3):
        assert (await worker.answer(ONE))["outcome"] == "elsewhere"
    await pool.say(2, "hello")
    await worker.answer(TWO)

    assert [call.texts for call in pool.model.calls] == [["hello"]]
    assert pool.telegram.texts(ONE) == [phrase("own-none")]
    assert len(await pool.raw_inbox(ONE)) == 1
    state = await pool.state(ONE)
    assert "owner" not in state
    # It was never begun.
    assert state["tries"] == "0"
    assert await pool.pending() == [ONE]
    assert await pool.store.own.wanted() == []


@pytest.mark.promise("own-process")
async def test_it_is_asked_for_once_however_many_workers_find_it(pool: Pool) -> None:
    workers = [await pool.worker(name, isolated=ISOLATED) for name in ("w-one", "w-two")]
    await host(workers[0])
    await pool.say(1, "a")
    for worker in workers * 2:
        await worker.answer(ONE)
    assert await pool.store.own.wanted() == [ONE]
    assert pool.telegram.texts(ONE) == []


@pytest.mark.promise("own-process")
async def test_when_all_places_are_taken_it_is_told_after_a_while_and_once(pool: Pool) -> None:
    worker = await pool.worker("w-one", isolated=ISOLATED)
    await host(worker, most=1, busy=1)
    await pool.say(1, "a")
    await worker.answer(ONE)
    assert pool.telegram.texts(ONE) == []
    pool.clock.advance(5)
    await host(worker, most=1, busy=1)
    for _ in range(2):
        await worker.answer(ONE)
    assert pool.telegram.texts(ONE) == [phrase("own-full")]


@pytest.mark.promise("own-process")
async def test_it_is_told_also_where_some_rest_whose_places_others_get(pool: Pool) -> None:
    worker = await pool.worker("w-one", isolated=ISOLATED)
    for waited in (0, 4, 4):
        pool.clock.advance(waited)
        await worker.store.own.beat("host", OwnHostStatus(host="here", most=2, alive=2, busy=1))
        if not waited:
            await pool.say(1, "a")
        told = pool.telegram.texts(ONE)
        await worker.answer(ONE)
        assert told == [], "room is being made"
    assert pool.telegram.texts(ONE) == [phrase("own-full")]


@pytest.mark.promise("own-process")
async def test_its_process_answers_and_a_doorbell_at_a_shared_worker_reaches_the_running_turn(pool: Pool) -> None:
    shared = await pool.worker("w-one", isolated=ISOLATED)
    await host(shared)
    hold = pool.model.hold("a")
    async with own(pool, COHORT_QUEUE_MODE="interrupt"):
        await pool.say(1, "a")
        await shared.answer(ONE)
        await hold.reached()
        # The turn runs in its process: this doorbell is passed on, and ends the turn as the queue mode says.
        await pool.say(1, "b")
        await shared.answer(ONE)
        await until(lambda: ended(pool))
        hold.go.set()
        await pool.telegram.until_delivered(1)
        await until(lambda: pool.idle(ONE))
        await pool.say(1, "c")
        await shared.answer(ONE)
        await until(lambda: pool.idle(ONE))
        await pool.telegram.until_delivered(2)
    assert {call.worker for call in pool.model.calls} == {"own-1"}
    assert pool.telegram.answered(ONE) == [1, 2, 3]
    assert pool.model.calls[-1].history == ["a", "b"]


@pytest.mark.promise("own-process")
async def test_doorbells_during_a_turn_give_it_no_more_processor_time(pool: Pool) -> None:
    shared, renewed = await pool.worker("w-one", isolated=ISOLATED), list[str]()
    await host(shared)
    hold = pool.model.hold("a")
    async with own(pool, renew_cpu=lambda: renewed.append("")) as (_, process):
        await pool.say(1, "a")
        await shared.answer(ONE)
        await hold.reached()
        begun = len(renewed)
        # A sweep that finds the session passes a doorbell on as this does.
        await shared.answer(ONE)
        await until(lambda: came_meanwhile(process))
        then = len(renewed)
        hold.go.set()
        await until(lambda: pool.idle(ONE))
    assert then == begun > 0


def test_each_turn_of_a_process_that_does_not_rest_has_processor_time_of_its_own() -> None:
    passed: list[str] = []
    step = renewing(passed.append, lambda: passed.append("renewed"))
    for name in ("claimed", "ran", "committed", "delivered"):
        step(name)
    assert passed == ["claimed", "ran", "renewed", "committed", "delivered"]


@pytest.mark.promise("own-process")
async def test_a_process_that_is_killed_in_a_turn_leaves_it_to_the_next_one(pool: Pool) -> None:
    shared = await pool.worker("w-one", isolated=ISOLATED)
    await host(shared)
    first = await pool.worker("own-1")
    first.at_step = at("ran")
    await pool.say(1, "a")
    first.doorbell(ONE)
    await first.has_ended()
    await shared.answer(ONE)
    assert await pool.store.own.wanted() == [ONE]
    async with own(pool, "own-2"):
        await pool.telegram.until_delivered(1)
        await until(lambda: pool.idle(ONE))
    assert [call.worker for call in pool.model.calls] == ["own-1", "own-2"]
    assert pool.telegram.answered(ONE) == [1]


@pytest.mark.promise("own-process")
async def test_it_ends_when_it_rests_and_gives_its_place_back(pool: Pool) -> None:
    async with own(pool, COHORT_OWN_IDLE="30") as (_, process):
        await until(lambda: has_place(pool, "own-1"))
        assert not process.ending.is_set()
        pool.clock.advance(31)
        async with asyncio.timeout(PATIENCE_S):
            await process.ending.wait()
    assert not await has_place(pool, "own-1")


@pytest.mark.promise("own-process")
async def test_asked_to_make_room_it_ends_only_when_it_rests(pool: Pool) -> None:
    hold = pool.model.hold("a")
    async with own(pool) as (_, process):
        await pool.say(1, "a")
        await pool.store.own.tell(ONE, "doorbell")
        await hold.reached()
        await pool.store.own.tell(ONE, "leave")
        # Words come in order: when this one has come, the one before it has been read.
        await pool.store.own.tell(ONE, "doorbell")
        await until(lambda: came_meanwhile(process))
        assert not process.ending.is_set()
        hold.go.set()
        await until(lambda: pool.idle(ONE))
        await until(lambda: asleep(process))
        await pool.store.own.tell(ONE, "leave")
        async with asyncio.timeout(PATIENCE_S):
            await process.ending.wait()
    assert pool.telegram.answered(ONE) == [1]


@pytest.mark.promise("own-process")
async def test_asked_to_yield_while_it_works_it_ends_when_it_rests_with_all_that_came(pool: Pool) -> None:
    hold = pool.model.hold("a")
    async with own(pool) as (_, process):
        await pool.say(1, "a")
        await pool.store.own.tell(ONE, "doorbell")
        await hold.reached()
        await pool.say(1, "b")
        for word in ("yield", "yield", "doorbell"):
            await pool.store.own.tell(ONE, word)
        await until(lambda: came_meanwhile(process))
        assert not process.ending.is_set()
        hold.go.set()
        async with asyncio.timeout(PATIENCE_S):
            await process.ending.wait()
    assert pool.telegram.answered(ONE) == [1, 2]


@pytest.mark.promise("own-process")
async def test_one_that_was_silent_for_too_long_ends_when_another_has_its_place(pool: Pool) -> None:
    async with own(pool) as (_, process):
        await redis_of(pool.store).set(f"cohort:own:{ONE}", "own-2", px=60_000)
        async with asyncio.timeout(PATIENCE_S):
            await process.ending.wait()
    assert await has_place(pool, "own-2")
    await pool.store.own.release(ONE, "own-2")


@pytest.mark.promise("own-process")
async def test_a_control_word_that_a_shared_worker_hears_ends_the_turn_in_its_process(pool: Pool) -> None:
    shared = await pool.worker("w-one", isolated=ISOLATED)
    await host(shared)
    hold = pool.model.hold("a")
    async with own(pool):
        await pool.say(1, "a")
        await shared.answer(ONE)
        await hold.reached()
        await pool.say(1, kind="stop")
        shared.scheduler.interrupt(ONE)
        await until(lambda: pool.idle(ONE))
    assert [call.end for call in pool.model.calls] == ["CancelledError"]
    assert pool.telegram.answered(ONE)[-1:] == [2]
