"""One person who asks for everything at once, and what is left of the lanes for others."""

import asyncio

import pytest

from tasks.envelope import Sender
from tasks.session import SessionKey
from tests.runtime.support import Open, Screen, inbound, until
from tests.support.model import Model
from workers.interfaces import TurnFailed, TurnRequest
from workers.runtime.engine import Engine

BUSY = 7
"""The person who asks for everything."""


def turn(session: SessionKey, text: str, sender: int) -> TurnRequest:
    message = inbound(session.chat, text, sender=Sender(id=sender))
    return TurnRequest(session, (message.model_copy(update={"session": str(session)}),))


def topics(number: int) -> TurnRequest:
    return turn(SessionKey(42, -1001, topic=number), f"HOLD:f{number}", BUSY)


def groups(number: int) -> TurnRequest:
    return turn(SessionKey(42, -2000 - number), f"HOLD:f{number}", BUSY)


def several_people(number: int) -> TurnRequest:
    return turn(SessionKey(42, -1001, topic=number), f"HOLD:f{number}", 100 + number)


def asked(model: Model) -> list[str]:
    return [entry.last.removeprefix("HOLD:") for entry in model.journal]


@pytest.mark.promise("fair-lanes")
@pytest.mark.parametrize("flood", [topics, groups, several_people])
async def test_a_person_who_asks_for_40_turns_at_once_leaves_a_lane_to_others_and_then_waits_in_turns_with_them(
    runtime: Open, model: Model, flood
) -> None:
    async with runtime(COHORT_LANES="4") as engine, asyncio.TaskGroup() as group:

        def begin(request: TurnRequest) -> asyncio.Task:
            return group.create_task(engine.run(request, Screen()), name=str(request.session))

        first = [begin(flood(number)) for number in range(40)]
        await until(lambda: engine.waiting == 37)
        for number in range(3):
            await model.held(f"f{number}")
        # At once: all that the flood may hold is held, and it goes on being held.
        answer = await engine.run(turn(SessionKey(42, 8), "hello", 8), Screen())
        assert answer.text.startswith("echo: ")
        # With the last lane taken, a latecomer waits for one release: it goes before the 37 that wait longer.
        begin(turn(SessionKey(42, 9), "HOLD:other", 9))
        await model.held("other")
        begin(turn(SessionKey(42, 10), "HOLD:latecomer", 10))
        await until(lambda: engine.waiting == 38)
        model.release("f1")
        await model.held("latecomer")
        assert asked(model)[-1] == "latecomer"
        for name in ("latecomer", "other", *(f"f{number}" for number in range(40))):
            model.release(name)
    assert all("echo" in task.result().text for task in first)


@pytest.mark.promise("fair-lanes")
async def test_a_flood_holds_no_more_lanes_for_servers_of_the_chats_own(runtime: Open, model: Model, serve) -> None:
    serve("own", env={"STORE": "{workdir}/notes.txt"}, isolation="chat")
    async with runtime(COHORT_LANES="4") as engine, asyncio.TaskGroup() as group:
        for number in range(8):
            group.create_task(engine.run(topics(number), Screen()), name=f"topic {number}")
        for number in range(3):
            await model.held(f"f{number}")
        assert await _answered_meanwhile(engine)
        for number in range(8):
            model.release(f"f{number}")


async def _answered_meanwhile(engine: Engine) -> bool:
    answer = await engine.run(turn(SessionKey(42, 8), "CALL:whoami", 8), Screen())
    return "tool=" in answer.text


async def test_a_turn_that_finds_no_lane_in_its_time_is_tried_again_and_not_called_too_slow(
    runtime: Open, model: Model
) -> None:
    async with runtime(COHORT_LANES="1", COHORT_TURN_TIMEOUT="0.2") as engine:
        lane = await engine.lanes.take()
        with pytest.raises(TurnFailed) as failure:
            await engine.run(turn(SessionKey(42, 1), "hello", 1), Screen())
        engine.lanes.give_back(lane)
        assert (failure.value.action, failure.value.detail) == ("retry", "waited 0.2 s for a lane")
        assert (await engine.run(turn(SessionKey(42, 1), "hello", 1), Screen())).text.startswith("echo: hello")
