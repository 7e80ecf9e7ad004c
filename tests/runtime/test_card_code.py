"""A card is told what to mend, near the place: what it names in Python, what its author probably means, and notes."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tasks.config.settings import Settings
from tests.runtime.support import Open, card
from workers.runtime.cards.checks import check_cards, main, notes
from workers.runtime.servers.answers import taken_name

type SettingsOf = Callable[..., Settings]

_F = "def f() -> str:\n    return ''\n"
CODE = {
    "a package that is missing": (f"import no_such_package\n{_F}", 1, "install what brings no_such_package"),
    "a file beside it": (f"import beside\n{_F}", 1, "beside stands beside it"),
    "a variable": (f"import os\nKEY = os.environ['NOT_SET']\n{_F}", 2, "set this variable"),
    "a relative import": (f"from .beside import x\n{_F}", 1, "import by the whole name"),
    "an end of the program": (f"import sys\n{_F}\nsys.exit(1)\n", 5, "__main__"),
    "no Python": ("def f(:\n", 1, "correct it"),
    "another encoding": (b'def f() -> str:\n    """\xe9"""\n', None, "save it as UTF-8"),
    "no loop that is asked for wrongly": (f"{_F}raise RuntimeError('no')\n", 3, "take it out of one.md"),
    "arguments without names": ("\ndef f(*parts: str) -> str:\n    return ''\n", 2, "take it out of one.md"),
    "an annotation that means nothing": ("def f(a: 'Nothing') -> str:\n    return a\n", 1, "take it out of one.md"),
}


@pytest.mark.promise("cards-checked")
@pytest.mark.parametrize("name", CODE)
def test_a_tool_that_cannot_be_loaded_is_told_with_the_line_of_its_own_file(
    settings_of: SettingsOf, cards: Path, name: str
) -> None:
    code, line, do = CODE[name]
    module = cards / "mine.py"
    module.write_bytes(code if isinstance(code, bytes) else code.encode())
    (cards / "beside.py").write_text("x = 1\n")
    card(cards, "one.md", "---\nname: one\nfunction_tools: ['mine.py:f', 'mine.py:f']\n---\nYou.\n")
    problem, *_ = check_cards(settings_of())
    assert (problem.file, problem.line) == (module, line)
    assert do in problem.do
    assert "\n" not in str(problem)


def test_a_tool_whose_file_makes_clients_of_the_loop_is_right(settings_of: SettingsOf, cards: Path) -> None:
    (cards / "mine.py").write_text(f"import asyncio\n\nLOOP = asyncio.get_running_loop()\n{_F}")
    card(cards, "one.md", "---\nname: one\nfunction_tools: ['mine.py:f']\n---\nYou.\n")
    assert check_cards(settings_of()) == []


HEADS = {
    "a field": ("functon_tools: []", "write `function_tools`"),
    "our field": ("aprove: true", "write `approve`"),
    "a field of another type": ("sequence: [assistant]", "add `type: chain`"),
    "a type": ("type: evaluator", "write `evaluator_optimizer`"),
    "an agent": ("agents: [asistant]", "write `assistant`"),
    "an agent by its file": ("agents: [assistant.md]", "write `assistant`"),
    "a server": ("servers: [serch]", "write `search`"),
    "a server of another key": ("servers: [old]", "it stands below `mcpServers`"),
    "a tool without a file": ("function_tools: [f]", "write file.py:function"),
    "a tool's file": ("function_tools: ['no.py:f']", "write file.py:function"),
    "a model that is a number": ("model: 5", "write provider.model"),
    "a name that YAML reads as a number": ("description: 12", "need quotes"),
    "a default in quotes": ("default: 'yes'", "write true or false"),
    "tools without their servers": ("tools: [find]", "write `key: value` lines"),
    "servers without a list": ("servers: {search: {}}", "write a list of names"),
    "parameters": ("request_params: {maxTokens: many}", "correct it"),
    "a hook": ("tool_hooks: {before_llm: 'm.py:f'}", "use one of after_llm_call"),
    "a hook's function": ("tool_hooks: {before_llm_call: 'none.py:f'}", "write file.py:function"),
    "a file in the instruction": ("instruction: '{{file:none.txt}}'", "its path starts where the workers run"),
}


@pytest.mark.promise("cards-checked")
@pytest.mark.parametrize("name", HEADS)
def test_a_wrong_word_is_told_with_its_line_and_with_the_word_that_is_meant(
    settings_of: SettingsOf, cards: Path, config: Path, name: str
) -> None:
    head, do = HEADS[name]
    config.write_text("mcp:\n  servers:\n    search: {command: x}\nmcpServers:\n  old: {command: x}\n")
    path = card(cards, "one.md", f"---\nname: one\n{head}\n---\n")
    (problem,) = check_cards(settings_of())
    assert (problem.file, problem.line) == (path, 3)
    assert do in problem.do


def test_a_rating_that_there_is_not_is_told_with_those_that_there_are(settings_of: SettingsOf, cards: Path) -> None:
    head = "type: evaluator_optimizer\ngenerator: assistant\nevaluator: assistant\nmin_rating: great"
    card(cards, "one.md", f"---\n{head}\n---\n")
    (problem,) = check_cards(settings_of())
    assert (problem.line, problem.do) == (5, "use POOR, FAIR, GOOD, EXCELLENT")


def test_each_card_of_one_name_is_told_where_the_name_stands_too(settings_of: SettingsOf, cards: Path) -> None:
    for name in ("one.md", "two.md"):
        card(cards, name, "---\nname: same\n---\nYou.\n")
    told = {problem.file.name: problem.do for problem in check_cards(settings_of())}
    assert told == {
        "one.md": "also in two.md: give one of them another name",
        "two.md": "also in one.md: give one of them another name",
    }


NOTED = {
    "a key twice": ("model: passthrough\nmodel: passthrough", "model stands there 2 times"),
    "a parameter that nothing reads": ("request_params: {max_tokns: 5}", "request_params has no max_tokns"),
    "a filter of another server": ("tools: {search: [find]}", "tools has a filter for search"),
    "a tool whose name not all providers take": (
        "function_tools: ['a.py:погода']",
        f"погода is a tool, and models know it as {taken_name('погода')}",
    ),
    "two tools of one name": ("function_tools: ['a.py:f', 'b.py:f']", "function_tools names 2 functions f"),
    "a second default": ("default: true", "assistant answers who has chosen no agent"),
    "a tool of `approve` that there is not": (
        "function_tools: ['a.py:f']\napprove: [f, buy]",
        "approve names buy, which is no tool of its",
    ),
    "a folder of skills that there is not": ("skills: [no-such-folder]", "there is no such folder"),
    "an instruction of a book's length": (f"instruction: '{'word ' * 20_001}'", "instruction has 100,005 characters"),
    "a word in braces that is not filled in": ("instruction: 'It is {{curentDate}}.'", "{{currentDate}} is filled in"),
}


@pytest.mark.parametrize("name", NOTED)
def test_a_card_that_is_accepted_and_means_something_else_is_noted(
    settings_of: SettingsOf, cards: Path, name: str
) -> None:
    head, said = NOTED[name]
    for module in ("a.py", "b.py"):
        (cards / module).write_text(_F + "\n\ndef погода() -> str:\n    return ''\n")
    card(cards, "one.md", f"---\nname: one\n{head}\n---\n{'' if 'instruction' in head else 'You.'}\n")
    assert check_cards(settings_of()) == []
    (note,) = notes(settings_of())
    assert said in note
    assert "one.md" in note


@pytest.mark.parametrize(("name", "noted"), [("o\u200bne", 1), ("o\\nne", 1), ("👩\u200d🍳", 0), ("повар", 0)])
def test_a_name_with_marks_that_cannot_be_seen_is_noted(
    settings_of: SettingsOf, cards: Path, name: str, noted: int
) -> None:
    card(cards, "one.md", f'---\nname: "{name}"\n---\nYou.\n')
    assert check_cards(settings_of()) == []
    assert ["that cannot be seen" in note for note in notes(settings_of())] == [True] * noted


def test_a_pattern_of_approve_may_mean_tools_that_stand_elsewhere(settings_of: SettingsOf, cards: Path) -> None:
    card(cards, "one.md", "---\nname: one\nhuman_input: true\napprove: ['buy*']\n---\nYou.\n")
    card(cards, "two.md", "---\nname: two\napprove: '*'\n---\nYou.\n")
    assert notes(settings_of()) == []


def test_a_skill_that_cannot_be_read_is_noted(settings_of: SettingsOf, cards: Path, tmp_path: Path) -> None:
    for name, text in (("good", "---\nname: good\ndescription: x\n---\nDo.\n"), ("bad", "No head.\n")):
        (tmp_path / "skills" / name).mkdir(parents=True)
        (tmp_path / "skills" / name / "SKILL.md").write_text(text)
    (tmp_path / "empty").mkdir()
    card(cards, "one.md", f"---\nname: one\nskills: ['{tmp_path}/skills', '{tmp_path}/empty']\n---\nYou.\n")
    left_out, empty = notes(settings_of())
    assert f"{tmp_path}/skills/bad/SKILL.md is left out" in left_out
    assert f"{tmp_path}/empty, and no folder in it has a SKILL.md" in empty


def test_a_server_that_cannot_start_and_a_variable_that_is_not_set_are_noted_of_servers_in_use(
    settings_of: SettingsOf, cards: Path, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SET", "x")
    headers = "headers: {a: ['${SET} ${DEFAULT:x} ${NOT_SET}']}"
    config.write_text(f"mcp:\n  servers:\n    one: {{{headers}}}\n    other: {{args: ['${{NOT_SET}}']}}\n")
    card(cards, "one.md", "---\nname: one\nservers: [one]\n---\nYou.\n")
    assert [note.partition("server one ")[2].partition(" as it")[0] for note in notes(settings_of())] == [
        "has no command and no url, so it cannot be started",
        "gets ${NOT_SET}",
    ]


def test_a_section_of_the_configuration_that_a_later_one_replaces_is_noted(
    settings_of: SettingsOf, config: Path
) -> None:
    config.write_text("mcp:\n  servers:\n    one: {command: x}\nmcp:\n  servers: {}\n")
    (note,) = notes(settings_of())
    assert note == f"{config}: mcp stands there 2 times: the last one holds"


def test_a_misspelt_section_of_the_configuration_is_noted(settings_of: SettingsOf, config: Path) -> None:
    config.write_text("mpc:\n  servers: {}\nx-anchors: {}\n")
    assert notes(settings_of()) == [f"{config}: nothing reads mpc; mcp is read"]


def test_a_configuration_in_another_encoding_is_a_problem_with_words(
    cards: Path, config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    config.write_bytes(b'mcp: {servers: {one: {command: "\xe9"}}}\n')
    monkeypatch.setenv("COHORT_CARDS", str(cards))
    monkeypatch.setenv("COHORT_CONFIG", str(config))
    assert main() == 1
    assert "is not UTF-8 text; save it as UTF-8" in capsys.readouterr().err


def test_what_looks_like_a_card_and_is_not_read_is_noted(settings_of: SettingsOf, cards: Path) -> None:
    text = "---\nname: other\n---\nYou.\n"
    (cards / "team").mkdir()
    card(cards / "team", "inner.md", text)
    card(cards, "later.md", f"# An agent\n\n{text}")
    (cards / "empty.md").touch()
    card(cards, "plain.md", "You are a pirate.\n")
    card(cards, "story.md", "Once upon a time.\n")
    (cards / "mine.py").write_text("STORY = 'story.md'\n")
    card(cards, "README.md", "# Agents\n\nOne a file.\n\n---\n\nSee above.\n")
    (cards / "plain.txt").write_text(text)
    (cards / "away.md").symlink_to("nowhere.md")
    (cards / ".#one.md").symlink_to("an.editor's.lock")
    assert check_cards(settings_of()) == []
    assert [note.partition(": ")[0] for note in notes(settings_of())] == [
        str(cards / name) for name in ("empty.md", "later.md", "plain.md", "away.md", "plain.txt", "team")
    ]


def test_what_a_tools_file_prints_is_no_part_of_the_checks_answer(
    cards: Path, config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (cards / "mine.py").write_text(f"print('hello')\n{_F}")
    card(cards, "one.md", "---\nname: one\nfunction_tools: ['mine.py:f']\n---\nYou.\n")
    monkeypatch.setenv("COHORT_CARDS", str(cards))
    monkeypatch.setenv("COHORT_CONFIG", str(config))
    assert main() == 0
    assert capsys.readouterr() == ("", "")


async def test_why_no_agent_can_be_made_is_told_with_its_reason(runtime: Open, cards: Path) -> None:
    card(cards, "one.md", "---\nname: one\nmodel: generic.mock\n---\n{{internal:none}}\n")
    with pytest.raises(Exception, match=r"template placeholder: Placeholder: \{\{internal:none\}\}"):
        async with runtime(COHORT_LANES="1"):
            pass
