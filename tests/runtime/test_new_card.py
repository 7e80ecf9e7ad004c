"""A card of ``cohort cards new``: its agent calls the tool and the server that came with it."""

from pathlib import Path

from ops.commands import new_card
from tasks.config.settings import load
from tests.runtime.support import Open, Screen, ask
from tests.support.model import Model


async def test_the_tool_and_the_server_of_a_new_card_work_at_once(runtime: Open, model: Model, cards: Path) -> None:
    new_card.write(load({"COHORT_CARDS": str(cards)}), "my-pirate", python_tool=True, mcp=True)
    async with runtime(COHORT_LANES="1", COHORT_AGENT="my-pirate", COHORT_MODEL="generic.mock") as engine:
        rolled = await engine.run(ask(1, 'CALL:roll{"sides": 1, "times": 3}'), Screen())
        counted = await engine.run(ask(1, 'CALL:count_words{"text": "a b c d"}'), Screen())
    assert "1" in rolled.text.partition("tool=")[2]
    assert "4" in counted.text.partition("tool=")[2]
