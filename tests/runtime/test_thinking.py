"""What a model thinks reaches the sink apart from its answer, and never the answer or the history."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tasks.phrases import phrase
from tests.runtime.support import Configure, Open, Screen, ask
from tests.support.model import Model
from tests.support.provider import MODELS, Provider
from workers.interfaces import TurnFailed
from workers.runtime.conversation import history
from workers.runtime.turns.live_text import LiveText

WHOLE = {
    "in tags": "<think>\nThey greet me.\n</think>\n\nHello there",
    "without the opening mark": "They greet me.\n</think>\n\nHello there",
    "in gpt-oss's channels": "<|channel|>analysis<|message|>They greet me.<|end|><|start|>assistant"
    "<|channel|>final<|message|>Hello there",
}


@pytest.mark.promise("thoughts-apart")
@pytest.mark.parametrize("form", WHOLE)
@pytest.mark.parametrize("provider", MODELS)
async def test_thoughts_written_as_text_are_neither_answer_nor_history(
    runtime: Open, configure: Configure, provider: str, form: str
) -> None:
    text = WHOLE[form]
    for size in (len(text), 3):
        pieces = [("text", text[at : at + size]) for at in range(0, len(text), size)]
        async with Provider(pieces) as served:
            configure(served.configuration())
            async with runtime(COHORT_MODEL=MODELS[provider]) as engine:
                screen = Screen()
                result = await engine.run(ask(1, "hello"), screen)
        assert (result.text, screen.frames[-1].strip()) == ("Hello there", "Hello there")
        assert screen.thoughts.strip() == "They greet me."
        kept = json.dumps([message.model_dump(mode="json") for message in history.decode(result.history).messages])
        assert "They greet" not in kept
        assert "think" not in kept


@pytest.mark.promise("thoughts-apart")
@pytest.mark.parametrize("provider", MODELS)
async def test_thoughts_that_a_provider_sends_apart_reach_the_sink_as_such(
    runtime: Open, configure: Configure, provider: str
) -> None:
    async with Provider([("reasoning", "They "), ("reasoning", "greet me."), ("text", "Hello")]) as served:
        configure(served.configuration())
        async with runtime(COHORT_MODEL=MODELS[provider]) as engine:
            screen = Screen()
            result = await engine.run(ask(1, "hello"), screen)
    assert (result.text, screen.frames[-1], screen.thoughts) == ("Hello", "Hello", "They greet me.")


@pytest.mark.parametrize("provider", MODELS)
@pytest.mark.parametrize("pieces", [[("text", "<think>what to say")], [("reasoning", "what to say")]])
async def test_an_answer_that_is_only_thoughts_is_none_and_its_person_hears_that_the_model_thought(
    runtime: Open, configure: Configure, provider: str, pieces: list[tuple[str, str]]
) -> None:
    async with Provider(pieces) as served:
        configure(served.configuration())
        async with runtime(COHORT_MODEL=MODELS[provider]) as engine:
            screen = Screen()
            with pytest.raises(TurnFailed) as failure:
                await engine.run(ask(1, "hello"), screen)
    assert (failure.value.action, failure.value.words) == ("tell", phrase("fault-only-thoughts"))
    assert "what to say" in screen.thoughts


async def test_a_tool_call_after_thoughts_goes_on_and_its_thoughts_are_apart(runtime: Open, model: Model) -> None:
    model.fault(reply="<think>one</think>First", times=1)
    async with runtime() as engine:
        screen = Screen()
        first = await engine.run(ask(1, "hello"), screen)
        await engine.run(ask(1, "and now", history=first.history), Screen())
    assert first.text == "First"
    assert not any("think" in message["text"] for message in model.journal[-1].messages)


class Chunk:
    """As fast-agent's ``StreamChunk``."""

    def __init__(self, text: str = "", event: str | None = None) -> None:
        self.text, self.event, self.is_reasoning = text, event, False


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(sorted(WHOLE.values())), st.sets(st.integers(1, 60)))
def test_a_growing_answer_shows_no_mark_however_its_stream_is_cut(text: str, cuts: set[int]) -> None:
    screen = Screen()
    live = LiveText(screen)
    ends = [*sorted(cut for cut in cuts if cut < len(text)), len(text)]
    for start, end in zip([0, *ends], ends, strict=False):
        live(Chunk(text[start:end]))
    live(Chunk(event="commit"))
    assert screen.frames[-1] == "Hello there"
    assert screen.thoughts.strip() == "They greet me."
    if text.startswith("<"):
        assert not any("<" in frame for frame in screen.frames)


class Remembering(Screen):
    """Forgets what was thought when all text is taken back, as a worker's sinks do."""

    def text(self, so_far: str) -> None:
        self.thoughts = self.thoughts if so_far else ""
        super().text(so_far)


@pytest.mark.promise("thoughts-apart")
def test_what_was_thought_before_a_text_that_turns_out_as_thought_stays_a_thought() -> None:
    screen = Remembering()
    live = LiveText(screen)
    for piece in ("<think>one ", "<think>two", "</think>", " three", "</think>", "Hello there"):
        live(Chunk(piece))
    live(Chunk(event="commit"))
    assert screen.frames[-1] == "Hello there"
    assert [word for word in ("one", "two", "three") if word not in screen.thoughts] == []
    live(Chunk("<think>again</think>More"))
    live(Chunk(event="rollback"))
    live(Chunk("<think>once more</think>And more"))
    live(Chunk(event="commit"))
    assert screen.frames[-1] == "Hello there\n\nAnd more"
    assert screen.thoughts.count("one") == 1
