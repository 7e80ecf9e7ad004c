"""Turns of inline messages: few tools, little time, and a model that is told of it.

Tools that act are refused, as there is no way to ask a person; those that read are not.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tasks.config.settings import load
from tasks.envelope import Sender
from tasks.phrases import phrase
from tasks.session import SessionKey
from tests.runtime.steps import COUNTER, MemorySteps, executions
from tests.runtime.support import Open, Screen, ask, card, inbound
from tests.support.model import Model
from workers.interfaces import TurnFailed, TurnRequest
from workers.runtime.durable.approval import INLINE
from workers.runtime.turns.time_limit import TurnLimit

HERE = SessionKey(42, 1, inline="AAQ-1")
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
    request = replace(ask(1, 'CALL:count{"name": "x"}'), session=HERE)
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


def called(text: str) -> TurnRequest:
    """A person asks from a chat of other people."""
    said = inbound(1, text, sender=Sender(id=1, name="Ann")).model_copy(update={"session": str(HERE)})
    return replace(ask(1, said), session=HERE)


async def test_it_ends_after_a_time_of_its_own_and_keeps_what_it_showed(runtime: Open) -> None:
    screen = Screen()
    async with runtime(COHORT_INLINE_TIMEOUT="0.2") as engine:
        with pytest.raises(TurnFailed) as failure:
            await engine.run(called("HOLD:for-ever@2 once upon a time"), screen)
    assert (failure.value.action, failure.value.words) == ("tell", phrase("inline-slow"))
    assert "" not in screen.frames


@pytest.mark.parametrize(
    ("session", "chats", "seconds"), [(HERE, 600, 60), (HERE, 5, 5), (SessionKey(42, 1), 600, 600), (None, 600, 600)]
)
async def test_the_time_of_a_chats_turn_is_another(session: SessionKey | None, chats: int, seconds: int) -> None:
    settings = load({"COHORT_TURN_TIMEOUT": str(chats)})
    assert TurnLimit(settings, session).seconds == seconds


async def test_the_model_is_told_that_one_short_message_is_wanted_and_of_a_chat_it_is_not(
    runtime: Open, model: Model
) -> None:
    async with runtime() as engine:
        await engine.run(called("how warm is it"), Screen())
        await engine.run(ask(1, inbound(1, "how warm is it", sender=Sender(id=1, name="Ann"))), Screen())
    there, in_chat = (call.messages[-1]["text"] for call in model.journal)
    assert there.startswith('<tg-user name="Ann" note="')
    assert "keep it short" in there.partition("\n")[0]
    assert there.endswith("/>\nhow warm is it")
    assert in_chat == '<tg-user name="Ann"/>\nhow warm is it'
