"""What cards ask for beyond talking is named, whether they get it or not."""

import sys
from pathlib import Path

import pytest

from ops.commands.doctor import command as doctor
from ops.commands.doctor.runtime_check import RuntimeCheck
from ops.powers import powers
from tasks.config.settings import load
from tests.harness.command import python_with
from tests.ops.test_status import here

ROOT = Path(__file__).parents[2]
CARDS = {
    "a.md": "name: a\nshell: true",
    "b.md": "name: b\nshell: false\nharness_tools: false",
    "c.md": "name: c\nharness_tools: true",
    "d.md": "name: d\ntype: smart",
    "e.md": "name: e\ntype: smart\nharness_tools: false",
}


def environ(directory: Path, **more: str) -> dict[str, str]:
    cards = directory / "cards"
    cards.mkdir(exist_ok=True)
    for name, head in CARDS.items():
        (cards / name).write_text(f"---\n{head}\n---\nYou.\n")
    return {"COHORT_CARDS": str(cards), "COHORT_CONFIG": str(ROOT / "fastagent.config.yaml"), **more}


@pytest.mark.promise("no-shell")
@pytest.mark.parametrize("allowed", ["0", "1"])
def test_each_card_that_asks_for_a_shell_or_to_change_the_runtime_is_named_with_what_it_gets(
    tmp_path: Path, allowed: str
) -> None:
    found = powers(load(environ(tmp_path, COHORT_SHELL=allowed, COHORT_RUNTIME_TOOLS=allowed)))
    assert [power.about for power in found] == ["card a.md", "card c.md", "card d.md"]
    assert {power.given for power in found} == {allowed == "1"}
    words = "run programs on the worker" if allowed == "1" else "does not get it, as COHORT_SHELL is not 1"
    assert words in found[0].seen


@pytest.mark.parametrize("place", [".fast-agent/skills", ".agents/skills", ".claude/skills"])
def test_skills_that_no_setting_names_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / place / "cooking").mkdir(parents=True)
    (tmp_path / place / "cooking" / "SKILL.md").write_text("---\nname: cooking\n---\n")
    found = powers(load(environ(tmp_path)))[-1]
    assert (found.about, found.given) == (f"skills in {place}", False)


async def test_doctor_says_so_of_cards_that_are_right(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", python_with(tmp_path, ""))
    given = environ(tmp_path)
    context = here(load(given), **given, PYTHONPATH=str(ROOT))
    found = await doctor.agent_cards(context, RuntimeCheck(context))
    severities = [(finding.about, finding.severity) for finding in found]
    assert severities == [("cards", "ok"), *((f"card {name}.md", "warning") for name in "acd")]
