"""No program and no file of the worker's machine without the card's word and the operator's."""

import asyncio
import json
import logging
import re
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.runtime.support import Configure, Open, Screen, ask, card, until
from tests.runtime.test_mcp import alive
from tests.support.model import Model
from workers.interfaces import TurnRequest
from workers.runtime.engine import Engine

SKILL = "---\nname: cooking\ndescription: how to cook\n---\nBoil the water first.\n"
SHELL = "---\nname: assistant\ndefault: true\nmodel: generic.mock\nshell: true\n---\nYou.\n"
PLACES = (".fast-agent/skills", ".agents/skills", ".claude/skills")


def skill(directory: Path, name: str = "cooking") -> Path:
    (directory / name).mkdir(parents=True)
    return card(directory / name, "SKILL.md", SKILL)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, of one's own."""
    directory = tmp_path / "here"
    directory.mkdir()
    monkeypatch.chdir(directory)
    return directory


async def tools(engine: Engine, model: Model, chat: int = 1, **choice: str) -> list[str]:
    """What the model is offered."""
    await engine.run(ask(chat, "hello", **choice), Screen())
    return sorted(model.journal[-1].tools)


def run(command: str, chat: int = 1, history: bytes | None = None) -> TurnRequest:
    return ask(chat, f"CALL:bash{json.dumps({'command': command})}", history=history)


@pytest.mark.promise("no-shell")
@pytest.mark.parametrize("shell", ["0", "1"])
@pytest.mark.parametrize("place", PLACES)
async def test_a_skill_that_lies_in_a_default_folder_gives_no_card_a_tool(
    runtime: Open, model: Model, here: Path, place: str, shell: str
) -> None:
    skill(here / place)
    async with runtime(COHORT_SHELL=shell) as engine:
        assert await tools(engine, model) == []


@pytest.mark.promise("no-shell")
@pytest.mark.parametrize("shell", ["0", "1"])
@pytest.mark.parametrize("named", ["card", "configuration", "card of an agent used as a tool"])
async def test_a_skill_that_an_operator_names_can_be_read_and_gives_nothing_else(  # noqa: PLR0917
    runtime: Open, model: Model, cards: Path, here: Path, configure: Configure, named: str, shell: str
) -> None:
    file = skill(here / "skills")
    generic = {"generic": {"base_url": f"{model.url}/v1", "api_key": "k"}}
    configure(generic | ({"skills": {"directories": ["skills"]}} if named == "configuration" else {}))
    skills = "" if named == "configuration" else "skills: [skills]\n"
    if named.startswith("card of"):
        card(cards, "cook.md", f"---\nname: cook\nmodel: generic.mock\ntool_only: true\n{skills}---\nYou.\n")
        skills = "agents: [cook]\n"
    card(cards, "assistant.md", f"---\nname: assistant\nmodel: generic.mock\n{skills}---\nYou.\n{{{{agentSkills}}}}\n")
    async with runtime(COHORT_SHELL=shell) as engine:
        if named.startswith("card of"):
            assert await tools(engine, model) == ["agent__cook"]
            await engine.run(ask(1, 'CALL:cook{"message": "hello"}'), Screen())
            assert ["read_skill"] in [call.tools for call in model.journal]
            return
        assert await tools(engine, model) == ["read_skill"]
        assert "how to cook" in model.journal[-1].messages[0]["text"]
        read = await engine.run(ask(1, f"CALL:read_skill{json.dumps({'path': str(file)})}"), Screen())
    assert "Boil the water" in read.text


@pytest.mark.promise("no-shell")
@pytest.mark.parametrize(
    "path",
    [
        "{here}/secret.txt",
        "{skill}/../../secret.txt",
        "{skill}/out",
        "{skill}/.env",
        "{skill}/.git/config",
        "{skill}/big",
        "/etc/passwd",
    ],
)
async def test_reading_a_skill_reads_no_file_outside_it_no_hidden_and_no_huge_one(
    runtime: Open, model: Model, cards: Path, here: Path, path: str
) -> None:
    folder = skill(here / "skills").parent
    card(here, "secret.txt", "swordfish")
    (folder / "out").symlink_to(here / "secret.txt")
    card(folder, ".env", "swordfish")
    (folder / ".git").mkdir()
    card(folder / ".git", "config", "swordfish")
    card(folder, "big", "swordfish " * 100_000)
    card(cards, "assistant.md", "---\nname: assistant\nmodel: generic.mock\nskills: [skills]\n---\nYou.\n")
    wanted = json.dumps({"path": path.format(here=here, skill=folder)})
    async with runtime() as engine:
        read = await engine.run(ask(1, f"CALL:read_skill{wanted}"), Screen())
    assert "tool=" in read.text
    assert "swordfish" not in read.text
    assert "root:" not in read.text


