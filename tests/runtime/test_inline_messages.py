"""Turns of inline messages: tools that act are refused, as there is no way to ask a person; those that read are not."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tasks.session import SessionKey
from tests.runtime.steps import COUNTER, MemorySteps, executions
from tests.runtime.support import Open, Screen, ask, card
from workers.interfaces import TurnRequest
from workers.runtime.durable.approval import INLINE

CARD = "---\nname: assistant\nmodel: generic.mock\nfunction_tools:\n{tools}\n---\nUse tools.\n"


@pytest.fixture
def tools(cards: Path) -> Callable[[str], Path]:
    """A card with these entries of ``function_tools``."""
    card(cards, "counter.py", COUNTER)

    def make(entries: str) -> Path:
        card(cards, "assistant.md", CARD.format(tools=entries))
        return cards

    return make


def asked() -> TurnRequest:
    request = replace(ask(1, 'CALL:count{"name": "x"}'), session=SessionKey(42, 1, inline="AAQ-1"))
    return replace(request, steps=MemorySteps(), asks=False)


@pytest.mark.parametrize("says", ["", ", approve: true", ", approve: false"])
async def test_a_tool_that_may_act_is_refused_and_the_model_reads_why(
    runtime: Open, tools: Callable[[str], Path], says: str
) -> None:
    cards = tools(f"  - {{entrypoint: counter.py:count{says}}}")
    async with runtime() as engine:
        done = await engine.run(asked(), Screen())
        without_journal = await engine.run(replace(asked(), steps=None), Screen())
    assert INLINE in done.text
    assert INLINE in without_journal.text
    assert executions(cards).total() == 0


async def test_a_tool_that_its_card_calls_safe_runs(runtime: Open, tools: Callable[[str], Path]) -> None:
    cards = tools("  - {entrypoint: counter.py:count, replay: safe}")
    async with runtime() as engine:
        done = await engine.run(asked(), Screen())
    assert "counted x" in done.text
    assert executions(cards).total() == 1
