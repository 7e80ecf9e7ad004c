"""chats.yaml in a worker: the operator's agent and model of a chat answer, below what the chat chose itself."""

from pathlib import Path

import pytest

from tasks.session import SessionKey
from tests.runtime.support import Open, Screen, ask, card
from tests.support.model import Model
from tests.support.until import until


@pytest.mark.promise("chat-rules")
async def test_a_chats_agent_and_model_answer_unless_the_chat_chose_others(
    runtime: Open, model: Model, cards: Path, tmp_path: Path
) -> None:
    card(cards, "poet.md", "---\nname: poet\nmodel: generic.rhymes\n---\nYou are a poet.\n")
    chats = tmp_path / "chats.yaml"
    chats.write_text("chats:\n  1: {agent: poet}\n  2: {model: generic.big}\n  3: {agent: gone}\n")
    async with runtime(COHORT_LANES="1", COHORT_CHATS=str(chats), COHORT_MODELS="generic.other") as engine:

        async def answering(chat: int, **chosen: str) -> tuple[str, str, tuple[str, ...]]:
            done = await engine.run(ask(chat, "hi", **chosen), Screen())
            call = list(model.journal)[-1]
            return call.model, "poet" if "You are a poet" in str(call) else "assistant", done.notices

        assert await answering(1) == ("rhymes", "poet", ())
        assert await answering(2) == ("big", "assistant", ()), "also a model that COHORT_MODELS does not offer"
        assert await answering(3) == ("mock", "assistant", ()), "an agent that is not there is the operator's matter"
        assert await answering(1, agent="assistant", model="generic.other") == ("other", "assistant", ())
        chats.write_text("chats:\n  3: {agent: poet}\n")

        async def ruled() -> bool:
            return engine.chats.of(SessionKey(42, 3)).agent == "poet"

        await until(ruled)
        assert (await answering(3))[1] == "poet"
        assert (await answering(1))[1] == "assistant"
