"""A tool call that was under way when its worker died: it runs again, or its outcome is told to be unknown."""

import json
import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.runtime.steps import COUNTER, MemorySteps, executions, run_until_dead
from tests.runtime.support import Open, Screen, ask, card
from tests.support.model import Model
from workers.runtime.durable import entries, journal, tool_facts
from workers.steps import PersonsAnswer, TurnParked

CARD = "---\nname: assistant\nmodel: generic.mock\nfunction_tools:\n{tools}\n---\nUse tools.\n"
BEGUN = 2
"""The model call, and the mark that its tool begins."""


@pytest.fixture
def counting(cards: Path) -> Callable[[str], Path]:
    """A card with these entries of ``function_tools``."""
    card(cards, "counter.py", COUNTER)

    def make(tools: str) -> Path:
        card(cards, "assistant.md", CARD.format(tools=tools))
        return cards

    return make


@pytest.mark.promise("in-doubt")
@pytest.mark.parametrize(
    "case",
    [
        ("count", "  - counter.py:count", 1),
        ("plain", "  - counter.py:plain", 0),
        ("plain", "  - {entrypoint: counter.py:plain, replay: safe}", 1),
        ("plain", "  - {entrypoint: counter.py:plain, in_doubt: run}", 1),
        ("plain", "  - {entrypoint: counter.py:plain, in_doubt: ask}", 0),
        ("count", "  - {entrypoint: counter.py:count, in_doubt: fail}", 0),
    ],
)
async def test_a_call_in_doubt_runs_again_only_where_that_is_known_to_be_harmless(
    runtime: Open, model: Model, counting: Callable[[str], Path], case: tuple[str, str, int]
) -> None:
    tool, tools, times = case
    cards = counting(tools)
    asked = ask(1, f'CALL:{tool}{{"name": "x"}}')
    async with runtime() as engine:
        dead = MemorySteps(room=BEGUN)
        assert await run_until_dead(engine, replace(asked, steps=dead), dead) is None
        executions(cards)
        heir = MemorySteps(dead.kept)
        result = await engine.run(replace(asked, steps=heir), Screen())
        assert executions(cards).total() == times
        assert ("The outcome of this call is unknown" in result.text) == (times == 0)
        # What the model was told stands: a further heir tells it the same, and runs nothing.
        third = await engine.run(replace(asked, steps=MemorySteps(heir.kept)), Screen())
        assert (third.text, executions(cards).total()) == (result.text, 0)


async def test_a_call_in_doubt_asks_where_there_is_a_person_to_ask(
    runtime: Open, model: Model, counting: Callable[[str], Path]
) -> None:
    cards = counting("  - counter.py:plain")
    asked = ask(1, 'CALL:plain{"name": "x"}')
    async with runtime() as engine:
        dead = MemorySteps(room=BEGUN)
        await run_until_dead(engine, replace(asked, steps=dead), dead)
        executions(cards)
        heir = MemorySteps(dead.kept)
        with pytest.raises(TurnParked) as parked:
            await engine.run(replace(asked, steps=heir, asks=True), Screen())
        (question,) = parked.value.questions
        assert (question.tool, json.loads(question.arguments), question.again) == ("plain", {"name": "x"}, True)
        assert heir.kept == dead.kept, "nothing is decided yet"
        said = {question.key: PersonsAnswer("run")}
        result = await engine.run(replace(asked, steps=MemorySteps(heir.kept), asks=True, answers=said), Screen())
        assert "tool=plain x" in result.text
        assert executions(cards).total() == 1
        refused = await engine.run(
            replace(asked, steps=MemorySteps(heir.kept), asks=True, answers={question.key: PersonsAnswer("no")}),
            Screen(),
        )
        assert "unknown" in refused.text
        assert executions(cards).total() == 0
        assert engine.busy == 0


async def test_a_step_has_finished_something_where_a_tool_ran_and_not_where_it_has_begun_or_is_in_doubt(
    runtime: Open, model: Model, counting: Callable[[str], Path]
) -> None:
    counting("  - counter.py:plain")
    asked = ask(1, 'CALL:plain{"name": "x"}')
    async with runtime() as engine:
        await engine.run(replace(asked, steps=(whole := MemorySteps())), Screen())
        dead = MemorySteps(room=BEGUN)
        await run_until_dead(engine, replace(asked, steps=dead), dead)
        await engine.run(replace(asked, steps=(heir := MemorySteps(dead.kept))), Screen())
    (finished,) = whole.finished
    assert (b'"result"' in finished, len(dead.kept), heir.finished) == (True, BEGUN, [])
    assert b"unknown" in heir.kept[BEGUN]


