"""Hot standby: one bot process leads, the next takes over."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from bot.process.leader import LeaderLoop, LeaseTimes
from bot.process.stop import Stop
from tasks import keys
from tasks.errors import StoreUnavailable
from tasks.store import Store
from tests.bot.stand_ins import SOON, Tally
from tests.conftest import BOT
from tests.support.redis_of import redis_of

QUICK = LeaseTimes(ttl=timedelta(milliseconds=400), renew=timedelta(milliseconds=20))


class Work:
    """Leads until told otherwise."""

    def __init__(self) -> None:
        self.begun = Tally()
        self.ended = Tally()

    async def __call__(self, term: Stop) -> None:
        await self.begun.add()
        await term.wait()
        await self.ended.add()


class Watched:
    """The real lease, counting who was refused and who was served; ``away`` is Redis being away."""

    def __init__(self, store: Store) -> None:
        self._lease = store.lease
        self.refused = Tally()
        self.served = Tally()
        self.failed = Tally()
        self.away = False

    async def acquire(self, bot: int, holder: str, ttl: timedelta) -> bool:
        if self.away:
            await self.failed.add()
            raise StoreUnavailable
        ours = await self._lease.acquire(bot, holder, ttl)
        await (self.served if ours else self.refused).add()
        return ours

    async def release(self, bot: int, holder: str) -> None:
        await self._lease.release(bot, holder)


@asynccontextmanager
async def on_call(lease: Watched, name: str) -> AsyncGenerator[tuple[Work, Stop]]:
    """A bot process that works or stands by."""
    work, stop = Work(), Stop()
    async with asyncio.timeout(SOON), asyncio.TaskGroup() as group:
        group.create_task(LeaderLoop(lease, BOT, name, times=QUICK).run(work, stop))
        yield work, stop
        stop.set()


async def test_a_second_bot_stands_by_and_takes_over_when_the_first_ends_cleanly(store: Store) -> None:
    lease = Watched(store)
    async with on_call(lease, "first") as (first, stop):
        await first.begun.reaches(1)
        async with on_call(lease, "second") as (second, _):
            await lease.refused.reaches(2)
            assert second.begun.count == 0
            stop.set()
            await second.begun.reaches(1)
            assert first.ended.count == 1, "never two at work"


@pytest.mark.promise("one-poller")
async def test_a_second_bot_takes_over_from_one_that_was_killed(store: Store) -> None:
    lease = Watched(store)
    # Killed: it holds the lease and does not renew it.
    assert await store.lease.acquire(BOT, "killed", QUICK.ttl)
    async with on_call(lease, "second") as (second, _):
        await lease.refused.reaches(1)
        await second.begun.reaches(1)


def test_a_killed_bot_is_replaced_within_20_seconds() -> None:
    times = LeaseTimes()
    assert times.ttl + times.renew < timedelta(seconds=20)
    assert times.renew * 3 < times.ttl, "a holder must not lose it over one slow renewal"


async def test_the_holder_renews_the_lease_and_gives_it_back(store: Store) -> None:
    lease = Watched(store)
    async with on_call(lease, "only") as (work, _):
        await work.begun.reaches(1)
        await lease.served.reaches(25)
        assert work.ended.count == 0
        assert await redis_of(store).get(keys.poller(BOT)) == b"only"
    assert await redis_of(store).get(keys.poller(BOT)) is None


@pytest.mark.promise("one-poller")
async def test_a_bot_that_lost_the_lease_stops_and_stands_by(store: Store) -> None:
    lease = Watched(store)
    async with on_call(lease, "paused") as (work, _):
        await work.begun.reaches(1)
        await redis_of(store).set(keys.poller(BOT), "other", px=100)
        await work.ended.reaches(1)
        assert await redis_of(store).get(keys.poller(BOT)) in (b"other", None), "what is another's is not given back"
        await work.begun.reaches(2)


async def test_the_holder_goes_on_leading_while_redis_is_away_and_says_so_once(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    lease = Watched(store)
    async with on_call(lease, "only") as (work, _):
        await work.begun.reaches(1)
        lease.away = True
        await lease.failed.reaches(5)
        assert work.ended.count == 0
        lease.away = False
        await lease.served.reaches(lease.served.count + 2)
    said = [record.getMessage() for record in caplog.records if record.getMessage().startswith("store.")]
    assert said == ["store.unavailable", "store.back"]
