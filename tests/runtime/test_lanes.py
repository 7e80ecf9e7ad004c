"""Lanes: lent in turns, replaced when spoiled or outdated, made when needed."""

import asyncio
import sys
import weakref
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from types import SimpleNamespace

import pytest

from tests.runtime.support import until
from workers.interfaces import TurnFailed
from workers.runtime.lanes.fair_queue import TurnParties
from workers.runtime.lanes.pool import LIFETIME_TURNS, Lane, Lanes


class Agents(SimpleNamespace):
    """What a lane holds, as far as lanes care."""


class Maker:
    """Makes nothing, counts, and fails when told to."""

    def __init__(self) -> None:
        self.generation: object = 1
        self.made = 0
        self.ended = 0
        self.fail = 0
        self.tasks: dict[int, str] = {}

    def suits(self, lane: Lane, bot: int) -> bool:
        return not bot or lane.agents.number == bot

    async def create(self) -> Agents:
        if self.fail:
            self.fail -= 1
            raise RuntimeError("no server")
        self.made += 1
        return Agents(number=self.made, task=asyncio.current_task())

    async def dispose(self, lane: Lane, instance: Agents) -> None:
        assert instance.task is asyncio.current_task(), "what a task opened it must close"
        self.ended += 1


type Pool = Callable[..., object]


@asynccontextmanager
async def pool(factory: Maker, size: int) -> AsyncGenerator[Lanes]:
    async with asyncio.TaskGroup() as tasks:
        lanes = Lanes(factory, tasks, size)
        try:
            yield lanes
        finally:
            lanes.close()


async def test_a_turn_is_lent_a_lane_with_the_agents_of_its_bot_where_one_is_free() -> None:
    async with pool(Maker(), 2) as lanes:
        await lanes.start()
        both = [await lanes.take(), await lanes.take()]
        for lane in both:
            lanes.give_back(lane)
        for bot in (2, 1, 2):
            lane = await lanes.take(TurnParties(bot=bot))
            assert lane.agents.number == bot
            lanes.give_back(lane)
        other = await lanes.take(TurnParties(bot=3))
        assert other in both, "else any"
        lanes.give_back(other)


@pytest.mark.promise("few-lanes")
async def test_lanes_are_made_only_as_many_as_are_needed_at_the_same_time() -> None:
    factory = Maker()
    async with pool(factory, 3) as lanes:
        await lanes.start()
        for _ in range(5):
            lanes.give_back(await lanes.take())
        assert factory.made == 1
        both = [await lanes.take(), await lanes.take()]
        assert factory.made == 2
        for lane in both:
            lanes.give_back(lane)
    assert factory.ended == 2


@pytest.mark.promise("fair-lanes")
async def test_the_turn_that_waits_longest_is_served_first() -> None:
    factory = Maker()
    served: list[int] = []
    async with pool(factory, 1) as lanes:
        first = await lanes.take()

        async def turn(number: int) -> None:
            lane = await lanes.take()
            served.append(number)
            lanes.give_back(lane)

        async with asyncio.TaskGroup() as turns:
            for number in range(20):
                turns.create_task(turn(number), name=f"turn-{number}")
                await until(lambda number=number: lanes.waiting == number + 1)
            lanes.give_back(first)
            late = await lanes.take()
            assert served == list(range(20)), "a latecomer does not barge in"
            lanes.give_back(late)


async def test_a_spoiled_lane_is_replaced_and_never_lent_again() -> None:
    factory = Maker()
    async with pool(factory, 1) as lanes:
        lane = await lanes.take()
        number = lane.agents.number
        lane.spoil()
        lanes.give_back(lane)
        fresh = await lanes.take()
        assert (fresh.agents.number, factory.ended) == (number + 1, 1)
        lanes.give_back(fresh)


async def test_a_lane_is_replaced_after_its_lifetime() -> None:
    factory = Maker()
    async with pool(factory, 1) as lanes:
        for _ in range(LIFETIME_TURNS + 1):
            lanes.give_back(await lanes.take())
        assert (factory.made, factory.ended) == (2, 1)


async def test_lanes_of_another_day_or_of_old_cards_are_replaced_when_idle_and_when_they_come_back() -> None:
    factory = Maker()
    async with pool(factory, 2) as lanes:
        idle, lent = await lanes.take(), await lanes.take()
        lanes.give_back(idle)
        factory.generation = 2
        lanes.renew()
        fresh = await lanes.take()
        assert fresh.generation == 2
        lanes.give_back(lent)
        other = await lanes.take()
        assert (other.generation, factory.ended) == (2, 2)
        for lane in (fresh, other):
            lanes.give_back(lane)


def calls_of(work: Callable[[], object]) -> int:
    """How many functions it calls."""
    events: list[str] = []
    sys.setprofile(lambda _frame, event, _argument: events.append(event))
    try:
        work()
    finally:
        sys.setprofile(None)
    return sum(event in ("call", "c_call") for event in events)


async def test_what_a_lane_s_return_costs_does_not_grow_with_the_turns_that_wait() -> None:
    costs: list[int] = []
    for waiting in (5, 200):
        async with pool(Maker(), 2) as lanes, asyncio.TaskGroup() as flood:
            lent = [await lanes.take(TurnParties(parties=(f"chat {one}",))) for one in range(2)]
            turns = [
                flood.create_task(lanes.take(TurnParties(parties=(f"other {one}",))), name="turn")
                for one in range(waiting)
            ]
            await until(lambda: lanes.waiting == waiting)  # noqa: B023 - awaited here
            costs.append(calls_of(lambda: lanes.give_back(lent[0])))  # noqa: B023 - called at once
            for turn in turns:
                turn.cancel()
            lanes.give_back(lent[1])
    assert costs[0] == costs[1]


