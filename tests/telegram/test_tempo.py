"""How often an answer grows: seldom in groups and beside many others, and always with room for the final text."""

from dataclasses import replace

import pytest

from tasks.clock import SystemClock
from tasks.envelope import Reply
from tasks.store.pacing import Limits, Rate
from tests.telegram.conftest import World
from tests.telegram.stage import AT_ONCE, Stage, stage_with
from workers.telegram.delivery import TelegramDelivery
from workers.telegram.tempo import Tempo


def test_frames_come_less_often_in_groups_and_while_many_answers_grow() -> None:
    tempo = Tempo()
    assert (tempo.interval(7), tempo.interval(-7)) == (1.0, 3.0)
    tempo.growing = 50
    assert (tempo.interval(7), tempo.interval(-7)) == (5.0, 5.0)


async def test_growing_answers_are_counted_while_they_grow(world: World) -> None:
    tempo = replace(AT_ONCE)
    delivery = TelegramDelivery(world.bot, world.settings, SystemClock(), tempo=tempo)
    stage = Stage(world, delivery)
    one, other = await world.session(), await world.session()
    async with stage.live(one) as first, stage.live(other) as second:
        first.text("one")
        second.text("two")
        await stage.shows(one, "one")
        await stage.shows(other, "two")
        assert tempo.growing == 2
    assert tempo.growing == 0


class TestPaced:
    """With the limits that Telegram has."""

    @pytest.fixture
    def limits(self) -> Limits:
        return Limits(private=Rate(3, 100, burst=3))

    async def test_a_flood_of_text_is_a_few_frames_and_leaves_room_for_the_final_text(self, world: World) -> None:
        stage = stage_with(world)
        session = await world.session()
        async with stage.live(session) as answer:
            for length in range(1, 50):
                answer.text("word " * length)
                await world.methods(session)
            await stage.called(session, "sendMessage")
            answer.text("word " * 200)
            await stage.called(session, "editMessageText")
            answer.text("word " * 201)
        shown = await world.methods(session)
        assert shown.count("sendMessage") == 1
        assert shown.count("editMessageText") == 1
        final = TelegramDelivery(world.bot, world.settings, world.clock, sleep=world.clock.sleep)
        await final.deliver(session, Reply(text="final", edit=next(iter(answer.message_ids), None)))
        assert world.clock.slept == []
        assert await world.texts(session) == ["final"]
