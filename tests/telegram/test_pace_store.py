"""The send-rate buckets in Redis against a plain model of GCRA."""

import asyncio

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from redis.asyncio import Redis

from tasks.store.pacing import Limits, PaceStore, Rate
from tests.telegram.fakes import FakeClock

BOT = 4242
PRIVATE = 7
GROUP = -1007


class Model:
    """What the buckets should do, as plain sums."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.free: dict[object, int] = {}
        self.penalty: dict[object, int] = {}

    def ask(self, now: int, chat: int, *, patient: bool, charge: bool) -> tuple[str, int]:
        held = max(self.penalty.get("bot", 0), self.penalty.get(chat, 0)) - now
        if held > 0:
            return "nothing", held
        rate = self.limits.chat(chat)
        tolerance = self.limits.bot.tolerance_us if patient else self.limits.bot.tolerance_us // 2
        bot_free = max(now, self.free.get("bot", 0))
        chat_free = max(now, self.free.get(chat, 0))
        bot_wait = max(0, bot_free - tolerance - now)
        chat_tolerance = rate.tolerance_us if patient else max(rate.tolerance_us - rate.interval_us, 0)
        chat_wait = max(0, chat_free - chat_tolerance - now)
        if not patient and (bot_wait or chat_wait):
            return "nothing", max(bot_wait, chat_wait)
        if charge:
            self.free[chat] = chat_free + rate.interval_us
            if chat_wait:
                return "chat", chat_wait
        self.free["bot"] = bot_free + self.limits.bot.interval_us
        return "all", bot_wait


steps = st.lists(
    st.tuples(
        st.integers(0, 2_000_000),
        st.sampled_from(["reserve", "reserve-bot", "attempt", "typing", "punish-chat", "punish-bot"]),
        st.sampled_from([PRIVATE, GROUP, 9]),
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
    workers = [PaceStore(redis, clock, limits), PaceStore(redis, clock, limits)]
    model = Model(limits)
    for place, (pause, verb, chat, seconds) in enumerate(script):
        clock.advance(pause / 1e6)
        now = clock.us
        store = workers[place % 2]
        match verb:
            case "reserve" | "reserve-bot":
                taken = await store.reserve(BOT, chat, chat_taken=verb == "reserve-bot")
                expected = model.ask(now, chat, patient=True, charge=verb == "reserve")
                assert (taken.what, round(taken.seconds * 1e6)) == expected
            case "attempt" | "typing":
                wait = await store.attempt(BOT, chat, charge_chat=verb == "attempt")
                what, expected_wait = model.ask(now, chat, patient=False, charge=verb == "attempt")
                assert round(wait * 1e6) == (0 if what == "all" else expected_wait)
            case "punish-chat":
                await store.punish(BOT, chat, seconds)
                model.penalty[chat] = now + seconds * 1_000_000
            case "punish-bot":
                await store.punish(BOT, None, seconds)
                model.penalty["bot"] = now + seconds * 1_000_000


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
    taken = [await (one, other)[place % 2].attempt(BOT, PRIVATE) for place in range(6)]
    assert [wait == 0 for wait in taken] == [True, True, False, False, False, False]


@pytest.mark.promise("one-send-budget")
async def test_a_penalty_that_one_worker_met_holds_the_chat_at_all_workers_and_no_other_chat(redis: Redis) -> None:
    clock = FakeClock()
    one, other = PaceStore(redis, clock), PaceStore(redis, clock)
    await one.punish(BOT, PRIVATE, 30)
    assert await other.attempt(BOT, PRIVATE) == pytest.approx(30)
    assert (await other.reserve(BOT, PRIVATE)).what == "nothing"
    assert await other.attempt(BOT, PRIVATE + 1) == 0
    clock.advance(30)
    assert await other.attempt(BOT, PRIVATE) == 0


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
    while await store.attempt(BOT, next(chats)) == 0:
        pass
    assert (await store.reserve(BOT, next(chats))).seconds == 0
    clock.advance(10)
    for chat in (PRIVATE, GROUP):
        while await store.attempt(BOT, chat) == 0:
            clock.advance(0.1)
        assert (await store.reserve(BOT, chat)).seconds == 0


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
