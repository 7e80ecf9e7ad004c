"""Tool calls that are too many or cannot be read: they are not run, the model is told, and the turn goes on."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.runtime.support import Configure, Open, Screen, ask, card
from tests.support.provider import MODELS, Provider
from workers.runtime.patches import rounds
from workers.runtime.streams.arguments import UNREADABLE, checked

TOOLS = """
from pathlib import Path

RUN = Path(__file__).with_name("run")


def add(a: int = 0, text: str = "") -> str:
    with RUN.open("a") as lines:
        lines.write(f"{a}\\n")
    return "sum \\ud83d\\0 " + text
"""
DONE = [("text", "done")]


@pytest.fixture
def run(cards: Path) -> Path:
    """A card with a tool; the file has a line for each time it ran."""
    card(cards, "tools.py", TOOLS)
    card(
        cards, "assistant.md", "---\nname: assistant\nmodel: generic.mock\nfunction_tools: ['tools.py:add']\n---\nYou."
    )
    (cards / "run").touch()
    return cards / "run"


def lines(run: Path) -> list[str]:
    """What the tool was called with, each time that it ran."""
    return run.read_text().split()


def calls(count: int) -> Iterator[tuple[str, str]]:
    return (("call", json.dumps({"a": place})) for place in range(count))


@pytest.mark.promise("calls-bounded")
@pytest.mark.parametrize(
    ("provider", "count"),
    [
        *(("generic", 32), ("generic", 2_000), pytest.param("generic", 20_000, marks=pytest.mark.soak)),
        *(("openai", 40), ("anthropic", 300), ("responses", 300)),
    ],
)
async def test_at_most_32_calls_are_run_at_once_and_the_model_is_told_of_the_rest(
    runtime: Open, configure: Configure, run: Path, provider: str, count: int
) -> None:
    async with Provider(calls(count), DONE) as served:
        configure(served.configuration())
        async with runtime(COHORT_MODEL=MODELS[provider]) as engine:
            result = await engine.run(ask(1, "go"), Screen())
    assert result.text == "done"
    assert len(lines(run)) == min(count, rounds.CALLS_AT_ONCE)
    asked = json.dumps(served.bodies[1])
    assert asked.count("sum ") == min(count, 32)
    assert asked.count("not run: too many calls at once") == min(max(count - 32, 0), 224)


WRONG = [
    '{"a": 1', "{'a': 1}", "not json", "[1, 2]", "7", '"text"', '{"a": 1}}', "[" * 5000, '{"a": ' + "9" * 5000 + "}",
    '{"a": ' + "[" * 500 + "]" * 500 + "}", '{"a": ' + "[" * 3000 + "]" * 3000 + "}",
]  # fmt: skip


@pytest.mark.promise("unreadable-arguments")
@pytest.mark.parametrize("provider", MODELS)
async def test_a_model_is_told_that_its_arguments_cannot_be_read(
    runtime: Open, configure: Configure, run: Path, provider: str
) -> None:
    async with Provider(DONE) as served:
        configure(served.configuration())
        async with runtime(COHORT_MODEL=MODELS[provider]) as engine:
            for wrong in WRONG:
                served.bodies.clear()
                served.said = [[("call", wrong)], DONE]
                result = await engine.run(ask(1, "go"), Screen())
                again = await engine.run(ask(1, "and now", history=result.history), Screen())
                assert (result.text, again.text) == ("done", "done"), wrong
                assert not lines(run), f"run with {wrong}"
                assert "are not a JSON object" in json.dumps(served.bodies[1]), wrong
                assert UNREADABLE in json.dumps(served.bodies[1]), wrong


@pytest.mark.parametrize("provider", [name for name in MODELS if name != "google"])
@pytest.mark.parametrize(
    "written",
    [[""], ['{"a"', ": 0", "}"], ["  "], ["null"], ['{"a": 0, "text": "one\n', 'two"}']],
)
async def test_arguments_in_pieces_and_none_at_all_are_read(
    runtime: Open, configure: Configure, run: Path, provider: str, written: list[str]
) -> None:
    first, *rest = written
    async with Provider([("call", first), *(("arguments", piece) for piece in rest)], DONE) as served:
        configure(served.configuration())
        async with runtime(COHORT_MODEL=MODELS[provider]) as engine:
            assert (await engine.run(ask(1, "go"), Screen())).text == "done"
    assert lines(run) == ["0"]


@pytest.mark.parametrize("provider", MODELS)
async def test_half_a_surrogate_pair_in_arguments_or_in_a_result_fails_nothing(
    runtime: Open, configure: Configure, run: Path, provider: str
) -> None:
    async with Provider([("call", '{"a": 1, "text": "x\\ud83d\\u0000"}')], DONE) as served:
        configure(served.configuration())
        async with runtime(COHORT_MODEL=MODELS[provider]) as engine:
            result = await engine.run(ask(1, "go"), Screen())
            assert (await engine.run(ask(1, "go on", history=result.history), Screen())).text == "done"
    assert lines(run) == ["1"]
    instead = "\N{REPLACEMENT CHARACTER}"
    results = json.dumps(served.bodies[1], ensure_ascii=False)
    assert f"sum {instead}{instead} x{instead}{instead}" in results


def test_what_is_a_json_object_stays_as_it_was_written() -> None:
    assert json.loads(checked('{"a": [1, {"b": null}]}')) == {"a": [1, {"b": None}]}
    assert checked(None) == checked("") == "{}"
