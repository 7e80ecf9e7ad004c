"""Tools that give too much, give what is no text, raise, hang or lie about themselves, in a turn that is kept."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tasks.errors import ClaimLost
from tests.runtime.steps import MemorySteps, run_until_dead
from tests.runtime.support import Open, Screen, ask, card
from tests.support.model import Model
from workers.runtime.durable import entries

CARD = "---\nname: assistant\nmodel: generic.mock\nfunction_tools: [hostile.py:{tool}]\n---\nUse tools.\n"
TOOLS = '''
"""Tools of which each execution is written down."""

import asyncio
import random
from pathlib import Path

HERE = Path(__file__)


def ran() -> int:
    with HERE.with_suffix(".log").open("a") as log:
        log.write("ran\\n")
    return len(HERE.with_suffix(".log").read_text().splitlines())


async def wide() -> str:
    """Much that no one can deflate."""
    return f"{ran()} " + random.Random(1).randbytes(125_000).hex()


async def odd() -> object:
    """What is no JSON."""
    ran()
    return {1: {b"\\xff", float("nan")}, "half": "\\ud83d", "nul": "\\0", "self": HERE}


async def raises() -> str:
    """Raise."""
    ran()
    raise RuntimeError("half \\ud83d of a message")


async def leaves() -> str:
    """Raise what ends a process."""
    ran()
    raise SystemExit(3)


async def hangs() -> str:
    """Never end."""
    ran()
    await asyncio.get_running_loop().create_future()
    return ""
'''


@pytest.fixture
def tool(cards: Path) -> Callable[[str], Path]:
    """The assistant has this tool; where its executions are written down."""
    card(cards, "hostile.py", TOOLS)

    def make(name: str) -> Path:
        card(cards, "assistant.md", CARD.format(tool=name))
        return cards / "hostile.log"

    return make


def executed(log: Path) -> int:
    return len(log.read_text().splitlines())


async def test_a_turn_of_many_large_results_keeps_a_bounded_journal_and_goes_on_from_it(
    runtime: Open, model: Model, tool: Callable[[str], Path], tmp_path: Path
) -> None:
    log = tool("wide")
    asked = ask(1, " ".join(["CALL:wide"] * 32))
    async with runtime() as engine:
        steps = MemorySteps()
        first = await engine.run(replace(asked, steps=steps), Screen())
        assert sum(map(len, steps.kept)) < entries.WHOLE + 2 * entries.LARGEST
        assert len(list((tmp_path / "home" / "sessions").glob("*/journal/*.json"))) > 10
        again = await engine.run(replace(asked, steps=MemorySteps(steps.kept)), Screen())
    assert (again.text, executed(log)) == (first.text, 32)
    assert "is lost" not in again.text


@pytest.mark.parametrize("name", ["odd", "raises", "leaves"])
async def test_what_a_tool_gives_or_raises_is_the_same_for_an_heir(
    runtime: Open, model: Model, tool: Callable[[str], Path], name: str
) -> None:
    log = tool(name)
    asked = ask(1, f"CALL:{name}")
    async with runtime() as engine:
        steps = MemorySteps()
        first = await engine.run(replace(asked, steps=steps), Screen())
        again = await engine.run(replace(asked, steps=MemorySteps(steps.kept)), Screen())
    assert "tool=" in first.text
    assert again.text == first.text
    assert executed(log) == 1
    assert ("tried to end its process" in first.text) == (name == "leaves")


async def test_a_tool_that_hangs_ends_by_its_timeout_and_is_not_called_again(
    runtime: Open, model: Model, tool: Callable[[str], Path]
) -> None:
    log = tool("hangs")
    asked = ask(1, "CALL:hangs")
    async with runtime(COHORT_TOOL_TIMEOUT="0.5") as engine:
        steps = MemorySteps()
        first = await engine.run(replace(asked, steps=steps), Screen())
        again = await engine.run(replace(asked, steps=MemorySteps(steps.kept)), Screen())
    assert "tool=" in first.text
    assert (again.text, executed(log)) == (first.text, 1)


@pytest.mark.promise("in-doubt")
@pytest.mark.parametrize(
    "case",
    [({}, 2), ({"in_doubt": "fail"}, 2), ({"in_doubt": {"*": "fail"}}, 2), ({"in_doubt": {"look": "fail"}}, 1)],
)
async def test_a_server_that_says_of_a_tool_that_it_only_reads_is_believed_unless_the_tool_is_named(
    runtime: Open, model: Model, serve: Callable[..., None], tmp_path: Path, case: tuple[dict[str, object], int]
) -> None:
    said, times = case
    store = tmp_path / "store"
    serve("small", env={"STORE": str(store)}, **said)
    asked = ask(1, "CALL:look")
    async with runtime() as engine:
        dead = MemorySteps(room=2)
        dead.soon = dead.dead.set
        await run_until_dead(engine, replace(asked, steps=dead), dead)
        await engine.run(replace(asked, steps=MemorySteps(dead.kept)), Screen())
    assert len(store.read_text().splitlines()) == times


async def test_a_worker_that_lost_its_claim_calls_no_tool_and_no_model_again(
    runtime: Open, model: Model, tool: Callable[[str], Path]
) -> None:
    log = tool("odd")

    class Lost(MemorySteps):
        """Another worker owns the session."""

        async def written(self) -> None:
            raise ClaimLost

    async with runtime() as engine:
        with pytest.raises(ClaimLost):
            await engine.run(replace(ask(1, "CALL:odd"), steps=Lost()), Screen())
        assert engine.busy == 0
    assert len(model.journal) == 1
    assert not log.exists()
