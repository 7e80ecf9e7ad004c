"""Approval of what is no Python tool: a server's tools, a shell's commands; and settings that say something else."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from tasks.config.settings import Settings
from tests.runtime.steps import MemorySteps
from tests.runtime.support import Configure, Open, Screen, ask, card
from tests.runtime.test_approvals import RUN, Given, parks, resumes
from tests.support.model import Model
from workers.runtime.cards.checks import check_cards
from workers.runtime.durable import tool_facts

SERVERS: list[Given] = [
    ({}, "destructive", "wipe", True),
    ({}, "listed", "wipe", False),
    ({"approve": False}, "destructive", "wipe", False),
    ({"approve": True}, "listed", "whoami", True),
    ({"approve": ["who*"]}, "listed", "whoami", True),
    ({"approve": "*"}, "listed", "whoami", True),
    ({"approve": "who*"}, "listed", "whoami", True),
    ({"approve": "store"}, "destructive", "whoami", False),
    ({"approve": "store"}, "destructive", "wipe", True),
    ({"approve": ["store"]}, "destructive", "whoami", False),
    ({"approve": ["store"]}, "destructive", "wipe", True),
]


@pytest.mark.promise("approved-once")
@pytest.mark.parametrize("given", SERVERS)
async def test_a_servers_tool_needs_approval_by_its_settings_or_when_it_calls_itself_destructive(
    runtime: Open, model: Model, serve: Callable[..., None], given: Given
) -> None:
    says, setting, tool, asks = given
    serve("small", **says)
    asked = ask(1, f"CALL:{tool}")
    async with runtime(COHORT_APPROVE=setting) as engine:
        if asks:
            (question,) = await parks(engine, asked, MemorySteps())
            assert question.tool.endswith(tool)
        else:
            await resumes(engine, asked, MemorySteps())


@pytest.mark.promise("approved-once")
@pytest.mark.parametrize(("approve", "asked"), [("destructive", True), ("listed", False)])
async def test_a_command_of_a_shell_is_asked_about_where_destructive_tools_are(
    runtime: Open, model: Model, cards: Path, tmp_path: Path, approve: str, *, asked: bool
) -> None:
    card(cards, "assistant.md", "---\nname: assistant\nmodel: generic.mock\nshell: true\n---\nYou.\n")
    trace = tmp_path / "trace"
    request = ask(1, f"CALL:bash{json.dumps({'command': f'echo ran >> {trace}'})}")
    async with runtime(COHORT_SHELL="1", COHORT_APPROVE=approve) as engine:
        steps = MemorySteps()
        if not asked:
            await engine.run(replace(request, steps=steps, asks=True), Screen())
        else:
            (question,) = await parks(engine, request, steps)
            assert str(trace) in question.arguments
            assert not trace.exists()
            await resumes(engine, request, MemorySteps(steps.kept), **{question.key: RUN})
    assert trace.read_text() == "ran\n"


@pytest.mark.parametrize(
    "says",
    [
        {"approve": "yes"},
        {"approve": " True"},
        {"approve": ""},
        {"approve": []},
        {"approve": [1]},
        {"approve": {"a": 1}},
    ],
)
def test_an_approval_that_says_something_else_is_refused(
    says: dict[str, object], configure: Configure, settings_of: Callable[..., Settings]
) -> None:
    assert tool_facts.wrong(says) is not None
    configure({"mcp": {"servers": {"shop": {"command": "shop-server", **says}}}})
    assert ["server shop" in problem.what for problem in check_cards(settings_of())] == [True]
    assert tool_facts.wrong(yaml.safe_load("approve: [pay*]")) is None
    assert tool_facts.wrong(yaml.safe_load('approve: "*"')) is None
