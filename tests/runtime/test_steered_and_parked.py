"""A message joins a turn, which then asks a person, and goes on: the real runtime under the real turn loop."""

from pathlib import Path

import pytest

from tasks.config.settings import Settings
from tests.runtime.steps import COUNTER
from tests.runtime.support import Open, card
from tests.support.model import Model
from tests.workers.pool import opened, session

ONE = session(1)
ANN = {"id": 7, "name": "Ann"}
HEAD = """---
name: assistant
model: generic.mock
function_tools:
  - counter.py:count
  - {entrypoint: counter.py:pay, approve: true}
---
Use tools.
"""
PAY = '''

async def pay(name: str) -> str:
    """Pay."""
    return await count(name)
'''


@pytest.fixture
def paying(cards: Path) -> Path:
    card(cards, "counter.py", COUNTER + PAY)
    card(cards, "assistant.md", HEAD)
    return cards


def counted(cards: Path) -> list[str]:
    """What was executed, in order."""
    return [line.split()[1] for line in (cards / "counter.log").read_text().splitlines()]


@pytest.mark.promise("steers")
@pytest.mark.promise("parked")
@pytest.mark.parametrize("dies", [False, True])
async def test_a_message_that_joined_a_turn_which_asks_is_answered_once_with_the_pressed_button(
    runtime: Open, model: Model, settings: Settings, paying: Path, dies: bool
) -> None:
    async with runtime() as engine, opened(settings) as pool:
        worker = await pool.worker("w-one", real=engine, COHORT_QUEUE_MODE="steer")
        await pool.say(1, 'HOLD:first CALL:count{"name": "a"}', sender=ANN)
        turn = worker.doorbell(ONE)
        await model.held("first")
        await pool.say(1, 'and CALL:pay{"name": "b"}', sender=ANN)
        assert (await worker.answer(ONE))["outcome"] == "joined"
        model.release("first")
        await turn
        assert counted(paying) == ["a"], "b waits to be allowed"
        found, _ = await pool.store.sessions.parked(ONE)
        assert found is not None
        assert len(await pool.raw_inbox(ONE)) == 2
        if dies:
            await worker.kill()
            worker = await pool.worker("w-two", real=engine, COHORT_QUEUE_MODE="steer")
        choice = {"ask": found.questions[0].id, "say": "once"}
        # What comes with the press is the next turn: this one was asked about before it.
        await pool.say_all(
            1,
            {"kind": "answer", "v": 3, "choice": choice, "sender": ANN},
            {"text": "and then", "sender": ANN},
        )
        await worker.answer(ONE)
        assert counted(paying) == ["a", "b"], "each once"
        assert sorted(pool.telegram.answered(ONE)) == [1, 2, 3, 4]
        assert [text.rpartition("echo: ")[2] for text in pool.telegram.texts(ONE)][-1].startswith("and then")
        assert await pool.idle(ONE)
    asked = [entry.last for entry in model.journal]
    assert len(asked) == 4, asked
