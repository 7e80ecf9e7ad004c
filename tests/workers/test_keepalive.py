"""A worker whose loop is only slow is not taken for dead; one whose loop stands still is."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from datetime import timedelta
from typing import Any

import pytest
from redis.asyncio import Redis

from tasks import keys
from tasks.config.settings import Settings, load
from tasks.status.worker import WorkerStatus
from tasks.store.processes.membership import Membership
from tests.support.until import until
from tests.workers.fakes import FakeClock
from tests.workers.pool import Pool
from tests.workers.pool_worker import Worker
from workers.process.beats import Keepalive, kept_alive
from workers.sessions.heartbeat import Heartbeat

TTL = timedelta(seconds=300)
ME = "w-1"


class AtOnce:
    """A loop that makes a round whenever it is asked to."""

    def __init__(self) -> None:
        self.asked = 0

    def call_soon_threadsafe(self, call: Callable[[], None], /) -> None:
        self.asked += 1
        call()


class StandsStill(AtOnce):
    """A loop that takes calls and makes no round."""

    def call_soon_threadsafe(self, call: Callable[[], None], /) -> None:
        self.asked += 1


class Ended(AtOnce):
    """A loop that is closed."""

    def call_soon_threadsafe(self, call: Callable[[], None], /) -> None:
        self.asked += 1
        raise RuntimeError("Event loop is closed")


@pytest.fixture
def settings(redis_url: str) -> Settings:
    given = {"REDIS_URL": redis_url, "COHORT_HEARTBEAT_TTL": str(int(TTL.total_seconds()))}
    return load({"TELEGRAM_BOT_TOKEN": "4242:test-token", **given})


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    async with Redis.from_url(redis_url) as connected:
        yield connected


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def heartbeat(clock: FakeClock) -> Heartbeat:
    return Heartbeat(clock, TTL)


async def ends(redis: Any) -> int:
    """When the heartbeat ends (ms since 1970); -2: it has ended."""
    return await redis.execute_command("PEXPIRETIME", keys.worker(ME))


async def sent(redis: Redis, heartbeat: Heartbeat) -> int:
    """A heartbeat that the loop has sent, and that ends before another one would."""
    await Membership(redis).beat(ME, WorkerStatus(), timedelta(seconds=200), member=False)
    heartbeat.renewed(heartbeat.now())
    return await ends(redis)


async def looked(keepalive: Keepalive, loop: AtOnce, times: int = 3) -> None:
    """Let it look so many times."""
    ended = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(keepalive.run(ended, every_s=0.01))

        async def enough() -> bool:
            return loop.asked >= times

        await until(enough)
        ended.set()


@pytest.mark.promise("slow-lives")
async def test_a_late_heartbeat_lives_on_while_the_loop_makes_rounds(
    settings: Settings, redis: Redis, heartbeat: Heartbeat, clock: FakeClock
) -> None:
    before = await sent(redis, heartbeat)
    clock.advance(1000)
    loop = AtOnce()
    keepalive = Keepalive(settings, ME, heartbeat, loop)
    await looked(keepalive, loop)
    assert await ends(redis) > before


async def test_that_of_a_loop_that_stands_still_ends(
    settings: Settings, redis: Redis, heartbeat: Heartbeat, clock: FakeClock
) -> None:
    before = await sent(redis, heartbeat)
    for loop in (StandsStill(), Ended()):
        keepalive = Keepalive(settings, ME, heartbeat, loop)
        clock.advance(TTL.total_seconds())
        await looked(keepalive, loop)
        assert await ends(redis) == before


async def test_a_loop_that_stood_still_for_less_than_a_heartbeat_lives_is_no_dead_one(
    settings: Settings, redis: Redis, heartbeat: Heartbeat, clock: FakeClock
) -> None:
    before = await sent(redis, heartbeat)
    loop = StandsStill()
    keepalive = Keepalive(settings, ME, heartbeat, loop)
    clock.advance(TTL.total_seconds() - 1)
    await looked(keepalive, loop)
    assert await ends(redis) > before


async def test_that_of_a_loop_that_sends_none_for_long_ends(
    settings: Settings, redis: Redis, heartbeat: Heartbeat, clock: FakeClock
) -> None:
    before = await sent(redis, heartbeat)
    clock.advance(12 * TTL.total_seconds())
    loop = AtOnce()
    await looked(Keepalive(settings, ME, heartbeat, loop), loop)
    assert await ends(redis) == before


async def test_none_is_made_where_the_last_one_has_ended(
    settings: Settings, redis: Redis, heartbeat: Heartbeat, clock: FakeClock
) -> None:
    await sent(redis, heartbeat)
    await redis.delete(keys.worker(ME))
    clock.advance(1000)
    loop = AtOnce()
    await looked(Keepalive(settings, ME, heartbeat, loop), loop)
    assert await ends(redis) == -2


async def test_heartbeats_that_come_in_time_are_left_alone(
    settings: Settings, redis: Redis, heartbeat: Heartbeat, clock: FakeClock
) -> None:
    loop = AtOnce()
    keepalive = Keepalive(settings, ME, heartbeat, loop)
    before = await sent(redis, heartbeat)
    ended = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(keepalive.run(ended, every_s=0.01))
        for _ in range(20):
            clock.advance(1)
            heartbeat.renewed(heartbeat.now())
            await asyncio.sleep(0)
        ended.set()
    assert (loop.asked, await ends(redis)) == (0, before)


async def test_the_thread_looks_at_the_loop_it_was_begun_in_and_ends_with_its_block(
    settings: Settings, redis: Redis, heartbeat: Heartbeat, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.process.beats.BEATS_PER_TTL", 10_000)
    before = await sent(redis, heartbeat)
    clock.advance(1000)

    async def lives_on() -> bool:
        return await ends(redis) > before

    async with kept_alive(settings, ME, heartbeat):
        await until(lives_on)
    assert "cohort-keepalive" not in {thread.name for thread in threading.enumerate()}


@pytest.mark.promise("slow-lives")
async def test_a_worker_whose_heartbeat_is_held_up_keeps_its_slots(
    pool: Pool, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    holds, held, goes_on = threading.Event(), threading.Event(), threading.Event()
    consume = Worker._consume

    def consumes(worker: Worker, queues: frozenset[str]) -> None:
        consume(worker, queues)
        if holds.is_set():
            held.set()
            assert goes_on.wait(60)

    monkeypatch.setattr(Worker, "_consume", consumes)
    await pool.worker(ME, sweeps=True, COHORT_HEARTBEAT_TTL="5")
    holds.set()
    try:
        await asyncio.to_thread(held.wait, 60)
        before = await ends(redis)
        pool.clock.advance(3)

        async def lives_on() -> bool:
            return await ends(redis) > before

        await until(lives_on)
    finally:
        goes_on.set()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
async def test_a_thread_that_cannot_begin_holds_up_no_end(
    settings: Settings, heartbeat: Heartbeat, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(main: Coroutine[Any, Any, None]) -> None:
        main.close()
        raise OSError("Too many open files")

    monkeypatch.setattr(asyncio, "run", full)
    async with asyncio.timeout(60):
        async with kept_alive(settings, ME, heartbeat):
            pass
