"""Recurring reminders in Redis: each time once, whatever dies, and an end for each."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from tasks.chats.closed import Why
from tasks.config.settings import Settings
from tasks.envelope import Inbound
from tasks.errors import EnvelopeTooNew, Terminal
from tasks.reminders.recurrence import local_now
from tasks.store import Store, connect
from tasks.store.reminders import A_SESSION, MOST_TIMES
from tests.support.redis_of import redis_of
from tests.tasks.test_reminders_and_notes import MINE, YOURS, Clock, anyone

BERLIN = "Europe/Berlin"
DAY = 86_400.0


class BerlinClock(Clock):
    def __init__(self) -> None:
        self.at = datetime(2026, 11, 26, 14, tzinfo=UTC).timestamp()


async def inbox(store: Store, of: object = MINE) -> list[Inbound]:
    return [Inbound.from_json(raw) for raw in await redis_of(store).lrange(f"cohort:s:{of}:inbox", 0, -1)]


@pytest.mark.promise("reminders-recur")
async def test_each_time_comes_once_however_many_workers_look_and_the_next_one_waits(settings: Settings) -> None:
    clock = BerlinClock()
    async with connect(settings, clock) as store, connect(settings, clock) as other:
        await store.reminders.repeat(MINE, "stretch", "FREQ=DAILY", "09:00", BERLIN, by=1)
        for _ in range(3):
            clock.at += DAY
            async with asyncio.TaskGroup() as group:
                for number, each in enumerate((store, other, store)):
                    group.create_task(each.reminders.fire(anyone), name=f"fire {number}")
        came = await inbox(store)
        assert [local_now(BERLIN, entry.at).isoformat() for entry in came] == [
            f"2026-11-{day}T09:00:00" for day in (27, 28, 29)
        ]
        assert len({entry.update_id for entry in came}) == 3
        (waiting,) = await store.reminders.waiting(MINE)
        assert (waiting.repeats is not None and waiting.repeats.left) == MOST_TIMES - 3
        assert await redis_of(store).ttl("cohort:reminders:s:4242:1") > DAY / 2


@pytest.mark.promise("reminders-recur")
@pytest.mark.parametrize(
    ("day", "at"),
    [
        # The clocks go on at 2:00 on the 28th of March, and back at 3:00 on the 31st of October.
        ("2027-03-28", {"02:30": "03:30", "03:00": "03:00", "09:00": "09:00"}),
        ("2027-10-31", {"02:30": "02:30", "03:00": "03:00", "09:00": "09:00"}),
    ],
)
async def test_what_is_due_while_the_clocks_change_comes_once_a_day_at_its_local_hour(
    settings: Settings, day: str, at: dict[str, str]
) -> None:
    clock = BerlinClock()
    clock.at = datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp() - DAY / 2
    async with connect(settings, clock) as store, connect(settings, clock) as other:
        for said in at:
            await store.reminders.repeat(MINE, said, "FREQ=DAILY", said, BERLIN, by=1)
        for step in range(2 * 24 * 4):
            clock.at += 900
            for each in (store, other)[:: 1 if step % 2 else -1]:
                await each.reminders.fire(anyone)
        came = [(entry.text, local_now(BERLIN, entry.at)) for entry in await inbox(store)]
    for said, shown in at.items():
        hours = [(f"{local:%m-%d}", f"{local:%H:%M}") for text, local in came if text == said]
        after = (datetime.fromisoformat(day) + timedelta(days=1)).strftime("%m-%d")
        assert hours == [(day[5:], shown), (after, said)]


@pytest.mark.promise("reminders-recur")
@pytest.mark.parametrize(("rule", "left"), [("FREQ=DAILY;COUNT=3", 3), ("FREQ=DAILY;COUNT=100000", MOST_TIMES)])
async def test_a_rule_with_a_count_comes_so_often_and_never_oftener_than_the_limit(
    settings: Settings, rule: str, left: int
) -> None:
    async with connect(settings, BerlinClock()) as store:
        first = await store.reminders.repeat(MINE, "stretch", rule, "09:00", BERLIN)
        assert (first.repeats is not None and first.repeats.left) == left


@pytest.mark.promise("reminders-recur")
async def test_what_was_missed_while_all_was_down_comes_once_and_says_that_it_is_late(settings: Settings) -> None:
    clock = BerlinClock()
    async with connect(settings, clock) as store:
        await store.reminders.repeat(MINE, "stretch", "FREQ=HOURLY", "", BERLIN)
        await store.reminders.add(YOURS, "tea", 60)
        clock.at += 50 * 3600 + 1800
        assert await store.reminders.fire(anyone) == 2
        (came,), (tea,) = await inbox(store), await inbox(store, YOURS)
        assert "2026-11-26 16:00 Europe/Berlin" in came.note
        assert "2026-11-26 14:01 UTC" in tea.note
        (waiting,) = await store.reminders.waiting(MINE)
        assert waiting.at == clock.at + 1800


class OlderInbound(Inbound):
    VERSION = 4


async def test_what_is_due_reads_as_any_release_reads_it_and_what_waits_is_left_alone_by_an_older_one(
    settings: Settings,
) -> None:
    clock = BerlinClock()
    async with connect(settings, clock) as store:
        first = await store.reminders.repeat(MINE, "stretch", "FREQ=DAILY", "09:00", BERLIN)
        with pytest.raises(EnvelopeTooNew):
            OlderInbound.from_json((await redis_of(store).zrange("cohort:reminders", 0, -1))[0])
        clock.at = first.at + 1
        assert await store.reminders.fire(anyone) == 1
        (raw,) = await redis_of(store).lrange(f"cohort:s:{MINE}:inbox", 0, -1)
        came = OlderInbound.from_json(raw)
        assert (came.v, came.kind, came.repeats, came.note) == (1, "reminder", None, "")


async def test_a_series_ends_by_its_count_and_its_last_reminder_asks_whether_it_should_go_on(
    settings: Settings,
) -> None:
    clock = BerlinClock()
    async with connect(settings, clock) as store:
        await store.reminders.repeat(MINE, "stretch", "FREQ=DAILY;COUNT=2", "09:00", BERLIN)
        for _ in range(4):
            clock.at += DAY
            await store.reminders.fire(anyone)
        assert ["last time" in entry.note for entry in await inbox(store)] == [False, True]
        assert await redis_of(store).exists("cohort:reminders", "cohort:reminders:s:4242:1") == 0


async def test_a_series_ends_with_a_chat_that_is_gone_or_a_person_who_may_no_longer_talk(settings: Settings) -> None:
    clock = BerlinClock()
    async with connect(settings, clock) as store:
        for where in (MINE, YOURS):
            await store.reminders.repeat(where, "stretch", "FREQ=DAILY", "09:00", BERLIN)
        await store.closed.close(MINE.bot, MINE.chat, "gone")
        clock.at += DAY

        async def still(reminder: Inbound) -> bool:
            return reminder.key != YOURS

        assert await store.reminders.fire(still) == 0
        assert (
            await redis_of(store).exists(
                "cohort:reminders", f"cohort:reminders:s:{MINE}", f"cohort:reminders:s:{YOURS}"
            )
            == 0
        )


@pytest.mark.parametrize("why", ["blocked", "removed"])
async def test_a_series_passes_its_times_over_while_its_chat_shuts_the_bot_out(settings: Settings, why: Why) -> None:
    clock = BerlinClock()
    async with connect(settings, clock) as store:
        await store.reminders.repeat(MINE, "stretch", "FREQ=DAILY", "09:00", BERLIN)
        await store.reminders.add(MINE, "tea", 60)
        await store.closed.close(MINE.bot, MINE.chat, why)
        for _ in range(2):
            clock.at += DAY
            async with asyncio.TaskGroup() as group:
                for number in range(2):
                    group.create_task(store.reminders.fire(anyone), name=f"fire {number}")
        assert await inbox(store) == []
        assert await redis_of(store).zcard("cohort:reminders") == 1
        await store.closed.open(MINE.bot, MINE.chat)
        clock.at += DAY
        assert await store.reminders.fire(anyone) == 1
        (came,) = await inbox(store)
        assert came.text == "stretch"


@pytest.mark.parametrize("why", ["muted", "shut"])
async def test_reminders_come_where_the_bot_may_be_heard_again_without_being_told(settings: Settings, why: Why) -> None:
    clock = BerlinClock()
    async with connect(settings, clock) as store:
        await store.reminders.repeat(MINE, "stretch", "FREQ=DAILY", "09:00", BERLIN)
        await store.reminders.add(MINE, "tea", 60)
        await store.closed.close(MINE.bot, MINE.chat, why)
        clock.at += DAY
        assert await store.reminders.fire(anyone) == 2
        assert len(await store.reminders.waiting(MINE)) == 1


async def test_one_of_several_is_cancelled_by_its_name_which_stays_the_same(settings: Settings) -> None:
    clock = BerlinClock()
    async with connect(settings, clock) as store:
        first = await store.reminders.repeat(MINE, "stretch", "FREQ=DAILY", "09:00", BERLIN)
        await store.reminders.add(MINE, "tea", 300_000)
        clock.at += DAY
        await store.reminders.fire(anyone)
        assert await store.reminders.cancel(YOURS, only=-first.update_id) == 0
        assert await store.reminders.cancel(MINE, only=-first.update_id) == 1
        assert [one.text for one in await store.reminders.waiting(MINE)] == ["tea"]


async def test_recurring_ones_are_counted_and_none_is_set_by_a_reminder(settings: Settings) -> None:
    async with connect(settings, BerlinClock()) as store:
        for _ in range(A_SESSION):
            await store.reminders.repeat(MINE, "x", "FREQ=DAILY", "09:00", BERLIN)
        with pytest.raises(Terminal, match="too many"):
            await store.reminders.repeat(MINE, "x", "FREQ=DAILY", "09:00", BERLIN)
        with pytest.raises(Terminal, match="a person has to ask"):
            await store.reminders.repeat(YOURS, "x", "FREQ=DAILY", "09:00", BERLIN, depth=1)
        with pytest.raises(Terminal, match="never come"):
            await store.reminders.repeat(YOURS, "x", "FREQ=DAILY;UNTIL=20200101", "09:00", BERLIN)


async def test_a_zone_is_kept_for_a_person_and_erased_with_them(settings: Settings) -> None:
    async with connect(settings, BerlinClock()) as store:
        zones = store.reminders.zones
        await zones.keep(4242, 7, BERLIN)
        await redis_of(store).hset("cohort:bot:4242:zones", "8", "no zone at all")
        assert [await zones.look(4242, person) for person in (7, 8, 9)] == [BERLIN, None, None]
        assert [await zones.forget(7), await zones.forget(7)] == [1, 0]
        assert await zones.look(4242, 7) is None
        assert await zones.drop(4242, 8)
