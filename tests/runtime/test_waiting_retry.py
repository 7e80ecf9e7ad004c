"""Between two tries of a turn its lane serves other chats: the real runtime under the real turn loop."""

import asyncio

import pytest

from tasks.config.settings import Settings
from tasks.ports import TurnReport
from tests.runtime.support import Open, until
from tests.support.model import Model
from tests.workers.pool import opened, session
from workers.runtime.lanes.borrowing import LONG_WAIT_S


@pytest.mark.promise("model-faults")
async def test_a_waiting_retry_holds_no_lane(runtime: Open, model: Model, settings: Settings) -> None:
    model.fault(mode="drop", match="first", times=1)
    async with runtime(COHORT_LANES="1") as engine, opened(settings) as pool:
        worker = await pool.worker("w-one", real=engine)
        pool.naps.awake.clear()
        await pool.say(1, "first")
        turn = worker.doorbell(session(1))
        await pool.naps.changes.until(lambda: bool(pool.naps.taken))
        assert engine.busy == 0

        await pool.say(2, "second")
        await worker.answer(session(2))
        (second,) = pool.telegram.texts(session(2))
        assert second.startswith("echo: second [n=1]")
        assert not turn.done()

        pool.naps.awake.set()
        await turn
        (first,) = pool.telegram.texts(session(1))
        assert first.startswith("echo: first [n=1]")
        assert (engine.lanes.made, len(pool.naps.taken)) == (1, 1)
    assert [entry.last for entry in model.journal] == ["first", "second", "first"]


@pytest.mark.promise("poison-message")
async def test_a_turn_that_waits_for_a_lane_counts_no_try_until_it_has_one(
    runtime: Open, model: Model, settings: Settings
) -> None:
    async with runtime(COHORT_LANES="1") as engine, opened(settings) as pool:
        await pool.say(2, "HOLD:patient")
        first = await pool.worker("w-one", real=engine)
        first.doorbell(session(2))
        await model.held("patient")
        await first.kill()
        await pool.say(1, "HOLD:busy")
        second = await pool.worker("w-two", real=engine)
        busy = second.doorbell(session(1))
        await model.held("busy")
        patient = second.doorbell(session(2))
        await until(lambda: engine.waiting == 1)
        assert (await pool.state(session(2)))["tries"] == "1"
        model.release("busy")
        await busy
        await model.held("patient")
        assert (await pool.state(session(2)))["tries"] == "2"
        model.release("patient")
        await patient


@pytest.mark.promise("poison-message")
async def test_where_turns_wait_for_a_lane_for_long_the_first_try_counts_no_sooner_either(
    runtime: Open, model: Model, settings: Settings
) -> None:
    async with runtime(COHORT_LANES="1") as engine, opened(settings) as pool:
        worker = await pool.worker("w-one", real=engine)
        turns: list[asyncio.Task[TurnReport]] = []
        for chat, text in enumerate(("HOLD:busy", "next", "HOLD:patient"), 1):
            await pool.say(chat, text)
            turns.append(worker.doorbell(session(chat)))
            await until(lambda chat=chat: engine.busy + engine.waiting == chat)
            # The second has waited for long when the third comes.
            await until(lambda chat=chat: chat != 2 or engine.lanes.longest_wait_s >= LONG_WAIT_S)
        assert [(await pool.state(session(chat)))["tries"] for chat in (1, 2, 3)] == ["1", "1", "0"]
        model.release("busy")
        await model.held("patient")
        assert (await pool.state(session(3)))["tries"] == "1"
        model.release("patient")
        for turn in turns:
            await turn