@pytest.mark.promise("no-shell")
async def test_a_card_has_its_shell_only_where_the_operator_lets_it(
    runtime: Open, model: Model, cards: Path, caplog: pytest.LogCaptureFixture
) -> None:
    card(cards, "assistant.md", SHELL)
    card(cards, "other.md", "---\nname: other\nmodel: generic.mock\n---\nYou.\n")
    for allowed in ("0", "1", "0"):
        caplog.clear()
        with caplog.at_level(logging.WARNING, "cohort"):
            async with runtime(COHORT_SHELL=allowed) as engine:
                offered = await tools(engine, model)
                other = await tools(engine, model, agent="other")
        said = {record.message: record.agents for record in caplog.records if record.message.startswith("shell.")}
        assert other == []
        if allowed == "1":
            assert {"bash", "read_text_file"} <= set(offered)
            assert said == {"shell.given": ["assistant"]}
        else:
            assert offered == []
            assert said == {"shell.withheld": ["assistant"]}


@pytest.fixture
def shell(runtime: Open, cards: Path) -> Callable[..., object]:
    card(cards, "assistant.md", SHELL)
    return lambda **options: runtime(COHORT_SHELL="1", **options)


def pids(file: Path) -> list[int]:
    return [int(line) for line in file.read_text().split()] if file.exists() else []


AWAY = "import subprocess as s; print(s.Popen(['sleep', '600'], start_new_session=True, stdout=-3, stderr=-3).pid)"
KINDS = {
    "in the background": {"command": "echo $$ >> {file}; exec sleep 600", "run_in_background": True},
    "out of its session": {"command": f"{shlex.quote(sys.executable)} -c {shlex.quote(AWAY)} >> {{file}}"},
    "behind a subshell": {"command": "sh -c 'nohup sleep 600 > /dev/null 2>&1 & echo $! >> {file}'"},
}


def begin(kind: str, file: Path) -> TurnRequest:
    arguments = KINDS[kind] | {"command": KINDS[kind]["command"].replace("{file}", str(file))}
    return ask(1, f"CALL:bash{json.dumps(arguments)}")


@pytest.mark.promise("shell-per-session")
@pytest.mark.parametrize("kind", KINDS)
async def test_a_chats_processes_run_on_between_its_turns_and_end_before_another_chat_comes(
    shell: Open, model: Model, tmp_path: Path, kind: str
) -> None:
    file = tmp_path / "pids"
    async with shell(COHORT_LANES="1") as engine:
        first = await engine.run(begin(kind, file), Screen())
        await until(lambda: len(pids(file)) == 1)
        (pid,) = pids(file)
        await engine.run(ask(1, "still there?", history=first.history), Screen())
        assert alive(pid)
        await engine.run(ask(2, "hello"), Screen())
        assert not alive(pid)


@pytest.mark.promise("shell-per-session")
@pytest.mark.parametrize("kind", KINDS)
async def test_what_a_chat_left_running_ends_with_the_runtime(
    shell: Open, model: Model, tmp_path: Path, kind: str
) -> None:
    file = tmp_path / "pids"
    async with shell() as engine:
        await engine.run(begin(kind, file), Screen())
        await until(lambda: len(pids(file)) == 1)
        (pid,) = pids(file)
        assert alive(pid)
    assert not alive(pid)


@pytest.mark.promise("shell-per-session")
async def test_a_chat_cannot_ask_for_another_chats_process(shell: Open, model: Model) -> None:
    begun = f"CALL:bash{json.dumps({'command': 'sleep 600', 'run_in_background': True})}"
    async with shell(COHORT_LANES="1") as engine:
        first = await engine.run(ask(1, begun), Screen())
        found = re.search(r"process[-_ ]?(?:id)?\W*([\w-]*\d+)", first.text)
        assert found is not None, first.text
        poll = f"CALL:process{json.dumps({'process_id': found[1]})}"
        own = await engine.run(ask(1, poll, history=first.history), Screen())
        other = await engine.run(ask(2, poll), Screen())
    assert "running" in own.text
    assert "running" not in other.text


async def test_two_chats_with_shells_run_at_once_and_a_third_is_not_kept_waiting(
    shell: Open, model: Model, tmp_path: Path
) -> None:
    async with shell(COHORT_LANES="2") as engine:
        async with asyncio.TaskGroup() as group:
            for chat in range(5):
                group.create_task(engine.run(run(f"echo {chat} {chat}", chat), Screen()), name=f"chat-{chat}")
        for chat in range(5):
            assert f"{chat} {chat}" in (await engine.run(run(f"echo {chat} {chat}", chat), Screen())).text
