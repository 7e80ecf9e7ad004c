"""The key of a call where it is of use: in a request to an MCP server, and in the environment of a program."""

import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.runtime.http_server import SessionServer
from tests.runtime.steps import MemorySteps, run_until_dead
from tests.runtime.support import Open, Screen, ask, card
from tests.support.model import Model
from workers.runtime.patches.tool_calls import META, TOOL_USE_META

BEGUN = 2
Serve = Callable[..., None]


@pytest.mark.promise("in-doubt")
@pytest.mark.parametrize(
    "case",
    [
        ("look", {}, 2),
        ("asked", {}, 1),
        ("asked", {"in_doubt": "run"}, 2),
        ("asked", {"in_doubt": {"as*": "run", "*": "fail"}}, 2),
        ("asked", {"replay": "safe"}, 2),
        ("look", {"in_doubt": "fail"}, 2),
    ],
)
async def test_a_server_is_given_the_same_key_in_each_try(
    runtime: Open, model: Model, serve: Serve, tmp_path: Path, case: tuple[str, dict[str, object], int]
) -> None:
    tool, settings, times = case
    store = tmp_path / "store"
    serve("small", env={"STORE": str(store)}, **settings)
    asked = ask(1, f"CALL:{tool}")
    async with runtime() as engine:
        # It dies after the call was carried out, before its end was kept.
        dead = MemorySteps(room=BEGUN)
        dead.soon = dead.dead.set
        await run_until_dead(engine, replace(asked, steps=dead), dead)
        result = await engine.run(replace(asked, steps=MemorySteps(dead.kept)), Screen())
    metas = [json.loads(line) for line in store.read_text().splitlines()]
    assert len(metas) == times
    keys = Counter(meta[META] for meta in metas)
    assert len(keys) == 1
    assert all(meta[TOOL_USE_META] == meta[META] for meta in metas)
    assert ("outcome of this call is unknown" in result.text) == (times == 1)


@pytest.mark.promise("in-doubt")
@pytest.mark.parametrize(("choice", "times"), [("run", 2), ("fail", 1)])
async def test_a_server_over_http_is_given_the_same_key_in_each_try(
    runtime: Open, model: Model, serve: Serve, choice: str, times: int
) -> None:
    asked = ask(1, "CALL:weather")
    async with SessionServer() as sky:
        serve("sky", command=None, args=None, transport="http", url=f"{sky.url}/mcp", in_doubt=choice)
        async with runtime() as engine:
            dead = MemorySteps(room=BEGUN)
            dead.soon = dead.dead.set
            await run_until_dead(engine, replace(asked, steps=dead), dead)
            result = await engine.run(replace(asked, steps=MemorySteps(dead.kept)), Screen())
    assert sky.calls == times
    assert len({(meta[META], meta[TOOL_USE_META]) for meta in sky.metas}) == 1
    assert ("outcome of this call is unknown" in result.text) == (times == 1)


async def test_a_program_of_a_shell_is_given_the_key(runtime: Open, model: Model, cards: Path) -> None:
    card(cards, "assistant.md", "---\nname: assistant\nmodel: generic.mock\nshell: true\n---\nYou.\n")
    async with runtime(COHORT_SHELL="1", COHORT_APPROVE="listed") as engine:
        steps = MemorySteps()
        command = json.dumps({"command": "echo key=$CALL_KEY"})
        result = await engine.run(replace(ask(1, f"CALL:bash{command}"), steps=steps), Screen())
    (begun,) = [json.loads(entry)["key"] for entry in steps.kept if b'"begun"' in entry]
    assert re.search(r"key=(\w+)", result.text.rpartition("tool=")[2])[1] == begun
