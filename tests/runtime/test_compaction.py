"""Long conversations are shortened by a call of the model that holds its own chat's lane and nothing else."""

import asyncio

import pytest

from tests.runtime.support import Open, Screen, ask, until
from tests.support.model import Model
from workers.interfaces import TurnFailed, TurnResult
from workers.runtime.conversation import history
from workers.runtime.engine import Engine

SUMMARY = "COMPACTION"
"""What fast-agent's request for a summary says and no chat of these tests does."""


async def talk(engine: Engine, chat: int, turns: int) -> TurnResult:
    """A conversation of so many turns."""
    said = await engine.run(ask(chat, f"turn 1 of {chat}"), Screen())
    for turn in range(2, turns + 1):
        said = await engine.run(ask(chat, f"turn {turn} of {chat}", history=said.history), Screen())
    return said


@pytest.mark.parametrize("lanes", [2, 32])
@pytest.mark.parametrize("automatic", [True, False], ids=["of itself", "when asked to"])
async def test_while_one_chats_summary_is_written_other_chats_are_answered(
    runtime: Open, model: Model, lanes: int, automatic: bool
) -> None:
    async with runtime(COHORT_LANES=str(lanes), COHORT_HISTORY_MESSAGES="10") as engine:
        long = await talk(engine, 1, 5)
        before = len(model.journal)
        model.fault(match=SUMMARY, mode="hang", name="summary", reply="they counted to five")
        async with asyncio.TaskGroup() as group:
            request = ask(1, "turn 6", history=long.history)
            work = engine.run(request, Screen()) if automatic else engine.compact(request)
            compacting = group.create_task(work, name="compacting")
            await model.held("summary")
            other = await talk(engine, 2, 3)
            third = await engine.run(ask(3, "hello"), Screen())
            assert not compacting.done()
            model.release("summary")
        done = compacting.result()
    assert (other.text, third.text) == ("echo: turn 3 of 2 [n=3]", "echo: hello [n=1]")
    summaries = [call for call in list(model.journal)[before:] if SUMMARY in call.last]
    assert len(summaries) == 1
    assert "of 2" not in str(summaries[0].messages)
    kept = [message.all_text() for message in history.decode(done.history).messages]
    assert "they counted to five" in kept[0]
    assert (kept[-1].startswith("echo: turn 6"), len(kept) < 12) == (automatic, True)


async def test_with_one_lane_a_chat_waits_for_anothers_summary_as_for_any_turn_and_then_is_answered(
    runtime: Open, model: Model
) -> None:
    async with runtime(COHORT_LANES="1", COHORT_HISTORY_MESSAGES="10") as engine:
        long = await talk(engine, 1, 5)
        model.fault(match=SUMMARY, mode="hang", name="summary", reply="they counted to five")
        async with asyncio.TaskGroup() as group:
            first = group.create_task(engine.compact(ask(1, "", history=long.history)), name="compacting")
            await model.held("summary")
            second = group.create_task(engine.run(ask(2, "hello"), Screen()), name="other")
            await until(lambda: engine.waiting == 1)
            model.release("summary")
    assert first.result().text.startswith("Done. I've shortened 10 messages to ")
    assert second.result().text == "echo: hello [n=1]"


async def test_a_summary_that_is_never_written_ends_with_its_turns_time_and_frees_its_lane(
    runtime: Open, model: Model
) -> None:
    async with runtime(COHORT_LANES="1", COHORT_HISTORY_MESSAGES="10") as engine:
        long = await talk(engine, 1, 5)
    model.fault(match=SUMMARY, mode="hang", name="never")
    async with runtime(COHORT_LANES="1", COHORT_HISTORY_MESSAGES="10", COHORT_TURN_TIMEOUT="1") as engine:
        with pytest.raises(TurnFailed):
            await engine.compact(ask(1, "", history=long.history))
        assert engine.busy == 0
        assert (await engine.run(ask(2, "hello"), Screen())).text == "echo: hello [n=1]"
