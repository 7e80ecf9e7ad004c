"""A turn that died after any of its steps goes on where it was, in every kind of agent."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.runtime.steps import COUNTER, MemorySteps, executions, run_until_dead, told
from tests.runtime.support import Open, Screen, ask, card, until
from tests.support.model import Model

CALL = 'CALL:count{"name": "%s"}'
TOOLED = "model: generic.mock\nfunction_tools: [counter.py:count]\n"
MEMBER = f"---\nname: {{name}}\ntool_only: true\n{TOOLED}---\nYou are {{name}}.\n"


@dataclass(frozen=True)
class Kind:
    """A kind of agent: the card that leads, what it is asked, and what its models say to it."""

    name: str
    lead: str
    text: str
    says: tuple[dict[str, object], ...] = ()


STEP = {"description": "first", "tasks": [{"description": "CALL:count it", "agent": "writer"}], "is_complete": False}
LAST = {"description": "", "tasks": [], "is_complete": True}
ROUTE = json.dumps({"agent": "editor", "confidence": "high", "reasoning": "it says so"})
GOOD = json.dumps({"rating": "EXCELLENT", "feedback": "", "needs_improvement": False, "focus_areas": []})
POOR = json.dumps({"rating": "POOR", "feedback": "shorter", "needs_improvement": True, "focus_areas": []})


def delegated(*names: str) -> str:
    """A call of another agent for each, all at once, and one of the leading agent's own."""
    calls = (f"CALL:writer{json.dumps({'message': f'ROUNDS:2 {CALL % name}'})}" for name in names)
    return " ".join([*calls, CALL % "own"])


AGENTS = f"{TOOLED}agents: [writer]\n"
KINDS = (
    Kind("plain", TOOLED, f"ROUNDS:4 {CALL % 'x'} {CALL % 'y'}"),
    Kind("one after the other", TOOLED, f"ROUNDS:3 {CALL % 'x'}"),
    Kind("agents as tools", AGENTS, delegated("one", "two")),
    Kind("chain", "type: chain\nsequence: [writer, editor]\n", f"ROUNDS:2 {CALL % 'c'}"),
    Kind("parallel", "type: parallel\nfan_out: [writer, editor]\n", f"ROUNDS:2 {CALL % 'p'}"),
    Kind(
        "router",
        "type: router\nmodel: generic.mock\nagents: [writer, editor]\n",
        f"ROUNDS:2 {CALL % 'r'}",
        ({"head": "You lead.", "reply": ROUTE},),
    ),
    *(
        Kind(
            kind,
            f"type: {kind}\nmodel: generic.mock\nagents: [writer, editor]\n",
            "a poem please",
            (
                {"head": "You lead.", "match": "step-result", "reply": json.dumps(LAST)},
                {"head": "You lead.", "match": "No steps executed yet", "reply": json.dumps(STEP)},
            ),
        )
        for kind in ("orchestrator", "iterative_planner")
    ),
    Kind(
        "evaluator",
        "type: evaluator_optimizer\ngenerator: writer\nevaluator: editor\nmin_rating: GOOD\n",
        CALL % "e",
        (
            {"match": "improving your previous response", "reply": "a short poem"},
            {"head": "You are editor", "match": "a short poem", "reply": GOOD},
            {"head": "You are editor", "reply": POOR},
        ),
    ),
    Kind("maker", "type: MAKER\nworker: writer\nk: 2\nmax_samples: 5\n", CALL % "m"),
)
MANY = Kind("four agents as tools", AGENTS, delegated("one", "two", "three", "four"))
"""Each step more is a turn more that dies, and a turn more that goes on."""


@pytest.fixture
def lead(cards: Path, model: Model) -> Callable[[Kind], Path]:
    def make(kind: Kind) -> Path:
        (cards / "assistant.md").unlink()
        card(cards, "counter.py", COUNTER)
        for name in ("writer", "editor"):
            card(cards, f"{name}.md", MEMBER.format(name=name))
        card(cards, "lead.md", f"---\nname: lead\ndefault: true\n{kind.lead}---\nYou lead.\n")
        for says in kind.says:
            model.fault(**says, times=None)
        return cards

    return make


@pytest.mark.promise("steps-once")
@pytest.mark.parametrize("kind", [*KINDS, pytest.param(MANY, marks=pytest.mark.soak)], ids=lambda kind: kind.name)
async def test_a_turn_that_died_after_any_step_goes_on_there_and_ends_as_if_it_had_not(
    runtime: Open, model: Model, lead: Callable[[Kind], Path], kind: Kind
) -> None:
    cards = lead(kind)
    async with runtime() as engine:
        before = (await engine.run(ask(1, "hello"), Screen())).history
        asked = ask(1, kind.text, history=before)
        executions(cards)
        calls = len(model.journal)
        whole = MemorySteps()
        undisturbed = await engine.run(replace(asked, steps=whole), Screen())
        calls, tools = len(model.journal) - calls, executions(cards)
        assert tools, "the kind calls a tool"
        assert set(tools.values()) == {1}
        for room in range(len(whole.kept) + 1):
            dead = MemorySteps(room=room)
            await run_until_dead(engine, replace(asked, steps=dead), dead)
            heir, seen = MemorySteps(dead.kept), len(model.journal)
            ran = executions(cards)
            result = await engine.run(replace(asked, steps=heir), Screen())
            where = f"died after step {room} of {len(whole.kept)}"
            assert result.text == undisturbed.text, where
            assert told(result.history) == told(undisturbed.history), where
            models = sum(b'"k":"model"' in entry or entry[:1] == b"z" for entry in dead.kept)
            assert len(model.journal) - seen == calls - models, f"{where}: no finished model call is made again"
            again = executions(cards)
            begun = sum(b'"k":"begun"' in entry for entry in dead.kept)
            ended = sum(b'"k":"result"' in entry for entry in dead.kept)
            assert again.total() == tools.total() - ended, f"{where}: no finished tool call is made again"
            assert set((ran + again).values()) <= {1, 2}
            assert len([key for key, times in (ran + again).items() if times > 1]) <= begun - ended, where


async def test_a_turn_of_one_model_call_keeps_nothing(runtime: Open, model: Model, cards: Path) -> None:
    steps = MemorySteps()
    async with runtime() as engine:
        await engine.run(replace(ask(1, "hello"), steps=steps), Screen())
    assert (steps.kept, steps.writes) == ([], 0)


@pytest.mark.promise("steps-once")
async def test_the_model_is_told_of_no_result_that_is_not_kept(
    runtime: Open, model: Model, lead: Callable[[Kind], Path]
) -> None:
    lead(KINDS[0])
    async with runtime() as engine, asyncio.TaskGroup() as group:
        steps = MemorySteps()
        steps.slow.clear()
        turn = group.create_task(engine.run(replace(ask(1, CALL % "x"), steps=steps), Screen()))
        await until(lambda: steps.waiting)
        assert len(model.journal) == 1
        steps.slow.set()
        assert (await turn).text
        assert len(model.journal) == 2
