"""What a running process looks at in Redis: that all is still there, and the time."""

import asyncio
import logging
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tasks import keys
from tasks.clock import SystemClock
from tasks.config.settings import Settings
from tasks.kept_mark import KeptMark
from tasks.store import Store, connect
from tasks.store.connection.server_time import compared
from tasks.store.layout import LayoutStore
from tasks.store_watch import watch_store
from tasks.telemetry.logs import hash_sessions, session_hash
from tests.support.redis_of import redis_of
from tests.support.until import until


@pytest.fixture(autouse=True)
def own_time() -> Iterator[None]:
    """What a test says of the clock holds for no other one."""
    yield
    SystemClock.agree(0.0)
    hash_sessions(None)


@pytest.mark.promise("redis-emptied")
async def test_a_redis_that_was_emptied_is_told_once_and_laid_out_as_before(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    before, told = await store.trail.log_key(), asyncio.Event()
    laid_out = await redis_of(store).hgetall(keys.LAYOUT)

    async def emptied() -> None:
        told.set()

    hash_sessions(None)
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        watchers = [
            group.create_task(watch_store(store.layout, emptied=emptied, every_s=0.01), name=f"watch {number}")
            for number in range(2)
        ]
        while session_hash("4242:1") == "4242:1":
            await redis_of(store).ping()
        await redis_of(store).flushall()
        await told.wait()
        for watcher in watchers:
            watcher.cancel()
    assert (await redis_of(store).hgetall(keys.LAYOUT)).items() >= laid_out.items()
    assert session_hash("4242:1") == session_hash("4242:1", before)
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == ["store.emptied"]


@pytest.mark.promise("redis-emptied")
async def test_a_redis_that_takes_keys_away_is_told_once_with_its_policy_and_never_as_emptied(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    told, emptied = asyncio.Queue[str](), asyncio.Queue[None]()
    await redis_of(store).config_set("maxmemory", 1 << 30)
    await redis_of(store).config_set("maxmemory-policy", "allkeys-lru")
    try:
        async with asyncio.timeout(60), asyncio.TaskGroup() as group:
            work = watch_store(store.layout, evicts=told.put, emptied=lambda: emptied.put(None), every_s=0.01)
            watching = group.create_task(work, name="watch")
            assert await told.get() == "allkeys-lru"
            for _ in range(3):
                await redis_of(store).delete(keys.LAYOUT)
                while not await redis_of(store).exists(keys.LAYOUT):
                    await redis_of(store).ping()
            watching.cancel()
    finally:
        await redis_of(store).config_set("maxmemory", 0)
        await redis_of(store).config_set("maxmemory-policy", "noeviction")
    assert told.empty()
    assert emptied.empty()
    errors = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert [(record.getMessage(), record.__dict__["policy"]) for record in errors] == [("store.evicts", "allkeys-lru")]


@pytest.mark.promise("redis-emptied")
async def test_a_redis_with_data_of_an_earlier_time_is_told_once_and_a_restart_is_not(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    told = asyncio.Queue[float]()
    now = int(SystemClock().now())

    async def marked(at: int) -> int:
        """Wait until a process has noted another time."""
        while (mark := int(await redis_of(store).hget(keys.LAYOUT, "mark") or 0)) == at:
            await redis_of(store).ping()
        return mark

    layouts = store.layout, LayoutStore(redis_of(store), slots=64)

    async def all_have_seen() -> bool:
        return all((at.marked or 0) >= now for at in layouts)

    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        watchers = [
            group.create_task(watch_store(at, put_back=told.put, every_s=0.05), name=f"watch {number}")
            for number, at in enumerate(layouts)
        ]
        assert await until(all_have_seen)
        # A server that was restarted without its last second, and one with a snapshot of an hour ago.
        await redis_of(store).hset(keys.LAYOUT, "mark", str(now - 20))
        assert await marked(now - 20) >= now
        assert await until(all_have_seen)
        assert told.empty()
        await redis_of(store).hset(keys.LAYOUT, "mark", str(now - 3600))
        for _ in watchers:
            assert 3500 < await told.get() < 3700
        assert await marked(now - 3600) >= now
        for watcher in watchers:
            watcher.cancel()
    assert told.empty()
    errors = [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
    assert errors == ["store.put_back"] * 2


@pytest.mark.promise("redis-emptied")
@pytest.mark.parametrize(
    "came",
    [
        (-3600, ["store.put_back"]),
        (None, ["store.emptied"]),
        (-20, []),
        (0, []),
    ],
)
async def test_what_came_back_while_all_was_stopped_is_told_at_the_start(
    store: Store,
    settings: Settings,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    came: tuple[int | None, list[str]],
) -> None:
    marked, says = came
    now = int(SystemClock().now())
    KeptMark(tmp_path, settings.redis).keep(now)
    if marked is not None:
        await redis_of(store).hset(keys.LAYOUT, "mark", str(now + marked))
    told = asyncio.Queue[str]()

    async def emptied() -> None:
        await told.put("store.emptied")

    async def put_back(_seconds: float) -> None:
        await told.put("store.put_back")

    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        # As the user of another password: it is the same Redis.
        kept = KeptMark(tmp_path, settings.redis.replace("redis://", "redis://cohort:secret@"))
        work = watch_store(store.layout, emptied=emptied, put_back=put_back, kept=kept, every_s=0.01)
        watching = group.create_task(work, name="watch")
        assert [await told.get() for _ in says] == says
        while int(await redis_of(store).hget(keys.LAYOUT, "mark") or 0) < now - 20:
            await redis_of(store).ping()
        watching.cancel()
    assert told.empty()
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == says
    assert (KeptMark(tmp_path, settings.redis).known() or 0) >= now


@pytest.mark.parametrize("said", [b"", b"\xff\xfe", b"nan", b"-5", b"9" * 40, "²".encode()])
def test_a_kept_time_that_cannot_be_read_says_nothing_and_is_written_again(tmp_path: Path, said: bytes) -> None:
    url = "redis://127.0.0.1:1/0"
    KeptMark(tmp_path, url).keep(1_800_000_000)
    (file,) = (tmp_path / "redis-marks").iterdir()
    file.write_bytes(said)
    mark = KeptMark(tmp_path, url)
    assert mark.known() is None
    assert KeptMark(tmp_path, "redis://127.0.0.1:1/3").known() is None
    mark.keep(1_800_000_000)
    assert KeptMark(tmp_path, url).known() == 1_800_000_000


async def test_a_layout_of_another_process_is_never_written_over(store: Store) -> None:
    laid_out = await redis_of(store).hgetall(keys.LAYOUT)
    assert not await store.layout.put_back(b"another")
    assert await redis_of(store).hgetall(keys.LAYOUT) == laid_out
    await redis_of(store).delete(keys.LAYOUT)
    await redis_of(store).hset(keys.LAYOUT, "restoring", "1")
    assert not await store.layout.put_back(b"another")


@pytest.mark.promise("one-clock")
async def test_a_machine_whose_clock_is_wrong_goes_by_that_of_redis(
    settings: Settings, store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    right = time.time  # noqa: TID251 - the clock of the machine, which this test puts wrong
    caplog.set_level(logging.INFO, "cohort.store")
    for wrong in (5 * 3600, -11 * 3600):
        monkeypatch.setattr("time.time", lambda wrong=wrong: right() + wrong)
        async with connect(settings):
            assert abs(SystemClock().now() - right()) < 60
        assert (await store.server.ahead() or 0) == pytest.approx(-wrong, abs=60)
    monkeypatch.setattr("time.time", lambda: right() + 7200)  # it steps while the process runs
    assert abs(SystemClock().now() - right()) < 60
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        watching = group.create_task(watch_store(store.layout, every_s=0.01), name="watch")
        while "clock.apart" not in caplog.messages:
            await redis_of(store).ping()
        monkeypatch.setattr("time.time", right)
        while "clock.agrees" not in caplog.messages:
            await redis_of(store).ping()
        watching.cancel()
    assert SystemClock.put_right_by() == 0


def test_a_clock_that_is_a_little_off_is_left_as_it_is_and_one_that_was_wrong_is_followed_for_longer() -> None:
    put_right = list[float]()
    for ahead in (0.9, 1.5, 0.9, 0.4, 0.9, -0.9, -1.5):
        SystemClock.agree(ahead)
        put_right.append(SystemClock.put_right_by())
    assert put_right == [0, 1.5, 0.9, 0, 0, 0, -1.5]


def test_an_answer_that_is_forbidden_or_late_says_nothing_of_the_time() -> None:
    now = SystemClock().monotonic()
    assert compared(ValueError("NOPERM"), now) is None
    assert compared((b"1", b"0"), now - 5) is None
    assert compared((b"1", b"0"), now) == pytest.approx(1 - SystemClock.local(), abs=60)
