"""chats.yaml in a worker: the operator's agent and model of a chat answer, below what the chat chose itself."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tasks.config.settings import Settings
from tasks.phrases import phrase
from tasks.session import SessionKey
from tests.runtime.support import Open, Screen, ask, card
from tests.support.model import Model
from tests.support.until import until
from workers.interfaces import TurnFailed
from workers.runtime.cards.checks import looked_at


@pytest.mark.promise("chat-rules")
async def test_a_chats_agent_and_model_answer_unless_the_chat_chose_others(
    runtime: Open, model: Model, cards: Path, tmp_path: Path
) -> None:
    card(cards, "poet.md", "---\nname: poet\nmodel: generic.rhymes\n---\nYou are a poet.\n")
    chats = tmp_path / "chats.yaml"
    chats.write_text("chats:\n  1: {agent: poet}\n  2: {model: generic.big}\n  3: {agent: gone}\n")
    async with runtime(COHORT_LANES="1", COHORT_CHATS=str(chats), COHORT_MODELS="generic.other") as engine:

        async def answering(chat: int, **chosen: Any) -> tuple[str, str, tuple[str, ...]]:
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


@pytest.mark.promise("chat-rules")
async def test_an_agent_of_the_file_that_no_card_has_is_told_at_a_start_and_when_the_file_says_so(
    runtime: Open, model: Model, cards: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    card(cards, "inner.md", "---\nname: inner\nmodel: generic.rhymes\ntool_only: true\n---\nYou help another agent.\n")
    chats = tmp_path / "chats.yaml"
    chats.write_text("chats:\n  -3: {agent: gone, topics: {7: {agent: gone}, 8: {agent: assistant}}}\n")

    def told() -> list[tuple[str, str]]:
        return [(one.agent, one.where) for one in caplog.records if one.message == "chats.unknown_agent"]

    async with runtime(COHORT_LANES="1", COHORT_CHATS=str(chats)):

        async def heard_of(count: int) -> bool:
            return len(told()) == count

        await until(lambda: heard_of(1))
        assert told() == [("gone", "chats.-3 and 1 more")]
        chats.write_text("chats:\n  -3: {agent: gone, topics: {9: {agent: inner}}}\n")
        await until(lambda: heard_of(2))
        assert told()[1] == ("inner", "chats.-3.topics.9"), "what was told is not told again"
    assert list(model.journal) == []


@pytest.mark.promise("chat-rules")
@pytest.mark.parametrize("name", ["nobody.model", "no-such-model", "openai.gpt-5.4-mini"])
async def test_a_model_of_the_file_that_does_not_work_is_not_told_as_the_chats_choice(
    runtime: Open, model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """`/model default` would bring the same model."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    chats = tmp_path / "chats.yaml"
    chats.write_text(f"chats:\n  1: {{model: {name}}}\n")
    async with runtime(COHORT_LANES="1", COHORT_CHATS=str(chats)) as engine:
        with pytest.raises(TurnFailed) as failure:
            await engine.run(ask(1, "hi"), Screen())
        assert failure.value.action == "operator"
        # The last of them is known, and lacks its key.
        assert failure.value.words == phrase("fault-key" if name.startswith("openai") else "fault-broken")
        assert (await engine.run(ask(2, "hi"), Screen())).text == "echo: hi [n=1]"
    assert len(model.journal) == 1


@pytest.mark.promise("chat-rules")
def test_the_check_of_cards_names_models_of_the_file_that_fast_agent_does_not_know(
    settings_of: Callable[..., Settings], tmp_path: Path
) -> None:
    chats = tmp_path / "chats.yaml"
    chats.write_text("chats:\n  1: {model: nobody.model}\n  2: {model: haiku}\n  3: {model: generic.any}\n")
    settings = settings_of(COHORT_CHATS=str(chats))
    assert looked_at(settings) == (
        [],
        [f"{chats}: chats.1: unknown model 'nobody.model'; its turns fail; write provider.model"],
    )
