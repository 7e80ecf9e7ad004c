"""fast-agent's ``human_input``: a form that a model makes is put to the person of the chat, field by field."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.runtime.steps import MemorySteps
from tests.runtime.support import Open, Screen, ask, card
from tests.support.model import Model
from workers.runtime.asking.human_input import CANCELLED, NO_ONE
from workers.runtime.engine import Engine
from workers.steps import PersonsAnswer, Question, TurnParked

CARD = "---\nname: assistant\nmodel: generic.mock\nhuman_input: true\n---\nAsk.\n"
FORM = {
    "message": "A table for you.",
    "fields": [
        {"name": "guests", "type": "number", "label": "How many?", "required": True, "min": 1, "max": 8},
        {
            "name": "place",
            "type": "radio",
            "options": [{"value": "in", "label": "Inside"}, {"value": "out", "label": "Outside"}],
        },
        {"name": "note", "type": "text"},
    ],
}
ASKED = ask(1, f"CALL:__human_input{json.dumps(FORM)}")
CARDS = ["agent", "agent with a tool"]


@pytest.fixture(params=CARDS)
def asker(request: pytest.FixtureRequest, cards: Path) -> None:
    more = "" if request.param == "agent" else "function_tools: [tools.py:lookup]\n"
    card(cards, "tools.py", 'def lookup(of: str) -> str:\n    """Look."""\n    return of\n')
    card(cards, "assistant.md", CARD.replace("human_input", f"{more}human_input"))


async def asked_by(engine: Engine, steps: MemorySteps, answers: dict[str, PersonsAnswer]) -> Question:
    with pytest.raises(TurnParked) as parked:
        await engine.run(replace(ASKED, steps=steps, asks=True, answers=answers), Screen())
    assert engine.busy == 0
    await steps.written()
    (question,) = parked.value.questions
    return question


def wrote(words: str) -> PersonsAnswer:
    return PersonsAnswer("words", f"<tagged>{words}", words)


def pressed(question: Question, choice: str) -> PersonsAnswer:
    return PersonsAnswer("words", choice, "", question.choices.index(choice))


@pytest.mark.promise("ask-user")
@pytest.mark.usefixtures("asker")
async def test_a_models_form_is_asked_field_by_field_over_parked_turns(runtime: Open, model: Model) -> None:
    async with runtime() as engine:
        steps, answers = MemorySteps(), dict[str, PersonsAnswer]()
        guests = await asked_by(engine, steps, answers)
        assert guests.text == "A table for you.\n\nguests\nHow many?"
        assert guests.choices == ("Cancel",)
        answers[guests.key] = wrote("nine")
        again = await asked_by(engine, steps, answers)
        assert again.text.startswith("Please send a number (1 to 8).\n\n")
        answers[again.key] = wrote("4")
        place = await asked_by(engine, steps, answers)
        answers[place.key] = pressed(place, "Inside")
        assert place.choices[0] == "Inside"
        note = await asked_by(engine, steps, answers)
        assert note.choices == ("Skip this", "Cancel")
        answers[note.key] = pressed(note, "Skip this")
        result = await engine.run(replace(ASKED, steps=steps, asks=True, answers=answers), Screen())
    assert 'tool={"guests": 4, "place": "in"}' in result.text
    assert len(model.journal) == 2


@pytest.mark.usefixtures("asker")
async def test_a_form_that_is_cancelled_or_has_no_person_is_told_to_the_model(runtime: Open, model: Model) -> None:
    async with runtime() as engine:
        steps = MemorySteps()
        guests = await asked_by(engine, steps, {})
        answers = {guests.key: pressed(guests, "Cancel")}
        result = await engine.run(replace(ASKED, steps=steps, asks=True, answers=answers), Screen())
        assert CANCELLED in result.text
        left = {guests.key: PersonsAnswer("words", "")}
        result = await engine.run(replace(ASKED, steps=MemorySteps(steps.kept), asks=True, answers=left), Screen())
        assert CANCELLED in result.text
        alone = await engine.run(replace(ASKED, steps=MemorySteps()), Screen())
        assert NO_ONE in alone.text
