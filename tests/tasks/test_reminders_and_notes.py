import asyncio
from datetime import timedelta

import pytest

from tasks.config.settings import Settings, load
from tasks.envelope import Inbound
from tasks.errors import Terminal
from tasks.session import SessionKey
from tasks.status.worker import WorkerStatus
from tasks.store import Store, connect
from tasks.store.reminders import A_CHAT, A_PERSON, A_SESSION, LONGEST_CHAIN
from tests.support.redis_of import redis_of
from workers.sessions.reminders import admission

MINE, YOURS = SessionKey(4242, 1), SessionKey(4242, 2)


async def anyone(_reminder: Inbound) -> bool:
    return True


class Clock:
    def __init__(self) -> None:
        self.at = 1000.0

    def now(self) -> float:
        return self.at

    def monotonic(self) -> float:
        return self.at


@pytest.mark.promise("reminders")
async def test_a_reminder_comes_back_to_its_session_once_when_it_is_due(settings: Settings) -> None:
    clock = Clock()
    async with connect(settings, clock) as store:
        assert await store.reminders.add(MINE, "tea", 60) == 1060
        await store.reminders.add(YOURS, "tea", 120)
        assert await store.reminders.fire(anyone) == 0
        clock.at = 1061
        assert [await store.reminders.fire(anyone), await store.reminders.fire(anyone)] == [1, 0]
        glances = [(await store.sessions.glance(session)).waiting for session in (MINE, YOURS)]
        assert glances == [1, 0]


async def test_two_equal_reminders_both_come(settings: Settings) -> None:
    clock = Clock()
    async with connect(settings, clock) as store:
        for _ in range(2):
            await store.reminders.add(MINE, "tea", 60)
        clock.at = 2000
        assert await store.reminders.fire(anyone) == 2
        raw = await redis_of(store).lrange("cohort:s:4242:1:inbox", 0, -1)
        kinds = {(entry.kind, entry.text) for entry in map(Inbound.from_json, raw)}
        assert kinds == {("reminder", "tea")}


async def test_what_cannot_be_a_reminder_is_refused(settings: Settings) -> None:
    async with connect(settings, Clock()) as store:
        for seconds in (0, -5, 10**9, float("nan"), float("inf")):
            with pytest.raises(Terminal, match="366 days"):
                await store.reminders.add(MINE, "tea", seconds)
        for seconds, depth in ((59, 0), (599, 1)):
            with pytest.raises(Terminal, match="minutes away"):
                await store.reminders.add(MINE, "tea", seconds, depth=depth)
        with pytest.raises(Terminal, match="characters"):
            await store.reminders.add(MINE, "x" * 5000, 60)
        with pytest.raises(Terminal, match="what it is about"):
            await store.reminders.add(MINE, "", 60)
        with pytest.raises(Terminal, match="set one another"):
            await store.reminders.add(MINE, "tea", 3600, depth=LONGEST_CHAIN + 1)


async def added(store: Store, where: SessionKey, count: int, **more: int) -> int:
    """So many at once; how many were kept."""

    async def one() -> bool:
        try:
            await store.reminders.add(where, "tea", 3600, **more)
        except Terminal:
            return False
        return True

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(), name=f"{n}") for n in range(count)]
    return sum(task.result() for task in tasks)


@pytest.mark.promise("reminders-bounded")
async def test_one_chat_never_fills_what_all_may_have_however_many_are_set_at_once(settings: Settings) -> None:
    clock = Clock()
    async with connect(settings, clock) as store:
        assert await added(store, MINE, 3 * A_SESSION) == A_SESSION
        topics = [SessionKey(4242, -9, topic) for topic in range(1, 8)]
        assert sum([await added(store, topic, A_SESSION) for topic in topics]) == A_CHAT
        chats = [SessionKey(4242, -100 - chat) for chat in range(8)]
        assert sum([await added(store, chat, A_SESSION, by=7) for chat in chats]) == A_PERSON
        assert await added(store, YOURS, 3, by=8) == 3
        assert await store.reminders.cancel(MINE) == A_SESSION
        assert await added(store, MINE, 1) == 1
        clock.at += 3601
        waiting = await redis_of(store).zcard("cohort:reminders")
        assert await store.reminders.fire(anyone) == waiting
        assert await redis_of(store).keys("cohort:reminders*") == []
        assert await added(store, MINE, 2 * A_SESSION) == A_SESSION