async def test_nothing_keeps_the_agents_of_a_replaced_lane() -> None:
    async with pool(Maker(), 1) as lanes:
        lane = await lanes.take()
        old = weakref.ref(lane.agents)
        lane.spoil()
        lanes.give_back(lane)
        fresh = await lanes.take()
        assert (fresh.agents.number, old()) == (2, None)
        lanes.give_back(fresh)


async def test_a_lane_that_cannot_be_made_fails_the_turn_at_once_and_is_tried_again() -> None:
    factory = Maker()
    factory.fail = 1
    async with pool(factory, 1) as lanes:
        with pytest.raises(TurnFailed) as failure:
            await lanes.take()
        assert (failure.value.action, "RuntimeError" in failure.value.detail) == ("retry", True)
        lane = await lanes.take()
        lanes.give_back(lane)
    assert factory.made == 1


async def test_waiting_turns_are_served_by_the_lanes_there_are_when_a_further_one_cannot_be_made() -> None:
    factory = Maker()
    async with pool(factory, 2) as lanes:
        lane = await lanes.take()
        factory.fail = 1
        async with asyncio.TaskGroup() as group:
            waiting = group.create_task(lanes.take(), name="waiting")
            await until(lambda: lanes.waiting == 1 and not factory.fail)
            lanes.give_back(lane)
            assert await waiting is lane
        lanes.give_back(lane)


async def test_a_turn_cancelled_as_it_is_given_a_lane_gives_it_on() -> None:
    factory = Maker()
    async with pool(factory, 1) as lanes:
        lane = await lanes.take()
        async with asyncio.TaskGroup() as group:
            first = group.create_task(lanes.take(), name="first")
            await until(lambda: lanes.waiting == 1)
            lanes.give_back(lane)
            first.cancel()
        assert first.cancelled()
        assert await lanes.take() is lane
        lanes.give_back(lane)


async def test_a_session_gets_the_lane_that_is_warm_for_it_and_strangers_get_another() -> None:
    factory = Maker()
    async with pool(factory, 2) as lanes:
        mine = await lanes.take(TurnParties("a"))
        mine.warm = "a"
        lanes.give_back(mine)
        other = await lanes.take(TurnParties("b"))
        assert other is not mine
        assert await lanes.take(TurnParties("a")) is mine
        for lane in (mine, other):
            lanes.give_back(lane)


@pytest.mark.promise("shell-per-session")
async def test_a_sealed_lane_serves_its_own_session_and_is_replaced_for_any_other() -> None:
    factory = Maker()
    async with pool(factory, 1) as lanes:
        lane = await lanes.take(TurnParties("a"))
        lane.warm, lane.sealed = "a", True
        lanes.give_back(lane)
        assert (await lanes.take(TurnParties("a"))).agents.number == 1
        async with asyncio.TaskGroup() as group:
            waiting = group.create_task(lanes.take(TurnParties("b")), name="b")
            await until(lambda: lanes.waiting == 1)
            lanes.give_back(lane)
        fresh = waiting.result()
        assert (fresh.agents.number, fresh.sealed, factory.ended) == (2, False, 1)
        lanes.give_back(fresh)


@pytest.mark.promise("shell-per-session")
async def test_a_sealed_lane_stays_while_there_is_room_for_another() -> None:
    factory = Maker()
    async with pool(factory, 2) as lanes:
        lane = await lanes.take(TurnParties("a"))
        lane.warm, lane.sealed = "a", True
        lanes.give_back(lane)
        other = await lanes.take(TurnParties("b"))
        assert (other.agents.number, factory.ended) == (2, 0)
        assert await lanes.take(TurnParties("a")) is lane
        for one in (lane, other):
            lanes.give_back(one)


@pytest.mark.promise("shell-per-session")
async def test_as_many_sealed_lanes_are_replaced_as_turns_wait() -> None:
    factory = Maker()
    async with pool(factory, 4) as lanes:
        held = [await lanes.take(TurnParties(name)) for name in "abcd"]
        for lane, name in zip(held, "abcd", strict=True):
            lane.warm, lane.sealed = name, True
            lanes.give_back(lane)
        others = [await lanes.take(TurnParties(name)) for name in "xyz"]
        assert {lane.agents.number for lane in others} == {5, 6, 7}
        (own,) = [name for lane, name in zip(held, "abcd", strict=True) if lane.sealed]
        kept = await lanes.take(TurnParties(own))
        assert (kept.agents.number <= 4, factory.made) == (True, 7)
        for lane in (*others, kept):
            lanes.give_back(lane)


async def test_a_turn_that_waits_when_the_runtime_closes_is_cancelled() -> None:
    factory = Maker()
    async with asyncio.TaskGroup() as outer, pool(factory, 1) as lanes:
        lane = await lanes.take()
        waiting = outer.create_task(lanes.take(), name="waiting")
        await until(lambda: lanes.waiting == 1)
        lanes.close()
        lanes.give_back(lane)
    assert waiting.cancelled()
    assert (factory.made, factory.ended) == (1, 1)
