"""A tool call that a person has to allow, and a tool that asks one: by the real runtime, over its journal."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.runtime.steps import COUNTER, MemorySteps, executions, run_until_dead
from tests.runtime.support import Open, Screen, ask, card
from tests.support.model import Model
from workers.interfaces import TurnRequest, TurnResult
from workers.runtime.durable.approval import DENIED, NO_ONE
from workers.runtime.engine import Engine
from workers.steps import PersonsAnswer, Question, TurnParked

CARD = "---\nname: assistant\nmodel: generic.mock\nfunction_tools:\n{tools}\n---\nUse tools.\n"
APPROVED = "  - {entrypoint: counter.py:count, approve: true}"
RUN, NO = PersonsAnswer("run"), PersonsAnswer("no")
ASKS = '''
"""Asks before it counts."""

from pathlib import Path

from cohort import ask_user as ask


async def ask_user(question: str, choices: list[str] | None = None) -> str:
    """Ask."""
    from cohort import ask_user

    return await ask_user(question, choices or [])


async def careful(name: str) -> str:
    """Ask twice, then count."""
    said = [await ask("First?", ["a", "b"]), await ask("Second?")]
    with Path(__file__).with_suffix(".log").open("a") as log:
        log.write(f"{name} {said}\\n")
    return f"counted {said}"
'''


@pytest.fixture
def tools(cards: Path) -> Callable[[str], Path]:
    """A card with these entries of ``function_tools``."""
    card(cards, "counter.py", COUNTER)
    card(cards, "asks.py", ASKS)

    def make(entries: str) -> Path:
        card(cards, "assistant.md", CARD.format(tools=entries))
        return cards

    return make


async def parks(engine: Engine, request: TurnRequest, steps: MemorySteps) -> tuple[Question, ...]:
    """The questions with which the turn parks."""
    with pytest.raises(TurnParked) as parked:
        await engine.run(replace(request, steps=steps, asks=True), Screen())
    assert engine.busy == 0
    await steps.written()
    return parked.value.questions


async def resumes(engine: Engine, request: TurnRequest, steps: MemorySteps, **said: PersonsAnswer) -> TurnResult:
    """The turn goes on with answers by the key of their question (``/`` cannot stand in a keyword)."""
    answers = {key.replace("__", "/"): answer for key, answer in said.items()}
    return await engine.run(replace(request, steps=steps, asks=True, answers=answers), Screen())


@pytest.mark.promise("approved-once")
async def test_a_call_is_made_only_when_it_was_allowed(
    runtime: Open, model: Model, tools: Callable[[str], Path]
) -> None:
    cards = tools(APPROVED)
    asked = ask(1, 'CALL:count{"name": "x"}')
    async with runtime() as engine:
        first = MemorySteps()
        (question,) = await parks(engine, asked, first)
        assert (question.tool, json.loads(question.arguments), question.again) == ("count", {"name": "x"}, False)
        assert executions(cards).total() == 0
        assert not any(b'"begun"' in entry for entry in first.kept)
        denied = await resumes(engine, asked, MemorySteps(first.kept), **{question.key: NO})
        assert DENIED in denied.text
        wrote = await resumes(
            engine, asked, MemorySteps(first.kept), **{question.key: PersonsAnswer("words", "not it")}
        )
        assert "They wrote instead: not it" in wrote.text
        assert executions(cards).total() == 0
        done = await resumes(engine, asked, MemorySteps(first.kept), **{question.key: RUN})
        assert "tool=counted x" in done.text
        assert executions(cards).total() == 1
        # The model was asked once more in each run, and never again for what it had said.
        assert len(model.journal) == 1 + 3


@pytest.mark.promise("approved-once")
async def test_an_answer_is_for_one_call_with_its_arguments_and_for_one_execution(
    runtime: Open, model: Model, tools: Callable[[str], Path]
) -> None:
    cards = tools(APPROVED)
    one, other = (ask(1, f'CALL:count{{"name": "{name}"}}') for name in "xy")
    async with runtime() as engine:
        first = MemorySteps()
        (question,) = await parks(engine, one, first)
        answers = {question.key: RUN}
        (another,) = await parks(engine, replace(other, answers=answers), MemorySteps())
        assert another.key != question.key
        # It was allowed and begun, and its worker died.
        dead = MemorySteps(first.kept, room=len(first.kept) + 1)
        await run_until_dead(engine, replace(one, steps=dead, asks=True, answers=answers), dead)
        executions(cards)
        (again,) = await parks(engine, replace(one, answers=answers), MemorySteps(dead.kept))
        assert again.again
        assert executions(cards).total() == 0
        # Allowed once more, and dead once more: the second answer is used up as well.
        answers[again.key] = RUN
        late = MemorySteps(dead.kept, room=len(dead.kept) + 1)
        await run_until_dead(engine, replace(one, steps=late, asks=True, answers=answers), late)
        (third,) = await parks(engine, replace(one, answers=answers), MemorySteps(late.kept))
        assert len({question.key, again.key, third.key}) == 3


async def test_always_allows_a_tool_of_this_agent_with_any_arguments(
    runtime: Open, model: Model, tools: Callable[[str], Path]
) -> None:
    tools(APPROVED)
    async with runtime() as engine:
        (question,) = await parks(engine, ask(1, 'CALL:count{"name": "x"}'), MemorySteps())
        allowed = replace(ask(1, 'CALL:count{"name": "y"}'), allowed=frozenset({question.scope}))
        assert "counted y" in (await resumes(engine, allowed, MemorySteps())).text


async def test_where_there_is_no_person_the_call_is_not_made_and_the_model_reads_why(
    runtime: Open, model: Model, tools: Callable[[str], Path]
) -> None:
    cards = tools(APPROVED)
    async with runtime() as engine:
        result = await engine.run(replace(ask(1, 'CALL:count{"name": "x"}'), steps=MemorySteps()), Screen())
    assert NO_ONE in result.text
    assert executions(cards).total() == 0


async def test_calls_of_one_round_are_all_asked_about_and_those_that_need_no_word_are_made(
    runtime: Open, model: Model, tools: Callable[[str], Path]
) -> None:
    cards = tools(f"{APPROVED}\n  - counter.py:plain")
    asked = ask(1, 'CALL:count{"name": "x"} CALL:count{"name": "y"} CALL:plain{"name": "z"}')
    async with runtime() as engine:
        steps = MemorySteps()
        questions = await parks(engine, asked, steps)
        assert [json.loads(question.arguments)["name"] for question in questions] == ["x", "y"]
        assert executions(cards) == {"-": 1}
        result = await resumes(engine, asked, MemorySteps(steps.kept), **{questions[0].key: NO, questions[1].key: RUN})
        assert "tool=counted y" in result.text
        assert "tool=plain z" in result.text
        assert executions(cards).total() == 1


@pytest.mark.promise("approved-once")
async def test_a_denied_call_is_not_made_when_another_call_of_its_tool_is_allowed_always(
    runtime: Open, model: Model, tools: Callable[[str], Path]
) -> None:
    cards = tools("  - {entrypoint: counter.py:count, approve: true, in_doubt: run}")
    asked = ask(1, 'CALL:count{"name": "x"} CALL:count{"name": "y"}')
    async with runtime() as engine:
        steps = MemorySteps()
        x, y = await parks(engine, asked, steps)
        always = replace(asked, allowed=frozenset({x.scope}))
        await resumes(engine, always, MemorySteps(steps.kept), **{x.key: NO, y.key: RUN})
        assert executions(cards).total() == 1
        # The same of a call that may have been made already.
        (one,) = await parks(engine, ask(2, 'CALL:count{"name": "x"}'), first := MemorySteps())
        answers, dead = {one.key: RUN}, MemorySteps(first.kept, room=len(first.kept) + 1)
        begun = replace(ask(2, 'CALL:count{"name": "x"}'), answers=answers)
        await run_until_dead(engine, replace(begun, steps=dead, asks=True), dead)
        (doubt,) = await parks(engine, begun, MemorySteps(dead.kept))
        assert executions(cards).total() == 1, "before it died"
        answers[doubt.key] = NO
        await resumes(engine, replace(begun, allowed=always.allowed), MemorySteps(dead.kept), **answers)
        assert executions(cards).total() == 0


@pytest.mark.promise("ask-user")
async def test_a_tool_asks_and_goes_on_with_the_answer(
    runtime: Open, model: Model, tools: Callable[[str], Path]
) -> None:
    tools("  - asks.py:ask_user")
    asked = ask(1, 'CALL:ask_user{"question": "Which day?", "choices": ["Mo", "Tu"]}')
    async with runtime() as engine:
        steps = MemorySteps()
        (question,) = await parks(engine, asked, steps)
        assert (question.text, question.choices) == ("Which day?", ("Mo", "Tu"))
        result = await resumes(
            engine, asked, MemorySteps(steps.kept), **{question.key: PersonsAnswer("words", "Tu", "", 1)}
        )
        assert "tool=Tu" in result.text
        typed = PersonsAnswer("words", '<tg-message from="Ivo" id="k3x9qa">at noon</tg-message>', "at noon")
        result = await resumes(engine, asked, MemorySteps(steps.kept), **{question.key: typed})
        assert "tool=at noon" in result.text
        came = {question.key: PersonsAnswer("words", "<Ben>yes")}
        result = await resumes(engine, asked, MemorySteps(steps.kept), **came)
        assert "was not answered. This came instead: <Ben>yes" in result.text
        alone = await engine.run(replace(asked, steps=MemorySteps()), Screen())
        assert "there is no person to ask" in alone.text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ('{"question": " "}', "the question is empty"),
        (json.dumps({"question": "q", "choices": list("abcdefghi")}), "at most 8 choices"),
        ('{"question": "q", "choices": [""]}', "between 1 and 200"),
        (json.dumps({"question": "q" * 3000}), "at most 2000"),
    ],
)
async def test_a_question_that_cannot_be_asked_is_told_to_the_model(
    runtime: Open, model: Model, tools: Callable[[str], Path], arguments: str, words: str
) -> None:
    tools("  - asks.py:ask_user")
    async with runtime() as engine:
        result = await resumes(engine, ask(1, f"CALL:ask_user{arguments}"), MemorySteps())
    assert words in result.text


@pytest.mark.promise("ask-user")
async def test_a_tool_that_asks_and_then_acts_runs_to_its_question_again_and_acts_once(
    runtime: Open, model: Model, tools: Callable[[str], Path]
) -> None:
    cards = tools("  - asks.py:careful")
    asked = ask(1, 'CALL:careful{"name": "x"}')
    async with runtime() as engine:
        steps = MemorySteps()
        (one,) = await parks(engine, asked, steps)
        answers = {one.key: PersonsAnswer("words", "a", "", 0)}
        (two,) = await parks(engine, replace(asked, answers=answers), steps)
        assert (one.text, two.text) == ("First?", "Second?")
        answers[two.key] = PersonsAnswer("words", "yes", "yes")
        # It dies after the answers were given to the tool: what it did then is in doubt.
        dead = MemorySteps(steps.kept, room=len(steps.kept) + 1)
        await run_until_dead(engine, replace(asked, steps=dead, asks=True, answers=answers), dead)
        (doubt,) = await parks(engine, replace(asked, answers=answers), MemorySteps(dead.kept))
        assert doubt.again
        (cards / "asks.log").unlink(missing_ok=True)
        await resumes(engine, asked, MemorySteps(steps.kept), **answers)
        assert (cards / "asks.log").read_text() == "x ['a', 'yes']\n"


type Given = tuple[dict[str, object], str, str, bool]
