"""What is left of an answer that is over."""

import asyncio
import gc
import sys
from types import ModuleType

import pytest

from tests.telegram.conftest import World
from tests.telegram.stage import stage_with


@pytest.mark.promise("bounded-memory")
async def test_an_answer_that_is_over_does_not_hold_the_task_of_its_turn(world: World) -> None:
    # That task's context holds what holds the answer: a circle, in which each turn would wait for the collector.
    stage = stage_with(world)
    session = await world.session()
    kept: list[object] = []

    async def turn() -> None:
        async with stage.live(session) as answer:
            kept.append(answer)
            answer.text("Once")
            await stage.shows(session, "Once")

    async with asyncio.TaskGroup() as group:
        task = group.create_task(turn(), name="turn")
    # A module's names are not what the answer holds: behind them is all that is loaded.
    reached, left = {id(vars(module)) for module in [*sys.modules.values()]}, list(kept)
    while left:
        thing = left.pop()
        assert thing is not task
        if id(thing) not in reached and not isinstance(thing, type | ModuleType | asyncio.AbstractEventLoop):
            reached.add(id(thing))
            left += gc.get_referents(thing)
