"""The send-rate buckets in Redis against a plain model of GCRA."""

import asyncio
from bisect import insort

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from redis.asyncio import Redis

from tasks.store.pacing import Limits, PaceStore, Place, Rate
from tests.telegram.fakes import FakeClock

BOT = 4242
PRIVATE = 7
GROUP = -1007


class Model:
    """What the buckets and the lines should do, as plain sums."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.free: dict[object, int] = {}
        self.penalty: dict[object, int] = {}

    def look(self, now: int, bucket: object, tolerance: int) -> tuple[int, int]:
        free = max(now, self.free.get(bucket, 0))
        return free, max(0, free - tolerance - now)

    def held(self, now: int, chat: int) -> int:
        return max(0, max(self.penalty.get("bot", 0), self.penalty.get(chat, 0)) - now)

    def reserve(self, now: int, chat: int, *, charge: bool) -> tuple[str, int]:
        if held := self.held(now, chat):
            return "nothing", held
        bot_free, bot_wait = self.look(now, "bot", self.limits.bot.tolerance_us)
        if charge:
            rate = self.limits.chat(chat)
            chat_free, chat_wait = self.look(now, chat, rate.tolerance_us)
            self.free[chat] = chat_free + rate.interval_us
            if chat_wait:
                return "chat", chat_wait
        self.free["bot"] = bot_free + self.limits.bot.interval_us
        return "all", bot_wait

    def at_once(self, now: int, chat: int, *, bucket: str, rate: Rate, tolerance: int, charge: bool) -> int:
        """What is had now or not at all: a typing action, or one of the bot's own lines."""
        if held := self.held(now, chat):
            return held
        free, wait = self.look(now, bucket, tolerance)
        own = self.limits.chat(chat)
        chat_free, chat_wait = self.look(now, chat, own.tolerance_us if charge else 10**12)
        if max(wait, chat_wait) == 0:
            self.free[bucket] = free + rate.interval_us
            if charge:
                self.free[chat] = chat_free + own.interval_us
        return max(wait, chat_wait)

    def frame(self, now: int, chat: int, *, first: bool, place: tuple[int, int] | None) -> tuple[str, int, int]:
        """What it got, after how long, and how many of its places had found no room then."""
        if held := self.held(now, chat):
            return "nothing", held, 0
        bot, own = self.limits.bot, self.limits.chat(chat)
        due = place is not None and place[0] <= now <= place[0] + 5_000_000
        refused = min(place[1], 8) if place is not None and due else 0
        slack = (2 + 4 * first + 2 * refused) * bot.interval_us if due else 0
        bot_free, bot_wait = self.look(now, "bot", bot.tolerance_us * (3 if first else 2) // 4)
        chat_free, chat_wait = self.look(now, chat, own.tolerance_us - own.interval_us)
        if chat_wait:
            return "nothing", max(bot_wait, chat_wait), 0
        line = "first" if first else "line"
        begins, ahead = self.look(now, line, 0)
        if bot_wait > slack or (ahead and not due):
            begins = max(begins, now + bot_wait)
            self.free[line] = begins + bot.interval_us * (2 if first else 3) // 2
            return "place", begins - now, refused + due
        self.free[chat] = chat_free + own.interval_us
        self.free["bot"] = bot_free + bot.interval_us
        return "granted", bot_wait, 0


steps = st.lists(
    st.tuples(
        st.integers(0, 2_000_000) | st.integers(0, 50_000),
        st.sampled_from(
            ["reserve", "reserve-bot", "typing", "command", "frame", "first", "punish-chat", "punish-bot", "crowd"]
        ),
        st.sampled_from([PRIVATE, GROUP, 9, 10, 11, 12]),
        st.integers(1, 5),
    ),
    max_size=60,
)


@hypothesis_settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(script=steps)
async def test_the_buckets_do_what_a_plain_model_of_them_does(redis: Redis, script: list) -> None:
    await redis.flushall()
    clock = FakeClock()
    limits = Limits()
    assert limits.commands is not None
    bot, express = limits.bot, limits.commands
    workers = [PaceStore(redis, clock, limits), PaceStore(redis, clock, limits)]
    model = Model(limits)
    places: dict[int, Place] = {}
    for turn, (pause, verb, chat, number) in enumerate(script):
        clock.advance(pause / 1e6)
        now = clock.us
        store = workers[turn % 2]
        match verb:
            case "reserve" | "reserve-bot":
                taken = await store.reserve(BOT, chat, chat_taken=verb == "reserve-bot")
                expected = model.reserve(now, chat, charge=verb == "reserve")
                assert (taken.what, round(taken.seconds * 1e6)) == expected
            case "crowd":
                for other in range(100, 100 + number):
                    await store.reserve(BOT, turn * 1000 + other)
                    model.reserve(now, turn * 1000 + other, charge=True)
            case "typing":
                expected_wait = model.at_once(
                    now, chat, bucket="bot", rate=bot, tolerance=bot.tolerance_us // 4, charge=False
                )
                assert round(await store.attempt(BOT, chat) * 1e6) == expected_wait
            case "command":
                expected_wait = model.at_once(
                    now, chat, bucket="commands", rate=express, tolerance=express.tolerance_us, charge=True
                )
                assert round(await store.command(BOT, chat) * 1e6) == expected_wait
            case "frame" | "first":
                place = places.pop(chat, None)
                known = None if place is None else (round(place.due * 1e6), place.refused)
                room = await store.frame(BOT, chat, first=verb == "first", place=place)
                what, wait, refused = model.frame(now, chat, first=verb == "first", place=known)
                assert (room.granted, round(room.seconds * 1e6)) == (what == "granted", wait)
                assert (room.place and room.place.refused) == (refused if what == "place" else None)
                if room.place is not None:
                    places[chat] = room.place
            case "punish-chat":
                await store.punish(BOT, chat, number)
                model.penalty[chat] = now + number * 1_000_000
            case "punish-bot":
                await store.punish(BOT, None, number)
                model.penalty["bot"] = now + number * 1_000_000


@pytest.mark.promise("one-send-budget")
@given(
    count=st.integers(1, 40),
    burst=st.integers(1, 40),
    seconds=st.sampled_from([1, 60]),
    pauses=st.lists(st.integers(0, 3_000_000), min_size=1, max_size=150),
)
def test_no_window_ever_holds_more_than_the_rate_allows(
    count: int, burst: int, seconds: int, pauses: list[int]
) -> None:
    rate = Rate(count, seconds, min(burst, count))
    free, now, sent = 0, 1_000_000, []
    for pause in pauses:
        now += pause
        start = max(now, free - rate.tolerance_us)
        free = max(free, now) + rate.interval_us
        sent.append(start)
    for first, moment in enumerate(sent):
        assert sum(moment <= other < moment + seconds * 1_000_000 for other in sent[first:]) <= rate.count


@pytest.mark.promise("one-send-budget")
async def test_two_workers_share_one_budget(redis: Redis) -> None:
    clock = FakeClock()
    one, other = PaceStore(redis, clock), PaceStore(redis, clock)
    taken = [(await (one, other)[place % 2].frame(BOT, PRIVATE)).granted for place in range(6)]
    assert taken == [True, True, False, False, False, False]


@pytest.mark.promise("one-send-budget")
async def test_a_penalty_that_one_worker_met_holds_the_chat_at_all_workers_and_no_other_chat(redis: Redis) -> None:
    clock = FakeClock()
    one, other = PaceStore(redis, clock), PaceStore(redis, clock)
    await one.punish(BOT, PRIVATE, 30)
    assert await other.attempt(BOT, PRIVATE) == pytest.approx(30)
    assert (await other.reserve(BOT, PRIVATE)).what == "nothing"
    assert (await other.frame(BOT, PRIVATE + 1)).granted
    clock.advance(30)
    assert (await other.frame(BOT, PRIVATE)).granted


async def test_a_penalty_of_the_whole_bot_holds_every_chat(redis: Redis) -> None:
    clock = FakeClock()
    await PaceStore(redis, clock).punish(BOT, None, 5)
    assert await PaceStore(redis, clock).attempt(BOT, GROUP) == pytest.approx(5)


@pytest.mark.promise("no-queue-behind-a-chat")
async def test_a_chat_that_must_wait_takes_nothing_from_the_others(redis: Redis) -> None:
    clock = FakeClock()
    store = PaceStore(redis, clock)
    waiting = [await store.reserve(BOT, GROUP) for _ in range(50)]
    assert sum(turn.what == "all" for turn in waiting) == Limits().group.burst
    assert (await store.reserve(BOT, PRIVATE)).seconds < 1


async def test_turns_that_are_reserved_come_one_after_another(redis: Redis) -> None:
    clock = FakeClock()
    store = PaceStore(redis, clock)
    turns = [(await store.reserve(BOT, PRIVATE)).seconds for _ in range(6)]
    assert turns == pytest.approx([0, 0, 0, 1, 2, 3])


async def test_frames_leave_room_for_final_answers(redis: Redis) -> None:
    clock = FakeClock()
    store = PaceStore(redis, clock)
    chats = iter(range(1, 1000))
    while (await store.frame(BOT, next(chats), first=True)).granted:
        pass
    assert (await store.reserve(BOT, next(chats))).seconds == 0
    clock.advance(10)
    for chat in (PRIVATE, GROUP):
        while (await store.frame(BOT, chat)).granted:
            clock.advance(0.1)
        assert (await store.reserve(BOT, chat)).seconds == 0


async def test_first_pieces_pass_growing_frames_and_typing_passes_neither(redis: Redis) -> None:
    clock = FakeClock()
    store = PaceStore(redis, clock)
    chats = iter(range(1, 1000))
    while await store.attempt(BOT, PRIVATE) == 0:
        pass
    while (await store.frame(BOT, next(chats))).granted:
        pass
    assert (await store.frame(BOT, next(chats), first=True)).granted


async def test_a_command_s_answer_passes_two_hundred_final_texts_that_wait(redis: Redis) -> None:
    clock = FakeClock()
    store = PaceStore(redis, clock)
    waits = [(await store.reserve(BOT, chat)).seconds for chat in range(1, 201)]
    assert max(waits) > 5
    assert await store.command(BOT, 201) == 0


@given(a_second=st.integers(1, 1000))
def test_all_that_a_bot_may_send_in_a_second_is_what_its_operator_allows(a_second: int) -> None:
    limits = Limits.of(a_second)
    assert 0 < limits.bot.count + (limits.commands.count if limits.commands else 0) <= a_second
    assert limits.bot.burst <= limits.bot.count
    assert Limits.of(30) == Limits()


async def test_two_hundred_growing_answers_come_in_turn_at_all_workers(redis: Redis) -> None:
    clock = FakeClock()
    stores = [PaceStore(redis, clock) for _ in range(4)]
    wanting: list[tuple[float, int, Place | None]] = [(clock.now(), chat, None) for chat in range(1, 201)]
    frames, asked, began = dict.fromkeys(range(1, 201), 0), 0, clock.now()
    while wanting[0][0] < began + 60:
        at, chat, place = wanting.pop(0)
        clock.advance(max(at - clock.now(), 0))
        room = await stores[chat % 4].frame(BOT, chat, place=place)
        asked += 1
        frames[chat] += room.granted
        insort(wanting, (clock.now() + (1 if room.granted else room.seconds), chat, room.place), key=lambda one: one[0])
    assert max(frames.values()) - min(frames.values()) <= 2, "each screen moves as often as the others"
    assert sum(frames.values()) > 60 * 12, "two thirds of what the bot may send"
    assert asked < sum(frames.values()) * 2.5, "and who waits does not ask all the time"


async def test_a_clock_that_was_wrong_for_a_while_does_not_silence_the_bot(redis: Redis) -> None:
    clock = FakeClock()
    store = PaceStore(redis, clock)
    clock.advance(7200)
    await store.reserve(BOT, PRIVATE)
    clock.advance(-7200)
    assert await store.attempt(BOT, PRIVATE) == 0


async def test_every_bucket_expires_soon_after_it_is_full_again(redis: Redis) -> None:
    clock = FakeClock()
    store = PaceStore(redis, clock)
    async with asyncio.TaskGroup() as group:
        for chat in range(1, 50):
            group.create_task(store.reserve(BOT, chat), name=f"chat {chat}")
    await store.punish(BOT, 1, 3)
    found = [key async for key in redis.scan_iter("cohort:pace:*")]
    assert len(found) == 51
    assert all([30_000 < await redis.pttl(key) <= 63_000 for key in found])
