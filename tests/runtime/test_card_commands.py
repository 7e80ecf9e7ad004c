"""Commands that a card takes: how they are written, and what is told of those that cannot be."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tasks.chats.command_names import ASKS, CONTROL, why_not
from tasks.config.settings import Settings
from tests.runtime.support import Open, card
from workers.runtime.cards.checks import check_cards

CARD = """---
name: clerk
model: generic.mock
description: Takes commands
type: {kind}
commands: {said}
---
You roll.
"""


def written(cards: Path, said: str, kind: str = "agent") -> None:
    """``kind``: the card's type, and further fields."""
    card(cards, "clerk.md", CARD.format(said=said, kind=kind))


@pytest.mark.promise("card-commands")
@pytest.mark.parametrize("kind", ["agent", "router\nagents: [assistant]"])
@pytest.mark.parametrize(
    ("said", "taken"),
    [
        ("[roll, deal]", {"roll": "", "deal": ""}),
        ("roll", {"roll": ""}),
        ('["on", "1", roll, roll]', {"on": "", "1": "", "roll": ""}),
        ("{roll: Roll  the dice, deal: }", {"roll": "Roll the dice", "deal": ""}),
        ("", None),
        ("[]", None),
        ("{}", None),
    ],
)
async def test_workers_tell_the_commands_of_a_card(
    runtime: Open, cards: Path, said: str, taken: dict[str, str] | None, kind: str
) -> None:
    written(cards, said, kind)
    async with runtime() as engine:
        found = engine.sets.common.choices.descriptions.commands
    assert found == ({} if taken is None else {"clerk": taken})


async def test_those_of_fast_agents_console_are_left_to_it(runtime: Open, cards: Path) -> None:
    (cards / "console.py").write_text("async def beep(ctx):\n    return None\n")
    console = "{roll: Roll the dice, beep: {description: Beep, handler: 'console.py:beep'}}"
    written(cards, console)
    async with runtime() as engine:
        assert engine.sets.common.choices.descriptions.commands == {"clerk": {"roll": "Roll the dice"}}


@pytest.mark.promise("card-commands")
@pytest.mark.parametrize("name", sorted({*ASKS, *CONTROL}))
def test_no_card_takes_a_command_of_ours(name: str) -> None:
    assert why_not(name) is not None


@pytest.mark.promise("card-commands")
@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("[on]", "read as on, yes or true: put it in quotes"),
        ("{off: Lights}", "read as off, no or false: put it in quotes"),
        ("[1]", "'1' is no text: put it in quotes"),
        ("[null]", "put it in quotes"),
        ("[[roll]]", "put it in quotes"),
        ("[2026-11-28]", "put it in quotes"),
        ("7", "must be a list of names"),
        ("true", "must be a list of names"),
        ("[stop]", "/stop is a command of Cohort's own"),
        ("{help: mine}", "/help is a command of Cohort's own"),
        ("[/roll]", "'/roll' is not 1 to 32 of a-z, 0-9 and _: write roll"),
        ("[Roll-dice]", "write roll_dice"),
        ('"roll, deal"', "is not 1 to 32 of a-z"),
        ("[würfeln]", "is not 1 to 32 of a-z"),
        (f"[{'x' * 33}]", "is not 1 to 32 of a-z"),
        ('[""]', "is not 1 to 32 of a-z"),
        ("{roll: [a]}", "what the menu says of roll must be a text"),
        ("{roll: 3}", "what the menu says of roll must be a text"),
        (f"{{roll: {'x' * 257}}}", "longer than 256"),
        (f"[{', '.join(f'c{number}' for number in range(21))}]", "has 21, and a card takes at most 20"),
    ],
)
def test_what_cannot_be_a_command_is_told_with_its_line(
    settings_of: Callable[..., Settings], cards: Path, said: str, told: str
) -> None:
    written(cards, said)
    (problem,) = check_cards(settings_of())
    assert (problem.file.name, problem.line) == ("clerk.md", 6)
    assert told in problem.what
    assert problem.what.startswith("'commands': ")
