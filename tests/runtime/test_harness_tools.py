"""Tools that change the runtime: off, or switched on by the operator and for one session alone."""

import asyncio
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.runtime.lane_watch import SERVER, Watched
from tests.runtime.reachable import differences
from tests.runtime.support import Open, Screen, ask, card
from tests.support.model import Model
from workers.interfaces import TurnRequest

HEADS = {
    "harness_tools": "harness_tools: true",
    "smart": "type: smart",
    "smart with a server": "type: smart\nservers: [own]",
}


@pytest.fixture
def served(cards: Path, config: Path, model: Model) -> Callable[[str], None]:
    """Two servers: a shared one that no card names, and one that each chat has for itself."""
    server = {"command": sys.executable, "args": [str(SERVER)]}
    own = server | {"isolation": "chat", "env": {"STORE": "{workdir}/notes.txt"}}
    generic = {"base_url": f"{model.url}/v1", "api_key": "k"}
    config.write_text(json.dumps({"generic": generic, "mcp": {"servers": {"shared": server, "own": own}}}))

    def write(head: str) -> None:
        card(cards, "assistant.md", f"---\nname: assistant\nmodel: generic.mock\n{head}\n---\nYou.\n")

    return write


def command(words: str, chat: int = 1, history: bytes | None = None) -> TurnRequest:
    return ask(chat, f"CALL:slash_command{json.dumps({'command': words})}", history=history)


@pytest.mark.promise("runtime-tools")
@pytest.mark.parametrize("head", HEADS)
async def test_no_card_has_tools_that_change_the_runtime_unless_the_operator_switches_them_on(
    runtime: Open, model: Model, served: Callable[[str], None], head: str
) -> None:
    served(HEADS[head])
    async with runtime() as engine:
        await engine.run(ask(1, "hello"), Screen())
        await engine.reload()
        await engine.run(ask(1, "hello"), Screen())
    assert not any({"slash_command", "get_resource"} & set(call.tools) for call in model.journal)
    async with runtime(COHORT_RUNTIME_TOOLS="1") as engine:
        await engine.run(ask(1, "hello"), Screen())
    assert {"slash_command", "get_resource"} <= set(model.journal[-1].tools)


@pytest.mark.promise("runtime-tools")
async def test_a_server_that_a_chat_attaches_is_there_for_its_turns_and_for_no_other_chat(
    runtime: Open, model: Model, served: Callable[[str], None]
) -> None:
    served(HEADS["harness_tools"])
    async with runtime(COHORT_LANES="1", COHORT_RUNTIME_TOOLS="1") as engine:
        before = Watched(engine).process
        done = await engine.run(command("/mcp attach shared"), Screen())
        assert "Attached configured MCP server" in done.text
        await engine.run(ask(1, "hello", history=done.history), Screen())
        assert any("whoami" in tool for tool in model.journal[-1].tools)
        await engine.run(ask(2, "hello"), Screen())
        assert not any("whoami" in tool for tool in model.journal[-1].tools)
        assert "No MCP servers are attached" in (await engine.run(command("/mcp status", 2), Screen())).text
        changed = differences(before, Watched(engine).process)
        assert [path for path in changed if "._capabilities" not in path] == [], "the operator's server tells its own"


@pytest.mark.promise("runtime-tools")
async def test_while_one_chat_has_a_server_attached_another_does_not_see_it(
    runtime: Open, model: Model, served: Callable[[str], None]
) -> None:
    served(HEADS["harness_tools"])
    async with runtime(COHORT_LANES="4", COHORT_RUNTIME_TOOLS="1") as engine, asyncio.TaskGroup() as group:
        done = await engine.run(command("/mcp attach shared"), Screen())
        first = group.create_task(engine.run(ask(1, "HOLD:gate", history=done.history), Screen()), name="first")
        await model.held("gate")
        await engine.run(ask(2, "hello"), Screen())
        assert not any("whoami" in tool for tool in model.journal[-1].tools)
        assert "whoami" not in (await engine.run(command("/tools", 2), Screen())).text
        model.release("gate")
        await first


@pytest.mark.promise("servers-per-session")
async def test_another_chats_own_server_is_neither_listed_nor_attached(
    runtime: Open, model: Model, served: Callable[[str], None]
) -> None:
    served(HEADS["smart with a server"])
    store = f"CALL:store{json.dumps({'text': 'swordfish'})}"
    async with runtime(COHORT_LANES="4", COHORT_RUNTIME_TOOLS="1") as engine:
        await engine.run(ask(1, store), Screen())
        (tool,) = {tool for tool in model.journal[-1].tools if tool.endswith("read")}
        name = tool.split("__")[0]
        listed = await engine.run(command("/mcp list", 2), Screen())
        assert name not in listed.text.replace("\\", "")
        taken = await engine.run(command(f"/mcp attach {name}", 2), Screen())
        for chat, found in ((2, False), (1, True)):
            history = taken.history if chat == 2 else None
            read = await engine.run(ask(chat, f"CALL:{tool}", history=history), Screen())
            assert ("swordfish" in read.text) == found


@pytest.mark.promise("runtime-tools")
@pytest.mark.parametrize("words", ["/mcp attach own", "/mcp reconnect own"])
async def test_a_server_of_a_chats_own_cannot_be_attached_with_its_placeholders_unfilled(
    runtime: Open, model: Model, served: Callable[[str], None], words: str
) -> None:
    served(HEADS["harness_tools"])
    async with runtime(COHORT_LANES="1", COHORT_RUNTIME_TOOLS="1") as engine:
        done = await engine.run(command(words), Screen())
        await engine.run(ask(1, "hello", history=done.history), Screen())
    assert "tool=" in done.text
    assert not any("whoami" in tool for tool in model.journal[-1].tools)


@pytest.mark.promise("runtime-tools")
@pytest.mark.parametrize(
    "words", ["add {skill}", "add", "install {skill}", "remove cooking", "update all", "registry {skill}"]
)
async def test_a_chat_installs_and_removes_no_skill(  # noqa: PLR0917
    runtime: Open,
    model: Model,
    served: Callable[[str], None],
    tmp_path: Path,
    words: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    here = tmp_path / "here"
    for folder in (here / ".fast-agent" / "skills" / "cooking", tmp_path / "other"):
        folder.mkdir(parents=True)
        card(folder, "SKILL.md", "---\nname: cooking\ndescription: how to cook\n---\nBoil.\n")
    monkeypatch.chdir(here)
    served(HEADS["harness_tools"])
    before = sorted(here.rglob("*"))
    async with runtime(COHORT_LANES="1", COHORT_RUNTIME_TOOLS="1") as engine:
        done = await engine.run(command(f"/skills {words.format(skill=tmp_path / 'other')}"), Screen())
        assert "tool=" in done.text
        await engine.run(ask(2, "hello"), Screen())
    assert sorted(here.rglob("*")) == before
    assert set(model.journal[-1].tools) == {"slash_command", "get_resource"}
