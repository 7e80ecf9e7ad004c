"""``cohort cards check`` names the agents, the one first that answers who has chosen none."""

from pathlib import Path

from ops.commands.cards import names
from tasks.config.settings import load


def test_the_agents_are_named_and_the_one_that_answers_first(tmp_path: Path) -> None:
    for name, head in (("a", ""), ("b", "default: true\n"), ("c", "")):
        (tmp_path / f"{name}.md").write_text(f"---\nname: {name}\n{head}---\nYou.\n")
    environ = {"COHORT_CARDS": str(tmp_path)}
    assert names(load(environ)) == ["b", "a", "c"]
    assert names(load({**environ, "COHORT_AGENT": "c"})) == ["c", "a", "b"]
