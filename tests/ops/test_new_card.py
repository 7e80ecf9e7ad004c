"""``cohort cards new``: what it writes is right, and nothing that stands is written over."""

from pathlib import Path

import pytest

from ops.commands import new_card
from tasks.config.settings import load
from tasks.errors import Misconfigured
from tasks.operator_files import agent_files
from tests.harness.command import cohort


def written(folder: Path, name: str = "pirate", *, python_tool: bool = False, mcp: bool = False) -> list[str]:
    made = new_card.write(load({"COHORT_CARDS": str(folder)}), name, python_tool=python_tool, mcp=mcp)
    return [path.name for path in made]


def test_a_card_begins_alone_or_with_a_tool_or_a_server_and_other_users_of_the_machine_may_read_it(
    tmp_path: Path,
) -> None:
    assert written(tmp_path / "new", "pirate") == ["pirate.md"]
    assert written(tmp_path / "new", "tool-user", python_tool=True) == ["tool_user_tools.py", "tool-user.md"]
    assert written(tmp_path / "new", "Both", python_tool=True, mcp=True)[-1] == "Both.md"
    read = {path.name: agent_files.read_card(path) for path in agent_files.card_files(tmp_path / "new")}
    assert {name: card.name for name, card in read.items()} == {
        "pirate.md": "pirate",
        "tool-user.md": "tool-user",
        "Both.md": "Both",
    }
    assert read["tool-user.md"].head["function_tools"] == ["tool_user_tools.py:roll"]
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "new").iterdir()} == {0o644}


@pytest.mark.parametrize("name", ["", "../up", "a b", "-x", "7", "a" * 33, "README", "skill", "ü", "a/b", "a\n"])
def test_what_is_no_name_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="cannot name a card"):
        written(tmp_path, name)
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_written_over_and_nothing_else_is_written_then(tmp_path: Path) -> None:
    (tmp_path / "pirate_tools.py").write_text("mine")
    with pytest.raises(Misconfigured, match=r"pirate_tools\.py: stands there already"):
        written(tmp_path, python_tool=True)
    assert [path.name for path in tmp_path.iterdir()] == ["pirate_tools.py"]
    (tmp_path / "broken.md").symlink_to("nowhere")
    with pytest.raises(Misconfigured, match=r"broken\.md: stands there already"):
        written(tmp_path, "broken")
    (tmp_path / "broken.md").unlink()
    (tmp_path / "other.md").write_text("---\nname: Pirate\n---\nYou.\n")
    with pytest.raises(Misconfigured, match="a card has this name already"):
        written(tmp_path)


def test_the_command_says_what_it_has_written_and_what_comes_next(tmp_path: Path) -> None:
    done = cohort("cards", "new", "pirate", home=tmp_path / "home", cwd=tmp_path, COHORT_CARDS="cards")
    assert done.returncode == 0
    assert done.stdout.splitlines()[0] == "cards/pirate.md"
    assert "/agent pirate" in done.stdout
    again = cohort("cards", "new", "pirate", home=tmp_path / "home", cwd=tmp_path, COHORT_CARDS="cards")
    assert (again.returncode, again.stdout) == (2, "")
    assert len(again.stderr.splitlines()) == 1
