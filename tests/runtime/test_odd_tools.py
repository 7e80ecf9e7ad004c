"""Python tools that raise what is no error, give what has no end, go elsewhere, or have names that providers refuse."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from inspect import isawaitable
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests.runtime.support import Open, Screen, ask, card, until
from tests.support.model import Model
from workers.runtime.streams.meter import limits
from workers.runtime.tools import own_task
from workers.runtime.tools.results import clean_function


class Own(BaseException):
    """No error."""


CARD = "---\nname: assistant\nmodel: generic.mock\nfunction_tools: [{tools}]\n---\nUse tools.\n"
TOOLS = '''
import asyncio
import os


class Own(BaseException):
    pass


async def cancelled():
    """Await what was cancelled."""
    task = asyncio.ensure_future(asyncio.sleep(60))
    task.cancel()
    await task


def raised():
    """Raise what is no error."""
    raise asyncio.CancelledError


async def own():
    """The same of its own kind."""
    raise Own("mine")


def group():
    """Several."""
    raise BaseExceptionGroup("two", [Own("a"), ValueError("b")])


def plain(function):
    return lambda: function()


@plain
async def _wrapped():
    raise SystemExit(3)


def wrapped():
    """Give a coroutine."""
    return _wrapped()


def leaves():
    """Go elsewhere."""
    os.chdir("/")
    return os.getcwd()


async def yields():
    """Yield."""
    yield 1
    await asyncio.sleep(0)
    yield "two"


def gives():
    """Give what yields."""
    return yields()


def погода():
    """The weather."""
    return "sunny"
'''
NAMES = ("cancelled", "raised", "own", "group", "wrapped", "leaves", "yields", "gives", "погода")


async def test_what_a_tool_raises_is_its_error_and_where_it_goes_it_goes_alone(
    runtime: Open, model: Model, cards: Path
) -> None:
    card(cards, "odd.py", TOOLS)
    card(cards, "assistant.md", CARD.format(tools=", ".join(f"odd.py:{name}" for name in NAMES)))
    here, said = Path.cwd(), dict[str, str]()
    async with runtime(COHORT_LANES="1") as engine:
        for name in NAMES[:-1]:
            said[name] = (await engine.run(ask(1, f"CALL:{name}"), Screen())).text.partition("tool=")[2]
        (weather,) = set(model.journal[0].tools) - set(NAMES)
        said["weather"] = (await engine.run(ask(1, f"CALL:{weather}"), Screen())).text.partition("tool=")[2]
        assert (Path.cwd(), engine.lanes.made) == (here, 1)
    assert said["leaves"] == "/"
    assert said["yields"] == said["gives"] == '[1,"two"]'
    assert said["weather"] == "sunny"
    assert weather.isascii()
    for name in ("cancelled", "raised", "own", "group"):
        assert "the tool tried to end its turn" in said[name]
    assert "the tool tried to end its process" in said["wrapped"]


@pytest.mark.parametrize("kind", ["def", "async def"])
async def test_a_tool_that_is_cancelled_from_outside_ends(kind: str) -> None:
    begun = asyncio.Event()

    async def waits() -> None:
        begun.set()
        await asyncio.get_running_loop().create_future()

    tool = clean_function(waits if kind == "async def" else partial(waits))
    async with asyncio.TaskGroup() as group:
        task = group.create_task(tool(), name="tool")
        await begun.wait()
        task.cancel()
    assert task.cancelled()


STUBBORN = '''
import asyncio
from pathlib import Path


async def stubborn():
    """Never ends, until the test does."""
    while not Path(__file__).with_name("over").exists():
        try:
            await asyncio.sleep(0.01)
        except BaseException:
            pass


async def tidy():
    """Put things in order at its end."""
    try:
        await asyncio.sleep(60)
    finally:
        await asyncio.sleep(0.01)
        print("in order")
'''


@pytest.mark.promise("tools-end")
async def test_a_tool_that_swallows_its_end_is_left_behind_and_its_turn_goes_on(
    runtime: Open, model: Model, cards: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(own_task, "LET_GO_S", 0.05)
    card(cards, "odd.py", STUBBORN)
    card(cards, "assistant.md", CARD.format(tools="odd.py:stubborn"))
    try:
        async with runtime(COHORT_LANES="1", COHORT_TOOL_TIMEOUT="1") as engine:
            said = await engine.run(ask(1, "CALL:stubborn"), Screen())
            assert "timed out" in said.text
            # Stopped by its user, or by an operator.
            screen = Screen()
            async with asyncio.TaskGroup() as group:
                turn = group.create_task(engine.run(ask(2, "CALL:stubborn"), screen), name="turn")
                await until(lambda: screen.tools != [])
                turn.cancel()
            assert turn.cancelled()
            assert (await engine.run(ask(3, "hello"), Screen())).text == "echo: hello [n=1]"
    finally:
        (cards / "over").touch()
        await until(lambda: not own_task._left)
    assert [record.getMessage() for record in caplog.records].count("tool.left_behind") == 2


async def test_a_tool_has_a_moment_to_put_its_things_in_order(
    runtime: Open, model: Model, cards: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    card(cards, "odd.py", STUBBORN)
    card(cards, "assistant.md", CARD.format(tools="odd.py:tidy"))
    async with runtime(COHORT_LANES="1", COHORT_TOOL_TIMEOUT="1") as engine:
        assert "timed out" in (await engine.run(ask(1, "CALL:tidy"), Screen())).text
    assert "in order" in capsys.readouterr().out


def pairs() -> Iterator[int]:
    yield from (1, 2)


@pytest.mark.parametrize(
    ("give", "begins"),
    [
        (count, "[0,1,2,"),
        (lambda: "x" * 10_000_000, "xxx"),
        (lambda: ["x"] * 300_000, '["x","x",'),
        (lambda: {"a": ["x"] * 300_000}, '{"a":["x",'),
        (lambda: tuple(range(300_000)), "[0,1,"),
        (lambda: [["é" * 1_000_000] * 3], '[["éé'),
    ],
)
def test_a_result_without_end_is_given_as_its_beginning(give: Callable[[], Any], begins: str) -> None:
    result = clean_function(give)()
    assert result.startswith(begins)
    assert len(result) == limits["answer"] + 1


@pytest.mark.parametrize("item", ["x", "x" * 100_000])
async def test_what_yields_without_end_is_asked_for_as_much_as_is_read(item: str) -> None:
    given = list[str]()
    ended = list[str]()

    async def later() -> AsyncIterator[str]:
        try:
            while True:
                given.append(item)
                yield item
        finally:
            ended.append("async")

    def now() -> Iterator[str]:
        while True:
            given.append(item)
            yield item

    for tool in (clean_function(later), clean_function(lambda: later()), clean_function(now)):  # noqa: PLW0108 - it is no generator's function
        given.clear()
        result = tool()
        result = await result if isawaitable(result) else result
        assert result.startswith('["x')
        assert len(result) == limits["answer"] + 1
        assert len(given) <= limits["answer"] / len(item) + 2
    assert ended == ["async"] * 2


async def test_what_yields_and_raises_or_is_cancelled_ends_as_any_tool() -> None:
    begun = asyncio.Event()

    async def raises() -> AsyncIterator[int]:
        yield 1
        raise Own("mine")

    async def waits() -> AsyncIterator[int]:
        yield 1
        begun.set()
        await asyncio.get_running_loop().create_future()

    with pytest.raises(RuntimeError, match="the tool tried to end its turn"):
        await clean_function(raises)()
    async with asyncio.TaskGroup() as group:
        task = group.create_task(clean_function(waits)(), name="tool")
        await begun.wait()
        task.cancel()
    assert task.cancelled()


def test_a_result_that_fits_is_what_it_was() -> None:
    loop: list[Any] = []
    loop.append(loop)
    for value in ("x", None, b"\xff", Path("/x"), {"a": [1]}, (1, 2), {1}, 3.5):
        assert clean_function(lambda value=value: value)() is value
    assert clean_function(pairs)() == [1, 2]


def test_an_error_without_end_is_cut() -> None:
    def fails() -> None:
        raise ValueError("y" * 10_000_000)

    with pytest.raises(RuntimeError) as raised:
        clean_function(fails)()
    assert len(str(raised.value)) <= limits["answer"] + 1
