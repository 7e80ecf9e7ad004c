"""A runtime does not grow with the number of chats it has served."""

import asyncio
import gc
import weakref
from collections import Counter
from pathlib import Path

import pytest

from tests.runtime.support import Open, Screen, ask, card
from tests.support.model import Model
from tests.support.until import until
from workers.runtime.engine import Engine

TOOLS = 'def poke() -> str:\n    """Poke."""\n    return "x" * 1000\n'


async def serve(engine: Engine, model: Model, chats: range) -> None:
    """Two turns of each chat, one with a tool and one that fails."""

    async def chat(number: int) -> None:
        first = await engine.run(ask(number, f"hello {number} CALL:poke"), Screen())
        await engine.run(ask(number, f"again {number}", history=first.history), Screen())

    async with asyncio.TaskGroup() as group:
        for number in chats:
            group.create_task(chat(number), name=f"chat-{number}")
    model.journal.clear()


async def alive() -> Counter[str]:
    """What lives, by type, without cancelled timers."""
    await forget_timers()
    gc.collect()
    return Counter(type(thing).__name__ for thing in gc.get_objects())


async def forget_timers() -> None:
    """Have the loop drop its cancelled timers, each with its context: it does where most of more than a hundred are."""
    loop = asyncio.get_running_loop()
    for _ in range(300):
        loop.call_later(3600, int).cancel()
    await asyncio.sleep(0)


@pytest.mark.promise("bounded-memory")
@pytest.mark.parametrize("further", [80, pytest.param(300, marks=pytest.mark.soak)])
async def test_objects_do_not_grow_with_chats(runtime: Open, model: Model, cards: Path, further: int) -> None:
    card(cards, "tools.py", TOOLS)
    text = "---\nname: assistant\nmodel: generic.mock\nfunction_tools: ['tools.py:poke']\n---\nYou.\n"
    card(cards, "assistant.md", text)
    most = min(further - 10, 150)
    async with runtime(COHORT_LANES="4") as engine:
        await serve(engine, model, range(further // 3))
        await serve(engine, model, range(100, 100 + further // 6))
        before = await alive()
        await serve(engine, model, range(150, 150 + further))

        async def gone() -> Counter[str] | None:
            now = await alive()
            return now if now.total() < before.total() * 1.02 else None

        # Of the last turns some connections may still be closing.
        after = await until(gone)
    grown = {name: (before[name], count) for name, count in after.items() if count > before[name] + most}
    assert grown == {}, "the further chats left less than an object each, of any kind"
    assert after.total() < before.total() * 1.02


@pytest.mark.promise("bounded-memory")
@pytest.mark.parametrize("head", ["function_tools: ['tools.py:poke']", "subagents: true", "agents: [writer]"])
async def test_nothing_keeps_the_agents_of_a_replaced_lane(runtime: Open, model: Model, cards: Path, head: str) -> None:
    card(cards, "tools.py", TOOLS)
    card(cards, "writer.md", "---\nname: writer\nmodel: generic.mock\nsubagents: true\n---\nYou.\n")
    card(cards, "assistant.md", f"---\nname: assistant\nmodel: generic.mock\ndefault: true\n{head}\n---\nYou.\n")
    agents: set[weakref.ref[object]] = set()
    async with runtime(COHORT_LANES="1") as engine:
        for number in range(4):
            agents.update(weakref.ref(agent) for agent in engine.lanes._free[0].agents.agents.values())
            await engine.run(ask(number, "hello CALL:poke CALL:writer CALL:subagent"), Screen())
            await engine.reload()
            await engine.run(ask(number, "hello"), Screen())
        gc.collect()
        assert len(agents) == 2 * 4
        # Those of the lane that was made last are in use.
        assert sum(agent() is not None for agent in agents) <= 2
