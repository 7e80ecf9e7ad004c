"""Each fault of a model server, through the real providers: the right action, nothing shown, nothing remembered."""

from pathlib import Path

import pytest
from llmock.pytest_plugin import LLMock

from tests.runtime.support import PROVIDERS, Configure, Open, Screen, ask, card
from tests.support.model import Model
from workers.interfaces import TurnFailed
from workers.runtime.engine import Engine

CONTEXT = {"status": 400, "code": "context_length_exceeded", "message": "maximum context length is 10 tokens"}

ROWS = {
    "401": ({"status": 401}, "operator"),
    "403": ({"status": 403}, "operator"),
    "404": ({"status": 404}, "operator"),
    "429": ({"status": 429}, "retry"),
    "429 quota": ({"status": 429, "code": "insufficient_quota"}, "operator"),
    "500": ({"status": 500}, "retry"),
    "529": ({"status": 529}, "retry"),
    "413": ({"status": 413}, "tell"),
    "400 context": (CONTEXT, "tell"),
    "400 other": ({"status": 400}, "tell"),
    "400 filter": ({"status": 400, "code": "content_filter"}, "tell"),
    "hang up": ({"mode": "hangup"}, "retry"),
    "dropped mid-stream": ({"mode": "drop"}, "retry"),
    "clean end, nothing finished": ({"mode": "truncate"}, "retry"),
    "malformed chunk": ({"mode": "malformed"}, "retry"),
    "empty reply": ({"mode": "empty"}, "tell"),
}


async def failed(engine: Engine, *, history: bytes | None = None, chat: int = 1) -> tuple[TurnFailed, Screen]:
    screen = Screen()
    with pytest.raises(TurnFailed) as failure:
        await engine.run(ask(chat, "please", history=history), screen)
    return failure.value, screen


@pytest.mark.promise("model-faults")
async def test_each_fault_has_its_action_and_leaves_no_trace(runtime: Open, model: Model) -> None:
    seen = {}
    async with runtime(COHORT_LANES="1") as engine:
        before = await engine.run(ask(1, "one"), Screen())
        for name, (fault, _) in ROWS.items():
            model.fault(**fault, times=None)
            failure, screen = await failed(engine, history=before.history)
            seen[name] = failure.action
            assert screen.frames in ([], ["echo:", ""]), f"{name}: what was shown is taken back"
            assert "please" not in failure.words + failure.detail
            model.clear()
            after = await engine.run(ask(1, "two", history=before.history), Screen())
            assert after.text == "echo: two [n=2]", name
    assert seen == {name: action for name, (_, action) in ROWS.items()}


async def test_a_provider_that_cannot_be_reached_is_tried_again_later(runtime: Open, configure: Configure) -> None:
    configure({"generic": {"base_url": "http://127.0.0.1:1/v1", "api_key": "x"}})
    async with runtime() as engine:
        failure, _ = await failed(engine)
    assert failure.action == "retry"


async def test_a_model_that_falls_silent_is_given_up_and_tried_again_later(
    runtime: Open, model: Model, cards: Path
) -> None:
    text = "---\nmodel: generic.mock\nrequest_params: {streaming_timeout: 0.3}\n---\nYou.\n"
    card(cards, "assistant.md", text)
    async with runtime() as engine:
        for fault in ({"mode": "stall"}, {"mode": "hang"}):
            model.fault(**fault, times=None)
            failure, _ = await failed(engine)
            assert failure.action == "retry"
            model.clear()


async def test_a_conversation_that_became_too_long_is_shortened_and_answered(runtime: Open, model: Model) -> None:
    history = None
    async with runtime() as engine:
        for turn in range(6):
            history = (await engine.run(ask(1, f"turn {turn}", history=history), Screen())).history
        model.fault(**CONTEXT)
        result = await engine.run(ask(1, "and now", history=history), Screen())
    assert result.text == "echo: and now [n=4]"
    assert "COMPACTED HISTORY" in model.journal[-1].messages[1]["text"]
    assert "CHECKPOINT COMPACTION" in model.journal[-2].last


async def test_a_missing_key_is_for_the_operator(runtime: Open, model: Model, configure: Configure) -> None:
    configure({})
    async with runtime(COHORT_MODEL="anthropic.claude-haiku-4-5") as engine:
        failure, _ = await failed(engine)
    assert failure.action == "operator"
    assert "anthropic" in failure.detail


@pytest.mark.promise("model-faults")
@pytest.mark.parametrize("provider", PROVIDERS)
async def test_every_provider_tells_a_passing_fault_from_a_lasting_one(
    runtime: Open, provider: str, llmock: LLMock, configure: Configure
) -> None:
    name, path, more = PROVIDERS[provider]
    configure({provider: {"api_key": "secret-key", "base_url": llmock.base_url(path), **more}})
    actions = {}
    async with runtime(COHORT_LANES="1", COHORT_MODEL=name) as engine:
        for status in (401, 429, 500, 400):
            llmock.reset().tool_mode("off")
            llmock.fail(status, times=None, retry_after=0.01)
            actions[status] = (await failed(engine, chat=status))[0].action
        # The OpenAI provider asks again without a stream when one was cut, and gets its answer.
        for fault in ("disconnect", "corrupt") if provider == "openai" else ("disconnect", "corrupt", "truncate"):
            llmock.reset().tool_mode("off")
            getattr(llmock, fault)(times=None)
            actions[fault] = (await failed(engine, chat=2))[0].action
        llmock.reset().tool_mode("off")
        assert (await engine.run(ask(3, "hello"), Screen())).text
    lasting = {401: "operator", 400: "tell"}
    assert actions == dict.fromkeys(actions, "retry") | lasting
