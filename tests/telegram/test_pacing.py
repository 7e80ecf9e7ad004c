"""Calls that wait their turn, are dropped, or go free."""

import pytest
from telegram.error import RetryAfter

from botapi.calls import Calls
from botapi.client import connected
from botapi.pacing import Floods, Pacing, Priority, RateLimited
from botapi.shape import Shape
from botapi.split import Part
from tasks.store.pacing import Limits, PaceStore
from tests.telegram.conftest import World


@pytest.fixture
def limits() -> Limits:
    return Limits()


async def test_final_texts_wait_their_turn_in_a_private_chat(world: World) -> None:
    session = await world.session()
    for number in range(6):
        await world.calls.create(session, Shape(f"{number}"))
    assert world.clock.slept == pytest.approx([1, 1, 1])
    assert await world.texts(session) == [f"{number}" for number in range(6)]


async def test_no_minute_in_a_group_holds_more_than_twenty_messages(world: World) -> None:
    session = await world.session("group")
    sent = []
    for number in range(50):
        await world.calls.create(session, Shape(f"{number}"))
        sent.append(world.clock.now())
    assert max(sum(at <= other < at + 60 for other in sent) for at in sent) == 19


async def test_no_second_holds_more_than_thirty_calls_of_the_bot(world: World) -> None:
    sent = []
    for _ in range(70):
        session = await world.session()
        await world.calls.create(session, Shape("hi"))
        sent.append(world.clock.now())
    assert max(sum(at <= other < at + 1 for other in sent) for at in sent) == 24


async def test_a_frame_is_dropped_when_it_would_have_to_wait(world: World) -> None:
    session = await world.session()
    message = await world.calls.create(session, Shape("0"))
    await world.calls.frame(session, message, Part("1"))
    with pytest.raises(RateLimited):
        await world.calls.frame(session, message, Part("2"))
    await world.calls.edit(session, message, Shape("final"))
    assert world.clock.slept == []
    assert await world.texts(session) == ["final"]


async def test_a_frame_that_has_a_place_in_the_line_asks_for_nothing_until_it_comes(world: World) -> None:
    waiting = [await world.session() for _ in range(40)]
    for session in waiting:
        await world.store.reserve(session.bot, session.chat)
    session = await world.session()
    message = await world.calls.create(session, Shape("0"), priority=Priority.CONTROL)
    with pytest.raises(RateLimited) as dropped:
        await world.calls.frame(session, message, Part("1"))
    asked = (await world.redis.info("commandstats"))["cmdstat_evalsha"]["calls"]
    with pytest.raises(RateLimited):
        await world.calls.frame(session, message, Part("1"))
    assert (await world.redis.info("commandstats"))["cmdstat_evalsha"]["calls"] == asked
    world.clock.advance(dropped.value.seconds)
    await world.calls.frame(session, message, Part("2"))
    assert await world.texts(session) == ["2"]


async def test_a_place_that_a_clock_gave_before_it_was_put_back_holds_no_frame(world: World) -> None:
    for session in [await world.session() for _ in range(40)]:
        await world.store.reserve(session.bot, session.chat)
    session = await world.session()
    with pytest.raises(RateLimited):
        await world.calls.create(session, Shape("0"), priority=Priority.FRAME)
    world.clock.advance(-7200)
    await world.calls.create(session, Shape("0"), priority=Priority.FRAME)
    assert await world.texts(session) == ["0"]


async def test_the_bot_s_own_lines_pass_the_final_texts_that_wait(world: World) -> None:
    for session in [await world.session() for _ in range(100)]:
        await world.store.reserve(session.bot, session.chat)
    session = await world.session()
    await Calls(world.bot, priority=Priority.QUEUED).create(session, Shape("help"))
    assert world.clock.slept == []
    assert await world.texts(session) == ["help"]


async def test_typing_takes_nothing_of_its_chat_s_limits(world: World) -> None:
    session = await world.session("group")
    for _ in range(30):
        await world.calls.typing(session)
        world.clock.advance(0.1)
    for number in range(5):
        await world.calls.create(session, Shape(f"{number}"))
    assert world.clock.slept == []


async def test_control_calls_are_free(world: World) -> None:
    session = await world.session()
    messages = [await world.calls.create(session, Shape(f"{number}")) for number in range(3)]
    await world.store.punish(session.bot, None, 300)
    for message in messages:
        await world.calls.delete(session, message)
    assert await world.texts(session) == []
    assert world.clock.slept == []


async def test_a_flood_that_one_worker_met_stops_the_others_frames(world: World) -> None:
    session = await world.session()
    other = Pacing(PaceStore(world.redis, world.clock), session.bot, world.clock, world.clock.sleep)
    async with connected(world.settings.token, world.settings.telegram_base_url, connections=8) as connection:
        bot = connection.bot(other)
        await world.pg.fault("429", "sendMessage", retry_after=40)
        with pytest.raises(RetryAfter):
            await bot.send_message(session.chat, "hi", rate_limit_args=Priority.FRAME)
    with pytest.raises(RateLimited):
        await world.calls.typing(session)
    world.clock.advance(40)
    await world.calls.typing(session)


async def test_final_texts_wait_until_redis_is_back_and_frames_do_not(world: World) -> None:
    session = await world.session()
    await world.redis.config_set("maxmemory", "1")
    try:
        with pytest.raises(RateLimited):
            await world.calls.typing(session)

        async def come_back() -> None:
            await world.redis.config_set("maxmemory", "0")

        world.clock.on_sleep = come_back
        await world.calls.create(session, Shape("hi"))
    finally:
        await world.redis.config_set("maxmemory", "0")
    assert len(world.clock.slept) == 1
    assert await world.texts(session) == ["hi"]


def test_a_chat_that_spoke_a_lot_is_at_fault_itself() -> None:
    floods = Floods()
    assert floods.was_silent(1, 0)
    assert not floods.was_silent(1, 100)
    assert floods.was_silent(1, 300)


def test_two_silent_chats_refused_together_are_the_whole_bot() -> None:
    floods = Floods()
    assert not floods.is_everywhere(1, 0)
    assert not floods.is_everywhere(1, 1)
    assert floods.is_everywhere(2, 4)
    assert not floods.is_everywhere(3, 60)


async def test_a_flood_of_the_whole_bot_holds_every_chat(world: World) -> None:
    one, two, three = [await world.session() for _ in range(3)]
    await world.pg.fault("429", "sendMessage", times=2, retry_after=9)
    for session in (one, two):
        with pytest.raises(RetryAfter):
            await world.calls.create(session, Shape("hi"))
    assert await world.store.attempt(three.bot, three.chat) == pytest.approx(9)


async def test_floods_of_chats_in_which_the_bot_spoke_hold_no_other_chat(world: World) -> None:
    one, two, three = [await world.session() for _ in range(3)]
    for session in (one, two):
        await world.calls.create(session, Shape("hi"))
    await world.pg.fault("429", "sendMessage", times=2, retry_after=9)
    for session in (one, two):
        with pytest.raises(RetryAfter):
            await world.calls.create(session, Shape("hi"))
    assert await world.store.attempt(three.bot, three.chat) < 1
