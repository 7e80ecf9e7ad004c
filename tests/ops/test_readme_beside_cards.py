"""A README.md beside the cards is no card, whatever it opens with: the same agents, and the same model answers."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from ops.agent_config import card_models
from ops.commands.cards import names
from ops.model import Given, choose
from tasks.config.settings import load

READMES = {
    "plain": "# Our agents\n\nOne a file.\n",
    "a ruler": "# Our agents\n\nOne a file.\n\n---\n\nSee above.\n",
    "two rulers": "# Our agents\n\n---\n\nname: x\nmodel: opus\n\n---\n\nSee above.\n",
    "a ruler last": "# Our agents\n\nmodel: opus\n---\n",
    "empty": "",
    "frontmatter": "---\nname: x\nmodel: opus\ndefault: true\n---\n# Our agents\n",
    "frontmatter of a site": "---\ntitle: Our agents\nlayout: page\n---\nOne a file.\n",
    "frontmatter without an end": "---\nname: [\n",
}
CARDS: Mapping[str, tuple[str | None, ...]] = {"named": ("haiku", "gpt-5.4"), "one named": ("haiku", None)}


@pytest.mark.parametrize("readme", READMES.values(), ids=READMES)
@pytest.mark.parametrize("models", CARDS.values(), ids=CARDS)
def test_a_readme_changes_neither_the_agents_nor_the_model(
    tmp_path: Path, models: tuple[str | None, ...], readme: str
) -> None:
    for number, model in enumerate(models):
        head = f"name: agent{number}\n" + (f"model: {model}\n" if model else "")
        (tmp_path / f"{number}.md").write_text(f"---\n{head}---\nYou.\n")
    settings = load({"COHORT_CARDS": str(tmp_path)})

    def told() -> tuple[object, ...]:
        found = card_models(settings)
        return names(settings), found, choose(Given(None, {}, {}, found))

    before = told()
    for name in ("README.md", "readme.MD", "README.de.md", "ReadMe.markdown", "readme.yaml"):
        (tmp_path / name).write_text(readme)
    assert told() == before
    assert before[:2] == (["agent0", "agent1"], list(models))
