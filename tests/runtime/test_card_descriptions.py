"""What a card says of its agent, by language."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tasks.config.settings import Settings
from tasks.phrases import LANGUAGES, speaking
from tests.runtime.support import Open, card
from workers.runtime.cards.checks import check_cards

CLERK = """---
name: clerk
model: generic.mock
type: {kind}
{more}
description: Keeps the books
descriptions:
  de: Führt  die Bücher
  pt-BR: Cuida dos livros
  ru: {long}
---
You are a clerk.
"""


@pytest.mark.parametrize(("kind", "more"), [("agent", ""), ("router", "agents: [assistant]")])
async def test_a_card_says_it_in_each_language_and_its_description_in_all_others(
    runtime: Open, cards: Path, kind: str, more: str
) -> None:
    card(cards, "clerk.md", CLERK.format(kind=kind, more=more, long="слово " * 60))
    async with runtime() as engine:
        found = engine.sets.common.choices.descriptions
        assert found == engine.sets.descriptions_of(0)
    said = dict.fromkeys(LANGUAGES, "Keeps the books")
    said |= {"de": "Führt die Bücher", "pt": "Cuida dos livros", "ru": f"{'слово ' * 19}слово…"}
    for language, line in said.items():
        with speaking(language):
            assert found.spoken()["clerk"] == line
    assert found.usual["clerk"] == "Keeps the books"


@pytest.mark.parametrize(
    "given",
    ["Kocht gern", "[de, ru]", "{de: [a]}", "{de: {a: b}}", "{klingon: nuqneH}", "{de: 3}", "{1: a}", "{xx-DE: a}"],
)
def test_what_is_no_text_in_a_language_of_the_bot_is_refused(
    settings_of: Callable[..., Settings], cards: Path, given: str
) -> None:
    card(cards, "clerk.md", f"---\nname: clerk\nmodel: generic.mock\ndescriptions: {given}\n---\nYou are a clerk.\n")
    (problem,) = check_cards(settings_of())
    assert (problem.file.name, problem.line) == ("clerk.md", 4)
    assert "'descriptions': must be" in problem.what


def test_an_empty_one_is_none(settings_of: Callable[..., Settings], cards: Path) -> None:
    card(cards, "clerk.md", '---\nname: clerk\nmodel: generic.mock\ndescriptions: {de: " "}\n---\nYou are a clerk.\n')
    assert check_cards(settings_of()) == []
