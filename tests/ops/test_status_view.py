"""`cohort status` and `cohort health`: what runs and what waits, the bot's processes, models and sends."""

from datetime import timedelta
from pathlib import Path

import pytest

from botapi.last_minute import LastMinute
from ops.commands.status.read import look
from ops.commands.status.text import health_problems, render
from ops.web.sections import overview
from tasks.config.settings import Settings
from tasks.slots import slot_of
from tasks.status.bot import BotStatus
from tasks.status.worker import Sends, WorkerStatus
from tasks.store import Store, connect
from tasks.store.processes.bots import KEPT
from tests.harness.command import cohort
from tests.support.redis_of import redis_of


class FakeClock:
    def __init__(self, now: float) -> None:
        self._now = now

    def now(self) -> float:
        return self._now

    def monotonic(self) -> float:
        return self._now


async def worker(store: Store, name: str, **about: object) -> None:
    await store.members.beat(
        name, WorkerStatus.model_validate({"host": "here", "pid": 7, "lanes": 4, **about}), timedelta(minutes=5)
    )


async def waits(store: Store, chat: int, since: float, owner: str = "") -> None:
    """A session with work, which a worker may have taken."""
    session = f"4242:{chat}"
    await redis_of(store).zadd(f"cohort:slot:{slot_of(session, 64):02d}:pending", {session: since})
    if owner:
        await redis_of(store).hset(f"cohort:s:{session}:state", "owner", owner)


@pytest.mark.promise("status-true")
async def test_status_tells_running_queued_and_delivering_sessions_from_those_not_begun(store: Store) -> None:
    await worker(store, "w-1", awake=4, at_work=3, queued=1, queued_s=2.0)
    for chat, since in ((1, 50.0), (2, 60.0), (3, 70.0), (4, 71.0)):
        await waits(store, chat, since, owner="w-1")
    await waits(store, 5, 90.0)
    await waits(store, 6, 95.0)
    seen = await look(store, FakeClock(100.0), slots=64)
    assert (seen.running, seen.waiting, seen.delivering) == (2, 3, 1)
    assert sum(worker["running"] for worker in seen.to_json()["workers"]) == 2
    # The sessions that have waited since 50 are at work.
    assert seen.oldest_s == 10.0
    assert "3 chats, the oldest for 10.0 s" in render(seen)
    await worker(store, "w-1", awake=4, at_work=3, queued=1, queued_s=12.0)
    assert (await look(store, FakeClock(100.0), slots=64)).oldest_s == 12.0, "one that waits for a lane waits, too"


@pytest.mark.promise("status-true")
async def test_status_names_a_model_that_fails_and_whether_its_breaker_is_open(store: Store) -> None:
    await worker(store, "w-1", models={"haiku": {"since": 40.0, "open": False}})
    await worker(store, "w-2", models={"haiku": {"since": 70.0, "open": True}})
    await worker(store, "w-3")
    page = render(await look(store, FakeClock(100.0), slots=64))
    assert "haiku fails on 2 of 3 workers for 60.0 s, breaker open" in " ".join(page.split())


@pytest.mark.promise("status-true")
async def test_status_names_a_model_whose_key_is_refused_and_why(store: Store) -> None:
    reason = "key refused, AuthenticationError (HTTP 401)"
    await worker(store, "w-1", models={"haiku": {"since": 40.0, "reason": reason}})
    page = render(await look(store, FakeClock(100.0), slots=64))
    assert f"haiku fails on 1 of 1 workers for 60.0 s ({reason})" in " ".join(page.split())


@pytest.mark.promise("status-true")
async def test_status_adds_up_what_all_processes_sent_and_says_until_when_telegram_holds_the_bot(
    settings: Settings,
) -> None:
    clock = FakeClock(100.0)
    async with connect(settings, FakeClock(80.0)) as store:
        await store.bots.beat("h-silent", BotStatus(bot=4242, sends=Sends(sent=100)))
    async with connect(settings, clock) as store:
        await worker(store, "w-1", sends={"sent": 5, "refused": 1})
        await worker(store, "w-2", sends={"sent": 2, "refused": 0})
        await store.bots.beat("h-1", BotStatus(bot=4242, leads=True, sends=Sends(sent=3)))
        await store.pace.punish(4242, None, 30)
        page = render(await look(store, clock, slots=64))
    assert "last minute: 10 sent, 1 refused (429)" in page
    assert "Telegram holds the bot for 30.0 s more" in page


