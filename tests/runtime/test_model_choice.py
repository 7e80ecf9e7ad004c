"""A session's choice of a model: every agent that works for it follows, and what cannot be chosen is said in words."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.runtime.support import Configure, Open, Screen, StillClock, ask, card
from tests.support.model import Model
from workers.interfaces import TurnFailed
from workers.runtime.models.breaker import CHATS_TO_OPEN, FIRST_PAUSE_S

MEMBER = "---\nname: {name}\n{model}tool_only: true\n---\nYou are {name}.\n"
CALL = 'CALL:writer{"message": "a poem"}'


def route(model: Model) -> None:
    model.fault(reply=json.dumps({"agent": "editor", "confidence": "high", "reasoning": "it says so"}))


def plan(model: Model) -> None:
    step = {"description": "first", "tasks": [{"description": "compose it", "agent": "writer"}], "is_complete": False}
    model.fault(match="No steps executed yet", reply=json.dumps(step))
    model.fault(match="Step 1", reply=json.dumps({"description": "", "tasks": [], "is_complete": True}))


def judge(model: Model) -> None:
    good = {"rating": "EXCELLENT", "feedback": "", "needs_improvement": False, "focus_areas": []}
    model.fault(match="evaluate a response", reply=json.dumps(good))


KINDS: dict[str, tuple[str, Callable[[Model], None], int]] = {
    "chain": ("type: chain\nsequence: [writer, editor]\n", lambda _: None, 2),
    "router": ("type: router\nagents: [writer, editor]\n", route, 2),
    "parallel": ("type: parallel\nfan_out: [writer, editor]\n", lambda _: None, 2),
    "parallel with a fan-in": ("type: parallel\nfan_out: [writer]\nfan_in: editor\n", lambda _: None, 2),
    "orchestrator": ("type: orchestrator\nagents: [writer, editor]\n", plan, 3),
    "iterative planner": ("type: iterative_planner\nagents: [writer, editor]\n", plan, 3),
    "evaluator": ("type: evaluator_optimizer\ngenerator: writer\nevaluator: editor\n", judge, 2),
    "maker": ("type: MAKER\nworker: writer\nk: 1\n", lambda _: None, 1),
    "agents as tools": ("agents: [writer]\n", lambda _: None, 3),
}
"""Kind -> what its card says, what the model has to answer, and how many calls of a model there are at least."""


@pytest.mark.promise("choice-per-session")
@pytest.mark.parametrize("named", [True, False], ids=["cards name a model", "the configuration does"])
@pytest.mark.parametrize("kind", KINDS)
async def test_every_agent_that_works_for_a_session_takes_its_model_and_no_other_session_does(
    runtime: Open, model: Model, cards: Path, configure: Configure, *, kind: str, named: bool
) -> None:
    text, arrange, calls = KINDS[kind]
    own = "model: generic.mock\n" if named else ""
    configure({"default_model": "generic.mock", "generic": {"base_url": f"{model.url}/v1", "api_key": "k"}})
    (cards / "assistant.md").unlink()
    for name in ("writer", "editor"):
        card(cards, f"{name}.md", MEMBER.format(name=name, model=own))
    card(cards, "lead.md", f"---\nname: lead\ndefault: true\n{own if 'type' not in text else ''}{text}---\nYou lead.\n")
    said = CALL if kind == "agents as tools" else "a poem please"
    async with runtime(COHORT_LANES="1", COHORT_MODELS="generic.other") as engine:
        seen = []
        for chat, chosen in ((1, "generic.other"), (2, None), (1, "generic.other")):
            model.clear()
            arrange(model)
            before = len(model.journal)
            await engine.run(ask(chat, said, model=chosen), Screen())
            seen.append([call.model for call in list(model.journal)[before:]])
    assert [set(models) for models in seen] == [{"other"}, {"mock"}, {"other"}]
    assert min(map(len, seen)) >= calls


REFUSED = {
    "401": {"status": 401},
    "403": {"status": 403, "message": "Project does not have access to model other"},
    "404": {"status": 404, "message": "The model `other` does not exist or you do not have access to it."},
    "400 Mistral": {"status": 400, "code": "invalid_model", "message": "Invalid model: other"},
    "400 OpenRouter": {"status": 400, "message": "other is not a valid model ID"},
    "400 Groq": {"status": 400, "message": "The model `other` has been decommissioned", "code": "model_decommissioned"},
    "quota": {"status": 429, "code": "insufficient_quota"},
}
"""How providers say that a model is none for this key."""


@pytest.mark.promise("model-refused")
@pytest.mark.parametrize("how", REFUSED)
@pytest.mark.parametrize("agent", ["assistant", "both"])
async def test_a_chosen_model_that_its_provider_refuses_is_said_in_words_and_told_to_the_operator(
    runtime: Open, model: Model, cards: Path, how: str, agent: str
) -> None:
    card(cards, "both.md", "---\nname: both\ntype: chain\nsequence: [assistant]\n---\n")
    async with runtime(COHORT_LANES="1", COHORT_MODELS="generic.other") as engine:
        model.fault(times=None, **REFUSED[how])
        with pytest.raises(TurnFailed) as failure:
            await engine.run(ask(1, "hi", agent=agent, model="generic.other"), screen := Screen())
        assert (failure.value.action, failure.value.cause) == ("operator", "model generic.other")
        assert "generic.other doesn't work here" in failure.value.words
        assert "/model default" in failure.value.words
        assert not any(screen.frames)
        model.clear()
        assert (await engine.run(ask(1, "hi"), Screen())).text == "echo: hi [n=1]"


@pytest.mark.promise("model-refused")
@pytest.mark.parametrize("agent", ["assistant", "both"])
@pytest.mark.parametrize(
    "name",
    [
        "no-such-model",
        "nobody.model",
        "$system.nothing",
        "openai.gpt-5.4-mini",
        "haiku",
        "gemini",
        "bedrock.x",
        "azure.x",
    ],
)
async def test_a_chosen_model_without_a_key_or_that_fast_agent_does_not_know_is_said_in_words(
    runtime: Open, model: Model, cards: Path, monkeypatch: pytest.MonkeyPatch, *, name: str, agent: str
) -> None:
    for key in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GOOGLE_API_KEY", "GEMINI_API_KEY", "AZURE_OPENAI_API_KEY"):
        monkeypatch.delenv(key, raising=False)
    card(cards, "both.md", "---\nname: both\ntype: chain\nsequence: [assistant]\n---\n")
    async with runtime(COHORT_LANES="1", COHORT_MODELS=name) as engine:
        with pytest.raises(TurnFailed) as failure:
            await engine.run(ask(1, "hi", agent=agent, model=name), Screen())
        assert failure.value.action == "operator"
        assert f"{name} doesn't work here" in failure.value.words
        assert (await engine.run(ask(2, "hi", agent=agent), Screen())).text == "echo: hi [n=1]"
        assert engine.lanes.made == 1, "its lane, with the servers in it, is the one that answers the next chat"
    assert len(model.journal) == 1


@pytest.mark.promise("choice-gone")
@pytest.mark.parametrize("models", ["", "generic.third"])
async def test_a_model_that_can_no_longer_be_chosen_is_told_and_taken_back(
    runtime: Open, model: Model, models: str
) -> None:
    async with runtime(COHORT_MODELS=models) as engine:
        answered = await engine.run(ask(1, "hi", model="generic.other"), Screen())
        shorter = await engine.compact(ask(1, "", history=answered.history, model="generic.other"))
    assert {call.model for call in model.journal} == {"mock"}
    for result in (answered, shorter):
        assert result.dropped == ("model",)
        assert result.notices == (
            "The model generic.other isn't available any more, so the default model answers from now on.",
        )


@pytest.mark.promise("choice-gone")
async def test_an_agent_that_is_gone_is_told_and_taken_back_and_a_member_is_no_choice(
    runtime: Open, cards: Path
) -> None:
    card(cards, "writer.md", MEMBER.format(name="writer", model="model: generic.mock\n"))
    async with runtime(COHORT_MODELS="generic.other") as engine:
        for agent in ("removed", "writer"):
            answered = await engine.run(ask(1, "hi", agent=agent, model="generic.other"), Screen())
            assert answered.dropped == ("agent",)
            assert answered.notices == (
                f"The agent {agent} isn't available any more, so assistant answers from now on.",
            )
        plain = await engine.run(ask(1, "hi", agent="assistant", model="generic.other"), Screen())
    assert (plain.dropped, plain.notices) == ((), ())


async def test_a_member_that_only_echoes_goes_on_echoing(runtime: Open, model: Model, cards: Path) -> None:
    card(cards, "join.md", "---\nname: join\nmodel: passthrough\ntool_only: true\n---\nYou join.\n")
    card(cards, "both.md", "---\nname: both\ntype: parallel\nfan_out: [assistant]\nfan_in: join\n---\n")
    async with runtime(COHORT_MODELS="generic.other") as engine:
        first = await engine.run(ask(1, "hi", agent="both", model="generic.other"), Screen())
        again = await engine.run(ask(1, "hi", history=first.history, agent="both", model="generic.other"), Screen())
    assert [call.model for call in model.journal] == ["other", "other"]
    assert 'agent="assistant">\necho: hi [n=2]' in again.text


@pytest.mark.promise("choice-per-session")
async def test_a_choice_outlives_the_summary_that_its_turn_begins_with_and_not_the_turn(
    runtime: Open, model: Model, configure: Configure, cards: Path
) -> None:
    configure({"default_model": "generic.mock", "generic": {"base_url": f"{model.url}/v1", "api_key": "k"}})
    card(cards, "assistant.md", "---\nname: assistant\n---\nYou.\n")
    async with runtime(COHORT_LANES="1", COHORT_MODELS="generic.other", COHORT_HISTORY_MESSAGES="4") as engine:
        history = None
        for turn in range(4):
            said = ask(1, f"turn {turn}", history=history, model="generic.other")
            history = (await engine.run(said, Screen())).history
        assert any("COMPACTION" in call.last for call in model.journal)
        assert {call.model for call in model.journal} == {"other"}
        await engine.run(ask(2, "hello"), Screen())
    assert model.journal[-1].model == "mock"


async def test_what_stands_in_during_an_outage_answers_no_turn_after_it(
    runtime: Open, model: Model, configure: Configure, cards: Path, clock: StillClock
) -> None:
    configure({"default_model": "generic.mock", "generic": {"base_url": f"{model.url}/v1", "api_key": "k"}})
    card(cards, "assistant.md", "---\nname: assistant\n---\nYou.\n")
    model.fault(mode="drop", times=CHATS_TO_OPEN)
    async with runtime(COHORT_LANES="1", COHORT_FALLBACK_MODEL="generic.spare") as engine:
        for chat in range(CHATS_TO_OPEN):
            with pytest.raises(TurnFailed):
                await engine.run(ask(chat, "hello"), Screen())
        await engine.run(ask(8, "hello"), Screen())
        clock.seconds += FIRST_PAUSE_S
        await engine.run(ask(9, "hello"), Screen())
    assert [call.model for call in list(model.journal)[-2:]] == ["spare", "mock"]
