"""Rollups: what workers write for the console's plots, and what is read of it."""

import pytest

from tasks.store import Store
from tasks.telemetry.rollups import DAY, HOUR, Bucket, MetricCounts, Rollups, together
from tests.support.redis_of import redis_of

NOW = 1_800_000_000.0
"""Begins a minute and a quarter of an hour."""


def counts(turns: int, **more: dict[str, float]) -> MetricCounts:
    return MetricCounts(turns={"answered": turns}, **more)


async def write(store: Store, worker: str, rollups: Rollups) -> None:
    buckets = rollups.unwritten()
    await store.figures.publish(worker, None, buckets)
    rollups.written(buckets)


@pytest.mark.promise("console-plots")
async def test_the_turns_of_all_workers_are_counted_in_the_minute_and_the_quarter_in_which_they_ended(
    store: Store,
) -> None:
    for worker in ("w-1", "w-2"):
        rollups = Rollups(counts(10))
        rollups.note(NOW + 1, counts(13, tokens={"haiku": 50}), oldest_s=2.5, running=3, lanes=8)
        rollups.note(NOW + 61, counts(14, tokens={"haiku": 60}), oldest_s=0.5, running=1, lanes=8)
        await write(store, worker, rollups)
    hour = dict(await store.figures.series(HOUR, NOW + 65))
    assert len(hour) == 60
    before, last = hour[int(NOW)], hour[int(NOW) + 60]
    assert (before.turns, before.tokens, before.oldest_s) == ({"answered": 6}, {"haiku": 100}, 2.5)
    assert (last.turns, last.tokens, last.workers, last.lanes, last.running) == (
        {"answered": 2},
        {"haiku": 20},
        2,
        16,
        2,
    )
    day = dict(await store.figures.series(DAY, NOW + 65))
    assert len(day) == 96
    assert day[int(NOW)].turns == {"answered": 8}


async def test_a_bucket_that_is_written_twice_counts_once(store: Store) -> None:
    rollups = Rollups(counts(0))
    rollups.note(NOW, counts(5), oldest_s=0, running=0, lanes=1)
    buckets = rollups.unwritten()
    for _ in range(2):
        await store.figures.publish("w-1", None, buckets)
    rollups.note(NOW + 5, counts(6), oldest_s=0, running=0, lanes=1)
    await write(store, "w-1", rollups)
    assert (await store.figures.series(HOUR, NOW))[-1][1].turns == {"answered": 6}


async def test_what_redis_did_not_take_is_written_when_it_is_back_and_an_hour_of_it_at_most(store: Store) -> None:
    rollups = Rollups(counts(0))
    for minute in range(200):
        rollups.note(NOW + 60 * minute, counts(minute + 1), oldest_s=0, running=0, lanes=1)
    assert len(rollups.unwritten()) <= HOUR.buckets + 2 + DAY.buckets
    await write(store, "w-1", rollups)
    series = await store.figures.series(HOUR, NOW + 60 * 199)
    assert [together.turns for _, together in series] == [{"answered": 1}] * 60
    assert rollups.unwritten() == {}
    rollups.note(NOW + 60 * 199, counts(200), oldest_s=0, running=0, lanes=1)
    assert rollups.unwritten() == {}


async def test_buckets_expire_when_they_are_out_of_the_plot(store: Store) -> None:
    rollups = Rollups(counts(0))
    rollups.note(NOW, counts(1), oldest_s=0, running=0, lanes=1)
    await write(store, "w-1", rollups)
    for span in (HOUR, DAY):
        left = await redis_of(store).ttl(f"cohort:rollup:{span.name}:{int(NOW)}")
        assert span.kept_s - 5 <= left <= span.kept_s


async def test_a_damaged_bucket_or_worker_hides_no_other(store: Store) -> None:
    rollups = Rollups(counts(0))
    rollups.note(NOW, counts(4), oldest_s=1, running=0, lanes=1)
    await write(store, "w-1", rollups)
    await redis_of(store).hset(f"cohort:rollup:hour:{int(NOW)}", "w-2", b"\xff{")
    await redis_of(store).set(f"cohort:rollup:hour:{int(NOW) - 60}", "not a hash", ex=60)
    series = await store.figures.series(HOUR, NOW)
    assert series[-1][1].turns == {"answered": 4}
    assert series[-2][1].workers == 0
    await redis_of(store).delete(f"cohort:rollup:hour:{int(NOW) - 60}")


def test_the_time_to_the_first_text_is_told_by_the_share_of_turns_that_did_not_exceed_it() -> None:
    rollups = Rollups(MetricCounts())
    rollups.note(NOW, MetricCounts(first={"0.5": 90, "3": 9, "inf": 1}), oldest_s=0, running=0, lanes=1)
    bucket = next(iter(rollups.unwritten().values()))
    one = together([bucket, Bucket()])
    assert (one.first_s(0.5), one.first_s(0.95), one.first_s(1.0)) == (0.5, 3.0, 60.0)
    assert together([]).first_s(0.5) is None