@pytest.mark.promise("status-true")
async def test_status_and_health_tell_a_bot_that_polls_from_one_that_stands_by_hangs_or_has_ended(
    settings: Settings,
) -> None:
    about = BotStatus(bot=4242, username="b", host="here", pid=1)
    async with connect(settings, FakeClock(100.0)) as store:
        nothing = await look(store, FakeClock(100.0), slots=64)
        await store.bots.beat("h-1", about.model_copy(update={"leads": True, "polled_at": 95.0}))
        await store.bots.beat("h-2", about.model_copy(update={"leads": False, "host": "there"}))
        well = await look(store, FakeClock(101.0), slots=64)
        await store.bots.beat("h-1", about.model_copy(update={"leads": True, "polled_at": 10.0}))
        hangs = await look(store, FakeClock(100.0), slots=64)
    async with connect(settings, FakeClock(200.0)) as store:
        gone = await look(store, FakeClock(200.0), slots=64)
    assert "no bot runs" in render(nothing)
    assert "b on here, pid 1: polling, last poll 6.0 s ago" in render(well)
    assert "b on there, pid 1: stands by" in render(well)
    assert health_problems(well, "bot", "here") == []
    assert health_problems(well, "bot", "there") == []
    assert health_problems(hangs, "bot", "here") == ["bot @b on here, pid 1: polling, last poll 90.0 s ago"]
    assert "no bot runs" in render(gone)
    assert health_problems(gone, "bot", "here") == ["no bot has said within 15 s that it lives"]


async def test_a_bot_that_ended_without_a_word_is_forgotten_after_a_while(settings: Settings) -> None:
    async with connect(settings, FakeClock(100.0)) as store:
        await store.bots.beat("h-1", BotStatus(bot=4242))
    async with connect(settings, FakeClock(100.0 + KEPT.total_seconds() + 1)) as store:
        await store.bots.beat("h-2", BotStatus(bot=4242))
        assert list(await store.bots.look()) == ["h-2"]


async def test_health_of_the_workers_is_that_of_this_host(store: Store) -> None:
    await worker(store, "w-1", host="there")
    seen = await look(store, FakeClock(1.0), slots=64)
    assert health_problems(seen, "worker", "there") == []
    assert health_problems(seen, "worker", "here") == ["no worker lives"]
    assert health_problems(seen, "all", "")[-1] == "slots without a worker 64"


def test_health_of_flower_asks_its_port(tmp_path: Path) -> None:
    done = cohort("health", "flower", home=tmp_path, FLOWER_PORT="1")
    assert (done.returncode, done.stderr) == (1, "")
    assert "Flower does not answer at http://127.0.0.1:1/healthcheck" in done.stdout


def test_what_happened_lately_is_forgotten_after_a_minute() -> None:
    now = [1000.0]
    lately = LastMinute(lambda: now[0])
    lately.note(3)
    now[0] += 30
    lately.note()
    assert lately.count == 4
    now[0] += 31
    assert lately.count == 1
    now[0] += 3600
    assert lately.count == 0


@pytest.mark.promise("disk-refuses")
async def test_status_health_and_the_console_tell_of_another_machines_disk_once(store: Store) -> None:
    why = "/srv/state takes no files (No space left on device)"
    for name, host, told in (("w-1", "there", why), ("w-2", "there", why), ("w-3", "here", "")):
        about = WorkerStatus(host=host, pid=7, lanes=4, keeps_no_files=told)
        await store.members.beat(name, about, timedelta(minutes=5), member=True)
    line = f"there: {why}: files of chats are left out"
    seen = await look(store, FakeClock(1.0), slots=64)
    assert seen.disk == (line,)
    assert line in " ".join(render(seen).split())
    assert health_problems(seen, "all", "").count(line) == 1
    assert line not in health_problems(seen, "worker", "there"), "a probe must not end it"
    assert (await overview(store, FakeClock(1.0), slots=64))["problems"].count(line) == 1