async def test_the_key_of_a_call_is_the_same_in_each_try_and_another_one_in_another_turn(
    runtime: Open, model: Model, counting: Callable[[str], Path]
) -> None:
    cards = counting("  - counter.py:count")
    asked = ask(1, 'CALL:count{"name": "x"} CALL:count{"name": "x"}')
    async with runtime() as engine:
        dead = MemorySteps(room=BEGUN + 1)
        await run_until_dead(engine, replace(asked, steps=dead), dead)
        await engine.run(replace(asked, steps=(heir := MemorySteps(dead.kept))), Screen())
        tried = executions(cards)
        await engine.run(replace(asked, steps=MemorySteps(turn="42:1 other")), Screen())
        other = executions(cards)
    begun = [json.loads(entry)["key"] for entry in heir.kept if b'"begun"' in entry]
    assert len(set(begun)) == 2, "two calls of one round with the same arguments are two calls"
    assert set(tried) == set(begun)
    assert not set(tried) & set(other)


async def test_a_result_is_never_given_to_a_call_with_other_arguments(
    runtime: Open, model: Model, counting: Callable[[str], Path]
) -> None:
    """The model gives every call the same id; a dead worker's journal holds the result of one with another name."""
    cards = counting("  - counter.py:count")
    async with runtime() as engine:
        first = MemorySteps()
        await engine.run(replace(ask(1, 'CALL:count{"name": "x"}'), steps=first), Screen())
        executions(cards)
        other = MemorySteps(first.kept)
        result = await engine.run(replace(ask(1, 'CALL:count{"name": "y"}'), steps=other), Screen())
    assert "tool=counted y" in result.text
    assert executions(cards).total() == 1


async def test_what_fits_no_more_is_dropped_and_told(
    runtime: Open, model: Model, counting: Callable[[str], Path], caplog: pytest.LogCaptureFixture
) -> None:
    counting("  - counter.py:count")
    async with runtime() as engine:
        first = MemorySteps()
        await engine.run(replace(ask(1, 'CALL:count{"name": "x"}'), steps=first), Screen())
        await engine.run(replace(ask(1, "something else"), steps=MemorySteps(first.kept)), Screen())
    assert [record.__dict__["steps"] for record in caplog.records if record.message == "journal.diverged"] == [2]


@pytest.mark.parametrize(
    "raw", [b"", b"zzzz", b"[]", b'{"k":"model","key":"x"}', b'{"k":"new kind","key":"x"}', b"\xff"]
)
async def test_a_damaged_journal_is_dropped_and_the_turn_runs_live(
    runtime: Open, model: Model, counting: Callable[[str], Path], caplog: pytest.LogCaptureFixture, raw: bytes
) -> None:
    cards = counting("  - counter.py:count")
    steps = MemorySteps([raw])
    async with runtime() as engine:
        result = await engine.run(replace(ask(1, 'CALL:count{"name": "x"}'), steps=steps), Screen())
    assert "tool=counted x" in result.text
    assert (steps.dropped, executions(cards).total()) == (1, 1)
    assert "journal.damaged" in {record.message for record in caplog.records if record.levelno >= logging.WARNING}


LARGE = '''
"""Gives much."""

from pathlib import Path


async def much() -> str:
    """Much."""
    with Path(__file__).with_suffix(".log").open("a") as log:
        log.write("ran\\n")
    return "m\u20ac" * 500_000
'''


@pytest.mark.parametrize("where", ["there", "gone", "damaged"])
async def test_a_large_result_stands_in_a_file_of_the_session_and_without_it_its_loss_is_told(
    runtime: Open, model: Model, cards: Path, tmp_path: Path, where: str
) -> None:
    card(cards, "large.py", LARGE)
    card(cards, "assistant.md", CARD.format(tools="  - large.py:much"))
    asked = ask(1, "CALL:much")
    async with runtime() as engine:
        steps = MemorySteps()
        first = await engine.run(replace(asked, steps=steps), Screen())
        assert max(map(len, steps.kept)) < entries.LARGEST
        (file,) = (tmp_path / "home" / "sessions").glob("*/journal/*.json")
        if where == "gone":
            file.unlink()
        elif where == "damaged":
            file.write_bytes(file.read_bytes().replace(b"m", b"n"))
        # Of the heir's steps the last model call is not kept.
        again = await engine.run(replace(asked, steps=MemorySteps(steps.kept)), Screen())
        assert (again.text == first.text) == (where == "there")
        assert ("what it gave is lost" in again.text) == (where != "there")
        assert (cards / "large.log").read_text() == "ran\n"
        await engine.run(replace(ask(1, "the next turn"), steps=MemorySteps()), Screen())
        assert not list((tmp_path / "home" / "sessions").glob("*/journal"))


@pytest.mark.parametrize("says", [{"in_doubt": "maybe"}, {"in_doubt": {"*": 1}}, {"replay": "yes"}])
def test_a_card_or_server_that_says_something_else_is_refused(says: dict[str, object]) -> None:
    assert tool_facts.wrong(says) is not None
    assert tool_facts.wrong({"in_doubt": {"pay*": "fail", "*": "run"}, "replay": "safe"}) is None


def test_outside_of_a_turn_there_is_no_journal() -> None:
    assert journal.journal_of_turn.get() is None
