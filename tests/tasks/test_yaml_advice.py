"""What is wrong with YAML is told by the line that has to be changed, and by what to do there."""

from pathlib import Path
from typing import Any

import pytest

from tasks.operator_files.agent_files import BadFile, read_card, read_mapping

WRONG = {
    "a tab": ("name: x\n\tmodel: y", 3, "indent with spaces"),
    "an at sign": ("name: x\ndescription: @hello", 3, "begins with @"),
    "a colon": ("name: x\ndescription: Note: odd", 3, "holds `: `"),
    "a quote that is left open": ("name: 'x\nmodel: y\nservers: []", 2, "close the quote"),
    "a bracket that is left open": ("name: x\nservers: [a\nmodel: y", 3, "close what begins here with ]"),
    "a star": ("name: x\ntools: *", 3, "in quotes"),
    "a template": ("name: x\ndescription: {{currentDate}}", 3, "begins with { in quotes"),
    "a mark": ("name: x\ndescription: !important", 3, "begins with ! in quotes"),
    "a word alone": ("name: x\nservers\nmodel: y", 4, "write `key: value`"),
    "an apostrophe in quotes": ("name: x\ndescription: 'it's me'", 3, "close quotes"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_no_yaml_is_told_by_the_line_and_by_what_to_do_there(tmp_path: Path, name: str) -> None:
    head, line, do = WRONG[name]
    path = tmp_path / "one.md"
    path.write_text(f"---\n{head}\n---\nYou.\n")
    with pytest.raises(BadFile) as problem:
        read_card(path)
    assert (problem.value.line, problem.value.what) == (line, "not YAML")
    assert do in problem.value.do


def test_two_cards_in_one_file_are_told_as_such(tmp_path: Path) -> None:
    path = tmp_path / "two.yaml"
    path.write_text("name: one\n---\nname: two\n")
    with pytest.raises(BadFile, match=r"two\.yaml:2: not YAML; take this line out, and what is below it"):
        read_card(path)


def test_what_is_read_of_a_file_is_its_readers_own(tmp_path: Path) -> None:
    path, other = tmp_path / "one.yaml", tmp_path / "other.yaml"
    for file in (path, other):
        file.write_text("servers: [{name: one}]\n")
    read: dict[str, Any] = dict(read_mapping(path))
    read["servers"][0]["name"] = "two"
    assert read_mapping(path) == read_mapping(other) == {"servers": [{"name": "one"}]}
