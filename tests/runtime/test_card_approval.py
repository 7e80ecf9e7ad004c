"""What a card says in ``approve`` holds for all of its agent's tools."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest

from tasks.config.settings import Settings
from tests.runtime.steps import COUNTER, MemorySteps, executions
from tests.runtime.support import Open, Screen, ask, card
from tests.support.model import Model
from workers.interfaces import TurnRequest
from workers.runtime.cards.checks import check_cards
from workers.runtime.engine import Engine
from workers.steps import PersonsAnswer, Question, TurnParked

type Write = Callable[..., None]

ASKS = '''
async def ask_user(question: str) -> str:
    """Ask."""
    from cohort import ask_user

    return await ask_user(question)
'''
COUNT, PLAIN = 'CALL:count{"name": "x"}', 'CALL:plain{"name": "x"}'
ECHO = f"CALL:bash{json.dumps({'command': 'echo ran'})}"


@pytest.fixture
def write(cards: Path) -> Write:
    """Write a card with this head, and the tools ``count`` and ``plain``."""
    card(cards, "counter.py", COUNTER)
    card(cards, "asks.py", ASKS)

    def of(head: str, name: str = "assistant", count: str = "counter.py:count") -> None:
        tools = f"function_tools: [{count}, counter.py:plain, asks.py:ask_user]"
        card(cards, f"{name}.md", f"---\nname: {name}\nmodel: generic.mock\n{tools}\n{head}\n---\nUse tools.\n")

    return of


async def questions(engine: Engine, request: TurnRequest) -> tuple[Question, ...]:
    """What the turn asks; nothing when it runs to its end."""
    try:
        await engine.run(replace(request, steps=MemorySteps(), asks=True), Screen())
    except TurnParked as parked:
        return parked.questions
    return ()


@pytest.mark.promise("approved-once")
@pytest.mark.parametrize(
    ("head", "call", "asks"),
    [
        ('approve: "*"', COUNT, True),
        ("approve: true", PLAIN, True),
        ("approve: [pay, cou*]", COUNT, True),
        ("approve: [pay, cou*]", PLAIN, False),
        ("approve: execute\nshell: true", ECHO, True),
        ('approve: "*"\nshell: true', ECHO, True),
        ("approve: false\nshell: true", ECHO, False),
        ("type: Agent\napprove: count", COUNT, True),
    ],
)
async def test_a_card_has_its_tools_asked_about(
    runtime: Open, model: Model, write: Write, head: str, call: str, *, asks: bool
) -> None:
    write(head)
    async with runtime(COHORT_SHELL="1") as engine:
        assert bool(await questions(engine, ask(1, call))) == asks


async def test_an_entry_of_a_card_holds_in_place_of_what_the_card_says(
    runtime: Open, model: Model, write: Write
) -> None:
    write('approve: "*"', count="{entrypoint: counter.py:count, approve: false}")
    async with runtime() as engine:
        assert await questions(engine, ask(1, COUNT)) == ()
        assert len(await questions(engine, ask(1, PLAIN))) == 1


async def test_a_tool_that_only_asks_is_not_asked_about(runtime: Open, model: Model, write: Write) -> None:
    write('approve: "*"')
    async with runtime() as engine:
        (question,) = await questions(engine, ask(1, 'CALL:ask_user{"question": "Which day?"}'))
        assert question.text == "Which day?"


BOTH: list[tuple[dict[str, object], str, str, bool]] = [
    ({}, '"who*"', "whoami", True),
    ({}, '"*"', "whoami", True),
    ({"approve": False}, '"*"', "wipe", True),
    ({"approve": True}, "false", "whoami", True),
    ({}, "false", "wipe", False),
    ({}, "[other]", "wipe", True),
]
"""What the server's settings say, what the card says, a tool, and whether it is asked about."""


@pytest.mark.parametrize("given", BOTH)
async def test_of_a_card_and_a_server_the_one_that_has_a_call_asked_about_wins(
    runtime: Open, serve: Callable[..., None], cards: Path, given: tuple[dict[str, object], str, str, bool]
) -> None:
    server_says, card_says, tool, asks = given
    serve("small", **server_says)
    path = cards / "assistant.md"
    path.write_text(path.read_text().replace("name: assistant\n", f"name: assistant\napprove: {card_says}\n", 1))
    async with runtime() as engine:
        assert bool(await questions(engine, ask(1, f"CALL:{tool}"))) == asks


@pytest.mark.promise("approved-once")
@pytest.mark.parametrize("head", ["agents: [clerk]", "agents: [clerk]\napprove: false"])
async def test_an_agent_that_is_used_as_a_tool_goes_by_its_own_card(
    runtime: Open, model: Model, write: Write, cards: Path, head: str
) -> None:
    card(cards, "assistant.md", f"---\nname: assistant\ndefault: true\nmodel: generic.mock\n{head}\n---\nUse tools.\n")
    write('approve: "*"', "clerk")
    async with runtime() as engine:
        (question,) = await questions(engine, ask(1, f"CALL:agent__clerk{json.dumps({'message': COUNT})}"))
        assert question.tool == "count"


@pytest.mark.promise("approved-once")
async def test_what_a_subagent_calls_is_asked_about_as_its_agents_calls_are(
    runtime: Open, model: Model, write: Write
) -> None:
    write("subagents: true\napprove: [count]")
    async with runtime() as engine:
        (question,) = await questions(engine, ask(1, f"CALL:subagent{json.dumps({'message': COUNT})}"))
        assert question.tool == "count"


async def test_a_reload_lets_a_cards_approval_in(runtime: Open, model: Model, write: Write) -> None:
    write("description: one")
    async with runtime() as engine:
        assert await questions(engine, ask(1, COUNT)) == ()
        write("approve: count")
        await engine.reload()
        assert len(await questions(engine, ask(1, COUNT))) == 1


@pytest.mark.promise("approved-once")
@pytest.mark.parametrize("after", ["description: x", "approve: '*'"])
@pytest.mark.parametrize("verdict", ["run", "no"])
async def test_a_persons_word_holds_also_when_the_cards_changed_while_the_turn_waited(
    runtime: Open, write: Write, cards: Path, after: str, verdict: Literal["run", "no"]
) -> None:
    write("approve: count")
    asked = replace(ask(1, COUNT), asks=True)
    async with runtime() as engine:
        steps = MemorySteps()
        with pytest.raises(TurnParked) as parked:
            await engine.run(replace(asked, steps=steps), Screen())
        await steps.written()
        write(after)
        await engine.reload()
        said = {parked.value.questions[0].key: PersonsAnswer(verdict)}
        await engine.run(replace(asked, steps=MemorySteps(steps.kept), answers=said), Screen())
    assert executions(cards).total() == (verdict == "run")


@pytest.mark.parametrize(
    ("head", "words"),
    [
        ('approve: "yes"', "approve is true, false, or patterns"),
        ("approve:", "approve is true, false, or patterns"),
        ("approve: []", "approve is true, false, or patterns"),
        ("type: chain\nsequence: [clerk]\napprove: true", "approve"),
    ],
)
def test_a_card_whose_approval_would_protect_nothing_is_refused(
    write: Write, settings_of: Callable[..., Settings], cards: Path, head: str, words: str
) -> None:
    write("description: the clerk", "clerk")
    card(cards, "assistant.md", f"---\nname: assistant\ndefault: true\n{head}\n---\n")
    (problem,) = check_cards(settings_of())
    assert words in problem.what
    assert problem.line is not None