@pytest.mark.promise("reminders-bounded")
async def test_the_reminder_of_one_who_may_no_longer_talk_is_dropped(settings: Settings) -> None:
    clock = Clock()
    async with connect(settings, clock) as store:
        own = load({"COHORT_ALLOW": "7,-5", "TELEGRAM_BOT_TOKEN": "4242:x"})
        allowed = admission(lambda _: own, store.people)
        for where, by in ((SessionKey(4242, 7), 7), (SessionKey(4242, 8), 8), (SessionKey(4242, -1), 7)):
            await store.reminders.add(where, "tea", 60, by=by)
        for where, by in ((SessionKey(4242, -1), 8), (SessionKey(4242, -5), 8), (SessionKey(4242, 8), None)):
            await store.reminders.add(where, "tea", 60, by=by)
        clock.at += 61
        assert await store.reminders.fire(allowed) == 3
        waiting = [(await store.sessions.glance(SessionKey(4242, chat))).waiting for chat in (7, 8, -1, -5)]
        assert waiting == [1, 0, 1, 1]
        assert await redis_of(store).exists("cohort:reminders") == 0


async def test_a_reminder_that_cannot_be_read_or_belongs_to_a_newer_release_is_in_no_ones_way(
    settings: Settings,
) -> None:
    clock = Clock()
    async with connect(settings, clock) as store:
        newer = {f'{{"v": 99, "n": {n}}}': n for n in range(150)}
        broken = {"not JSON": 1, '{"v": 1, "session": "no session", "update_id": 1, "at": 1, "kind": "reminder"}': 2}
        await redis_of(store).zadd("cohort:reminders", {**newer, **broken, "[" * 90_000: 3})
        await store.reminders.add(MINE, "tea", 60)
        clock.at += 61
        assert await store.reminders.fire(anyone) == 1
        assert await redis_of(store).zcard("cohort:reminders") == len(newer)


async def test_what_an_older_release_set_and_fired_is_counted_right(settings: Settings) -> None:
    clock = Clock()
    async with connect(settings, clock) as store:
        assert await added(store, MINE, A_SESSION) == A_SESSION
        older = Inbound(session=str(MINE), update_id=-99, at=clock.at + 5, kind="reminder", text="old")
        await redis_of(store).zadd("cohort:reminders", {older.to_json(): clock.at + 5})
        clock.at += 6
        assert await store.reminders.fire(anyone) == 1
        # A worker of that release fires the others.
        await redis_of(store).delete("cohort:reminders")
        assert await store.reminders.waiting(MINE) == []
        clock.at += 3600 + 3601
        assert await added(store, MINE, 1) == 1


async def test_notes_are_a_sessions_own(settings: Settings) -> None:
    async with connect(settings) as store:
        await store.notes.remember(MINE, "name", "Ada")
        await store.notes.remember(MINE, "dog", "Rex")
        await store.notes.remember(MINE, "dog", "")
        assert await store.notes.recall(MINE) == {"name": "Ada"}
        assert await store.notes.recall(YOURS) == {}
        with pytest.raises(Terminal):
            await store.notes.remember(MINE, "x", "y" * 3000)


@pytest.mark.promise("calls-bounded")
async def test_thousands_of_notes_at_once_wait_for_each_other_and_never_for_the_heartbeat(settings: Settings) -> None:
    async with connect(settings) as store, asyncio.TaskGroup() as group:
        for number in range(2000):
            group.create_task(store.notes.remember(MINE, "tea", f"cup {number}"), name=f"note {number}")
        await asyncio.sleep(0)
        await store.members.beat("w-busy", WorkerStatus(), timedelta(seconds=5), member=True)
        assert await store.members.beat("w-busy", WorkerStatus(), timedelta(seconds=5), member=True), "it stood"
    async with connect(settings) as store:
        assert list(await store.notes.recall(MINE)) == ["tea"]
