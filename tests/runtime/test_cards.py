"""Cards are checked before they are let in: where, what, what to do; a reload is all or nothing."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from fast_agent.core.instruction import InstructionBuilder

from tasks.config.settings import Settings, load
from tasks.errors import Misconfigured
from tests.harness.command import forked
from tests.runtime.support import ASSISTANT, Configure, Open, Screen, ask, card
from tests.support.model import Model
from workers.runtime.cards.checks import check_cards, notes

type SettingsOf = Callable[..., Settings]

BAD = {
    "no end": ("\n\n---\nname: x\nYou are an assistant.\n", 3, "its frontmatter has no end"),
    "bad TOML": ("+++\nname = x\n+++\nYou.\n", 2, "not TOML"),
    "bad YAML": ("---\nname: x\nmodel: [\n---\nYou.\n", 3, "not YAML"),
    "a list": ("---\n- name\n---\nYou.\n", 2, "not a mapping"),
    "empty instruction": ("---\nname: x\ninstruction: ' '\n---\n\n", 3, "'instruction' must not be empty"),
    "missing child": ("---\nname: x\nagents: [ghost]\n---\nYou.\n", 3, "missing agents: ghost"),
    "missing member": ("---\ntype: chain\nname: x\nsequence: [assistant, ghost]\n---\n", 4, "missing agents: ghost"),
    "unknown server": ("---\nname: x\nservers:\n  - nope\n---\nYou.\n", 4, "missing servers: nope"),
    "unknown model": ("---\nname: x\nmodel: nobody-knows-it\n---\nYou.\n", 3, "unknown model 'nobody-knows-it'"),
    "unknown field": ("---\nname: x\nmodle: y\n---\nYou.\n", 3, "unsupported fields for type 'agent': modle"),
    "unknown type": ("---\nname: x\ntype: wizard\n---\nYou.\n", 3, "unsupported agent type 'wizard'"),
    "same name": ("---\nname: assistant\n---\nYou.\n", 2, "duplicate agent name 'assistant'"),
    "missing tool file": ("---\nname: x\nfunction_tools: ['no.py:f']\n---\nYou.\n", 3, "file not found"),
    "two instructions": ("---\nname: x\ninstruction: one\n---\nTwo.\n", 3, "both body and 'instruction'"),
}


@pytest.mark.promise("cards-checked")
@pytest.mark.parametrize("name", BAD)
def test_a_bad_card_is_told_with_file_line_and_what_to_do(settings_of: SettingsOf, cards: Path, name: str) -> None:
    text, line, what = BAD[name]
    path = card(cards, "bad.md", text)
    found = [problem for problem in check_cards(settings_of()) if problem.file == path]
    assert found, "it is noticed"
    problem = next(problem for problem in found if what in problem.what)
    assert problem.line == line
    assert problem.do
    assert "\n" not in str(problem)


def test_an_agent_of_the_settings_that_no_card_describes_stops_the_start(settings_of: SettingsOf) -> None:
    assert check_cards(settings_of(COHORT_AGENT="assistant")) == []
    [problem] = check_cards(settings_of(COHORT_AGENT="ghost"))
    assert str(problem).endswith("no card describes the agent ghost; correct COHORT_AGENT")


def test_good_cards_have_no_problems_and_documents_beside_them_are_no_cards(
    settings_of: SettingsOf, cards: Path
) -> None:
    card(cards, "README.md", "# Our agents\n")
    card(cards, "notes.txt", "anything")
    card(cards, "tools.py", 'def f() -> str:\n    """F."""\n    return ""\n')
    card(cards, "more.yaml", "name: more\nmodel: haiku\ninstruction: You.\nfunction_tools: ['tools.py:f']\n")
    assert check_cards(settings_of()) == []


@pytest.mark.parametrize("encoding", ["cp1251", "utf-16", "utf-16-be"])
def test_a_card_that_is_not_utf8_is_told_and_never_taken_for_a_document(
    settings_of: SettingsOf, cards: Path, encoding: str
) -> None:
    path = cards / "other.md"
    mark = "\ufeff" if encoding == "utf-16-be" else ""
    path.write_bytes(f"{mark}---\nname: другой\nmodel: passthrough\n---\nПривет.\n".encode(encoding))
    (cards / "README.md").write_bytes("# Über uns\n".encode("latin-1"))
    (problem,) = check_cards(settings_of())
    assert (problem.file, problem.what, problem.do) == (path, "is not UTF-8 text", "save it as UTF-8")


def test_workers_need_no_configuration_unless_one_is_named(
    cards: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path / "agent-cards")
    given = {"COHORT_CARDS": str(cards)}
    assert check_cards(load(given)) == []
    with pytest.raises(Misconfigured, match=r"COHORT_CONFIG: none\.yaml: there is no such file"):
        load({**given, "COHORT_CONFIG": "none.yaml"})


@pytest.mark.parametrize(
    ("content", "line", "what"),
    [
        ("generic: [\n", 2, "not YAML"),
        ("- a\n", 1, "not a mapping"),
        ("mcp:\n  servers:\n    x: {command: [1]}\n", None, "mcp.servers.x"),
        ("llm_retries: many\n", 1, "llm_retries"),
        ("mcp:\n  servers:\n    x: {command: x}\n    y:\n      isolation: chats\n", 5, "y has isolation: chats"),
        ("mcp:\n  servers:\n    x:\n      command: x\n      in_doubt: maybe\n", 5, "server x: in_doubt is one of run"),
        (
            "mcp:\n  servers:\n    x:\n      in_doubt: { pay: run, '*': no }\n      command: x\n",
            4,
            "server x: in_doubt is",
        ),
        ("mcp:\n  servers:\n    x:\n      command: x\n      in_doubt: []\n", 5, "server x: in_doubt is one of run"),
        ("mcp:\n  servers:\n    x:\n      command: x\n      files: never\n", 5, "server x: files is one of send, keep"),
        ("mcp:\n  servers:\n    x:\n      command: x\n      replay: always\n", 5, "server x: replay can only be"),
    ],
)
def test_a_bad_configuration_is_told_with_its_file(
    settings_of: SettingsOf, config: Path, content: str, line: int | None, what: str
) -> None:
    config.write_text(content)
    (problem,) = check_cards(settings_of())
    assert problem.file == config
    assert what in problem.what
    assert line is None or problem.line == line


@pytest.mark.parametrize(("child", "noted"), [("эксперт", True), ("a" * 58, True), ("expert-2_b", False)])
def test_a_child_whose_name_no_provider_takes_for_a_tool_is_noted(
    settings_of: SettingsOf, cards: Path, child: str, *, noted: bool
) -> None:
    card(cards, "child.md", f"---\nname: {child}\n---\nYou.\n")
    path = card(cards, "boss.md", f"---\nname: boss\nagents: [{child}]\n---\nYou.\n")
    card(cards, "chain.md", f"---\nname: chained\ntype: chain\nsequence: [{child}]\n---\nYou.\n")
    assert check_cards(settings_of()) == []
    assert [note.startswith(f"{path}: {child} is used as a tool") for note in notes(settings_of())] == [True] * noted


@pytest.mark.promise("servers-per-session")
@pytest.mark.parametrize("kind", ["", "type: smart\n"])
async def test_an_agent_used_as_a_tool_with_a_chats_own_server_is_refused_before_it_could_lose_it(
    runtime: Open, settings_of: SettingsOf, cards: Path, configure: Configure, kind: str
) -> None:
    configure({"mcp": {"servers": {"memory": {"command": "x", "isolation": "chat"}}}})
    card(cards, "keeper.md", "---\nname: keeper\nservers: [memory]\n---\nYou.\n")
    assert check_cards(settings_of()) == []
    path = card(cards, "boss.md", f"---\n{kind}name: boss\nagents: [keeper]\n---\nYou.\n")
    (problem,) = check_cards(settings_of())
    assert (problem.file, problem.line) == (path, 4 if kind else 3)
    assert "uses keeper as a tool, and keeper has a chat's or a person's own server (memory)" in problem.what
    with pytest.raises(Misconfigured, match="uses keeper as a tool"):
        async with runtime():
            pass
    card(cards, "boss.md", "---\ntype: chain\nname: boss\nsequence: [keeper]\n---\n")
    assert check_cards(settings_of()) == [], "a member is no copy"


def test_the_command_prints_each_problem_and_ends_with_status_1(cards: Path, config: Path) -> None:
    card(cards, "bad.md", BAD["missing child"][0])
    environ = {"COHORT_CARDS": str(cards), "COHORT_CONFIG": str(config), "PATH": ""}
    ran = forked(("-m", "workers.runtime.cards.checks"), environ)
    assert ran.returncode == 1
    assert ran.stderr.splitlines() == [
        f"{cards}/bad.md:3: references missing agents: ghost; correct the name, or add a card with it"
    ]


async def test_a_reload_lets_new_changed_and_removed_cards_in(runtime: Open, model: Model, cards: Path) -> None:
    card(cards, "old.md", "---\nname: old\nmodel: generic.mock\n---\nOld.\n")
    async with runtime(COHORT_LANES="1") as engine:
        first = await engine.run(ask(1, "one"), Screen())
        (cards / "old.md").unlink()
        card(cards, "new.md", "---\nname: new\ndescription: >\n  Is\n  new\nmodel: generic.mock\n---\nNew.\n")
        card(cards, "assistant.md", ASSISTANT.replace("You are an assistant.", "You are changed."))
        assert await engine.reload() == ("assistant", "new")
        await engine.run(ask(1, "two", history=first.history), Screen())
        await engine.run(ask(2, "hi", agent="new"), Screen())
        assert engine.agents == ("assistant", "new")
        assert engine.sets.descriptions_of(0).usual == {"new": "Is new"}
    systems = [call.messages[0]["text"] for call in model.journal]
    assert systems == ["You are an assistant.", "You are changed.", "New."]


async def test_cards_that_are_links_are_read_and_changed_as_kubernetes_mounts_a_config_map(
    runtime: Open, model: Model, cards: Path
) -> None:
    def mounted(version: str) -> None:
        (cards / version).mkdir()
        card(cards / version, "linked.md", f"---\nname: linked\nmodel: generic.mock\n---\nYou are {version}.\n")
        (cards / "..next").symlink_to(version)
        (cards / "..next").replace(cards / "..data")

    mounted("..2024")
    (cards / "linked.md").symlink_to(Path("..data") / "linked.md")
    async with runtime(COHORT_LANES="1") as engine:
        await engine.run(ask(1, "one", agent="linked"), Screen())
        mounted("..2025")
        assert await engine.reload() == ("assistant", "linked")
        await engine.run(ask(2, "two", agent="linked"), Screen())
    assert [call.messages[0]["text"] for call in model.journal] == ["You are ..2024.", "You are ..2025."]


async def test_a_reload_ends_no_running_turn(runtime: Open, model: Model, cards: Path) -> None:
    async with runtime(COHORT_LANES="2") as engine, asyncio.TaskGroup() as group:
        running = group.create_task(engine.run(ask(1, "HOLD:gate"), Screen()), name="running")
        await model.held("gate")
        card(cards, "assistant.md", ASSISTANT.replace("You are an assistant.", "You are changed."))
        await engine.reload()
        await engine.run(ask(2, "hi"), Screen())
        model.release("gate")
        assert (await running).text == "echo: HOLD:gate [n=1]"
    assert [call.messages[0]["text"] for call in model.journal] == ["You are an assistant.", "You are changed."]


@pytest.mark.promise("cards-checked")
@pytest.mark.parametrize("name", ["bad YAML", "missing child", "empty instruction", "unknown server"])
async def test_a_bad_reload_changes_nothing(runtime: Open, model: Model, cards: Path, name: str) -> None:
    async with runtime(COHORT_LANES="1") as engine:
        card(cards, "assistant.md", ASSISTANT.replace("You are an assistant.", "You are changed."))
        card(cards, "bad.md", BAD[name][0])
        with pytest.raises(Misconfigured, match=r"bad\.md"):
            await engine.reload()
        assert engine.agents == ("assistant",)
        await engine.run(ask(1, "hi"), Screen())
    assert model.journal[0].messages[0]["text"] == "You are an assistant."


async def test_a_reload_whose_agents_cannot_be_made_changes_nothing(runtime: Open, model: Model, cards: Path) -> None:
    card(cards, "tools.py", 'def f() -> str:\n    """F."""\n    return ""\n')
    async with runtime(COHORT_LANES="2") as engine:
        card(cards, "tools.py", 'import no_such_module\n\ndef f() -> str:\n    """F."""\n    return ""\n')
        card(cards, "assistant.md", ASSISTANT.replace("---\nYou", "function_tools: ['tools.py:f']\n---\nYou"))
        with pytest.raises(Misconfigured):
            await engine.reload()
        async with asyncio.TaskGroup() as group:
            turns = [group.create_task(engine.run(ask(n, "HOLD:gate"), Screen()), name=f"t{n}") for n in range(2)]
            await model.held("gate", 2)
            model.release("gate")
        assert engine.lanes.made == 2, "a further lane is made of the old cards"
    assert [turn.result().text for turn in turns] == ["echo: HOLD:gate [n=1]"] * 2


async def test_the_date_in_an_instruction_follows_the_day(
    runtime: Open, model: Model, cards: Path, clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    card(cards, "assistant.md", ASSISTANT.replace("You are an assistant.", "Today is {{currentDate}}."))
    async with runtime(COHORT_LANES="1") as engine:
        for day in ("the first", "the second"):
            monkeypatch.setitem(InstructionBuilder._BUILTINS, "currentDate", lambda day=day: day)
            clock.seconds += 86_400
            await engine.run(ask(1, "hi"), Screen())
    assert [call.messages[0]["text"] for call in model.journal] == ["Today is the first.", "Today is the second."]


async def test_no_cards_and_broken_cards_stop_the_start_with_one_line(runtime: Open, cards: Path) -> None:
    card(cards, "assistant.md", BAD["bad YAML"][0])
    with pytest.raises(Misconfigured) as problem:
        async with runtime():
            pass
    assert "\n" not in str(problem.value)
    (cards / "assistant.md").unlink()
    with pytest.raises(Misconfigured, match="no agent cards"):
        async with runtime():
            pass


async def test_skills_hooks_and_cards_in_yaml_work(runtime: Open, model: Model, cards: Path) -> None:
    skill = cards / "skills" / "greeting"
    skill.mkdir(parents=True)
    (skill / "SKILL.md").write_text("---\nname: greeting\ndescription: How to greet people\n---\nSay hello.\n")
    card(
        cards,
        "hooks.py",
        "from pathlib import Path\n\nasync def before(ctx):\n    Path(__file__).with_name('called').touch()\n",
    )
    (cards / "assistant.md").unlink()
    card(
        cards,
        "assistant.yaml",
        f"name: assistant\nmodel: generic.mock\ninstruction: 'You. {{{{agentSkills}}}}'\n"
        f"skills: ['{cards}/skills']\ntool_hooks:\n  before_llm_call: hooks.py:before\n",
    )
    async with runtime() as engine:
        result = await engine.run(ask(1, "hi"), Screen())
    assert result.text == "echo: hi [n=1]"
    assert "How to greet people" in model.journal[0].messages[0]["text"]
    assert (cards / "called").exists()
