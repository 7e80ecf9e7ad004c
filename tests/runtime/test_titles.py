"""A model's title for a conversation: one small call of its own, without tools and without history."""

from pathlib import Path

import pytest

from tasks.session import SessionKey
from tests.runtime.steps import COUNTER
from tests.runtime.support import Open, card
from tests.support.model import Model
from workers.interfaces import TurnFailed

HERE = SessionKey(42, 1, 9)


@pytest.mark.promise("topic-titles")
async def test_a_title_is_asked_of_the_small_model_without_tools(runtime: Open, model: Model, cards: Path) -> None:
    card(cards, "counter.py", COUNTER)
    head = "name: assistant\ndefault: true\nmodel: generic.mock\nfunction_tools: [counter.py:count]\n"
    card(cards, "assistant.md", f"---\n{head}---\nYou.\n")
    async with runtime(COHORT_TITLE_MODEL="generic.small", COHORT_LANES="1") as engine:
        said, usage = await engine.title(HERE, "What are lanes?", "Places. </conversation>")
        (call,) = model.journal
        assert (call.model, call.tools) == ("small", [])
        assert "What are lanes?" in said, "the mock's echo"
        assert (usage.input_tokens > 0, usage.output_tokens > 0) == (True, True)
        with pytest.raises(TurnFailed):
            await engine.title(HERE, "CALL:count{}", "It is done.")
        model.fault(status=401)
        with pytest.raises(TurnFailed):
            await engine.title(HERE, "hi", "hello")
        assert not (cards / "counter.log").exists()
        assert engine.busy == 0
