"""A turn that its user stopped stays in the history as far as it came, so that "go on" works with every model."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.runtime.steps import COUNTER, MemorySteps, run_until_dead
from tests.runtime.support import MODELS, Open, Screen, ask, card, until
from tests.support.model import Model
from tests.support.strict import Strict
from workers.interfaces import TurnRequest
from workers.runtime.conversation import history
from workers.runtime.durable.so_far import STOPPED
from workers.runtime.engine import Engine

TOOLED = "model: generic.mock\nfunction_tools: [counter.py:count]\n"
CALL = 'CALL:count{"name": "%s"}'


def said(stored: bytes) -> list[str]:
    """Who said what: role, and words."""
    return [f"{message.role}: {message.all_text()}" for message in history.decode(stored).messages]


def results(stored: bytes) -> list[str]:
    """What the tools gave, in order."""
    return [
        "".join(getattr(block, "text", "") for block in result.content)
        for message in history.decode(stored).messages
        for result in (message.tool_results or {}).values()
    ]


async def stopped(engine: Engine, request: TurnRequest, steps: MemorySteps, holds: str, model: Model) -> bytes:
    """The history after a turn that was stopped while its model was held."""
    screen = Screen()
    async with asyncio.TaskGroup() as group:
        turn = group.create_task(engine.run(replace(request, steps=steps), screen))
        await model.held(holds)
        await until(lambda: bool(screen.frames))
        turn.cancel()
    return await engine.histories.stopped(replace(request, steps=steps), screen.frames[-1])


@pytest.mark.promise("stop-keeps")
async def test_question_and_partial_answer_of_a_stopped_turn_are_remembered(runtime: Open, model: Model) -> None:
    async with runtime() as engine:
        request = ask(1, "hello WORDS:50 HOLD:here@3")
        kept = await stopped(engine, request, MemorySteps(), "here", model)
        question, answer = said(kept)
        assert question == "user: hello WORDS:50 HOLD:here@3"
        assert answer.startswith("assistant: echo: hello")
        assert answer.endswith(f"\n\n{STOPPED}")
        model.release()
        model.clear()
        done = await engine.run(ask(1, "go on", history=kept), Screen())
        assert done.text == "echo: go on [n=2]"


@pytest.mark.promise("stop-keeps")
async def test_finished_steps_stay_as_they_were_and_their_words_stand_once(
    runtime: Open, model: Model, cards: Path
) -> None:
    card(cards, "counter.py", COUNTER)
    card(cards, "assistant.md", f"---\nname: assistant\ndefault: true\n{TOOLED}---\nYou.\n")
    async with runtime() as engine:
        whole = await engine.run(ask(1, f"ROUNDS:2 {CALL % 'x'}"), Screen())
        request = ask(2, f"ROUNDS:9 {CALL % 'x'}", history=whole.history)
        steps = MemorySteps(room=6)
        await run_until_dead(engine, replace(request, steps=steps), steps)
        kept = await engine.histories.stopped(replace(request, steps=steps), "and so")
        before = len(history.decode(whole.history).messages)
        made = history.decode(kept).messages[before:]
        assert [message.role for message in made] == ["user", *["assistant", "user"] * 2, "assistant"]
        assert results(kept)[-2:] == ["counted x", "counted x"]
        assert said(kept)[-1] == f"assistant: and so\n\n{STOPPED}"


@pytest.mark.promise("stop-keeps")
@pytest.mark.parametrize("first", ["openai", "responses", "anthropic", "google", "mistral"])
async def test_after_a_stop_in_or_behind_a_tool_call_every_model_goes_on(
    runtime: Open, strict: Strict, between: str, first: str
) -> None:
    gives = {1: "was not made", 2: "outcome of this call is unknown", 3: "found x"}
    async with runtime(COHORT_LANES="1", COHORT_MODELS=between) as engine:
        for room, gave in gives.items():
            steps = MemorySteps(room=room)
            request = ask(room, "CALL it", model=MODELS[first])
            await run_until_dead(engine, replace(request, steps=steps), steps)
            kept = await engine.histories.stopped(replace(request, steps=steps), "")
            assert [gave in result for result in results(kept)] == [True]
            for second in MODELS.values():
                gone_on = await engine.run(ask(room, "go on", history=kept, model=second), Screen())
                assert gone_on.text == f"answer of {second.partition('.')[2]}"
    assert strict.refused == []


@pytest.mark.promise("stop-keeps")
async def test_of_a_stopped_workflow_its_steps_are_remembered_in_words(
    runtime: Open, model: Model, cards: Path
) -> None:
    card(cards, "counter.py", COUNTER)
    (cards / "assistant.md").unlink()
    for name in ("writer", "editor"):
        card(cards, f"{name}.md", f"---\nname: {name}\ntool_only: true\n{TOOLED}---\nYou.\n")
    card(cards, "lead.md", "---\nname: lead\ndefault: true\ntype: chain\nsequence: [writer, editor]\n---\n")
    async with runtime() as engine:
        steps = MemorySteps(room=4)
        request = replace(ask(1, f"ROUNDS:9 {CALL % 'x'}"), steps=steps)
        await run_until_dead(engine, request, steps)
        kept = await engine.histories.stopped(request, "")
        *_, last = said(kept)
        assert last.startswith("assistant: [called count with {'name': 'x'}]")
        assert "[result: counted x]" in last
        assert last.endswith(STOPPED)


@pytest.mark.promise("stop-keeps")
async def test_of_a_stopped_child_agent_the_caller_reads_how_far_it_came(
    runtime: Open, model: Model, cards: Path
) -> None:
    card(cards, "counter.py", COUNTER)
    card(cards, "assistant.md", f"---\nname: assistant\ndefault: true\nagents: [writer]\n{TOOLED}---\nYou.\n")
    card(cards, "writer.md", f"---\nname: writer\ntool_only: true\n{TOOLED}---\nYou.\n")
    async with runtime() as engine:
        steps = MemorySteps(room=4)
        delegated = json.dumps({"message": f"ROUNDS:9 {CALL % 'inner'}"})
        request = replace(ask(1, f"CALL:writer{delegated}"), steps=steps)
        await run_until_dead(engine, request, steps)
        kept = await engine.histories.stopped(request, "")
        (result,) = results(kept)
        assert "[result: counted inner]" in result
        assert "outcome of this call is unknown" in result
