"""An answer without end: it is cut, its stream is ended, and other chats go on meanwhile."""

import asyncio
from collections import Counter
from collections.abc import Awaitable
from contextlib import suppress
from dataclasses import replace
from itertools import repeat

import pytest
from fast_agent.llm.stream_types import StreamChunk

from tasks.phrases import phrase
from tests.runtime.support import Configure, Open, Screen, ask, until
from tests.support.provider import MODELS, Provider
from workers.interfaces import TurnFailed
from workers.runtime.conversation import history
from workers.runtime.streams.meter import ARGUMENTS, TEXT, Meter, allowance
from workers.runtime.turns.live_text import LiveText
from workers.showing import Step
from workers.usage import Usage

MOST = 20_000
CHUNK = "0123456789" * 100


@pytest.mark.promise("answer-bounded")
@pytest.mark.parametrize("provider", MODELS)
async def test_an_answer_without_end_is_cut_kept_and_its_stream_ended(
    runtime: Open, configure: Configure, provider: str
) -> None:
    async with Provider(repeat(("text", CHUNK)), burst=4) as served:
        configure(served.configuration())
        async with runtime(COHORT_MODEL=MODELS[provider], COHORT_ANSWER_MAX=str(MOST)) as engine:
            screen = Screen()
            result = await engine.run(ask(1, "hello"), screen)
            assert result.cut
            assert result.text == CHUNK * (MOST // len(CHUNK)) == screen.frames[-1]
            assert history.decode(result.history).messages[-1].all_text() == result.text
            assert result.usage.output_tokens == MOST // 4, "what was read is charged"
            served.said = [[("text", "fine")]]
            assert (await engine.run(ask(1, "and now", history=result.history), Screen())).text == "fine"
    assert len(served.sent) == 2, "it is not tried again"
    assert served.left == [True, False], "its connection was broken off"


@pytest.mark.parametrize("provider", MODELS)
async def test_one_piece_of_three_megabytes_is_cut_too(runtime: Open, configure: Configure, provider: str) -> None:
    async with Provider([("text", "x" * 3_000_000)]) as served:
        configure(served.configuration())
        async with runtime(COHORT_MODEL=MODELS[provider], COHORT_ANSWER_MAX=str(MOST)) as engine:
            screen = Screen()
            result = await engine.run(ask(1, "hello"), screen)
    assert (result.cut, result.text) == (True, "x" * MOST)
    assert max(map(len, screen.frames)) == MOST


@pytest.mark.parametrize("kind", ["reasoning", "arguments"])
@pytest.mark.parametrize("provider", MODELS)
async def test_what_is_no_answer_and_never_ends_is_told(
    runtime: Open, configure: Configure, provider: str, kind: str
) -> None:
    said = repeat(("call" if provider == "google" else kind, '{"a": "' + "y" * 900 + '"}'))
    if kind == "arguments" and provider != "google":
        said = _call_and(said)
    async with Provider(said, burst=4) as served:
        configure(served.configuration())
        async with runtime(COHORT_MODEL=MODELS[provider], COHORT_ANSWER_MAX=str(MOST)) as engine:
            with pytest.raises(TurnFailed) as failure:
                await engine.run(ask(1, "hello"), Screen())
    assert (failure.value.action, failure.value.words) == ("tell", phrase("fault-endless"))
    assert len(served.sent) == 1, "it is not tried again"


def _call_and(said):
    yield "text", " "
    yield "call", '{"b": 1, '
    yield from said


async def test_words_before_a_tool_call_without_end_are_kept(runtime: Open, configure: Configure) -> None:
    def said():
        yield "text", "I will write a file."
        yield from _call_and(repeat(("arguments", "z" * 500)))

    for provider in ("generic", "openai", "anthropic", "responses"):
        async with Provider(said(), burst=4) as served:
            configure(served.configuration())
            async with runtime(COHORT_MODEL=MODELS[provider], COHORT_ANSWER_MAX=str(MOST)) as engine:
                result = await engine.run(ask(1, "hello"), Screen())
        assert (result.text, result.cut) == ("I will write a file.", True), provider


async def test_other_tasks_run_between_the_pieces_of_a_burst(runtime: Open, configure: Configure) -> None:
    rounds, seen = 0, Counter[int]()

    class Looking(Screen):
        def more(self, text: str) -> None:
            seen[rounds] += 1

    async with Provider([("text", f"w{place} ") for place in range(2000)], burst=5000) as served:
        configure(served.configuration())
        async with runtime(COHORT_MODEL=MODELS["generic"]) as engine, asyncio.TaskGroup() as group:
            turn = group.create_task(engine.run(ask(2, "hello"), Looking()), name="turn")
            while not turn.done():
                rounds += 1
                await asyncio.sleep(0)
    assert seen.total() == 2000
    assert max(seen.values()) <= 16, "at most so many pieces are read before others have their turn"


def test_a_piece_costs_the_same_however_long_the_answer_is() -> None:
    class Sink:
        def __init__(self) -> None:
            self.characters = 0

        def text(self, so_far: str) -> None:
            self.characters += len(so_far)

        def more(self, text: str) -> None:
            self.characters += len(text)

        def thought(self, text: str) -> None: ...

        def heard(self, words: str) -> None: ...

        def step(self, step: Step) -> None: ...

        def phase(self, words: str) -> None: ...

    sink = Sink()
    live = LiveText(sink)
    for _ in range(1000):
        live(StreamChunk(text=CHUNK))
    assert sink.characters == 1000 * len(CHUNK)


def test_all_calls_of_a_turn_have_one_allowance() -> None:
    left = allowance(10)
    first, second = Meter(left), Meter(left)
    one = {"choices": [{"delta": {"content": "12345678"}}]}
    two = {"choices": [{"delta": {"content": "12345678"}}]}
    assert first.take(one)
    assert not first.over
    assert second.take(two)
    assert second.over
    assert two["choices"][0]["delta"]["content"] == "12"
    assert (left[TEXT], left[ARGUMENTS]) == (0, 10)


@pytest.mark.promise("budgets")
@pytest.mark.parametrize("kind", ["reasoning", "text", "stopped"])
async def test_a_call_that_is_broken_off_is_paid_as_far_as_it_came(
    runtime: Open, configure: Configure, kind: str
) -> None:
    paid: list[Usage] = []
    request = replace(ask(1, "hello"), spent=paid.append)
    async with Provider(repeat(("reasoning" if kind == "reasoning" else "text", CHUNK)), burst=4) as served:
        configure(served.configuration())
        async with (
            runtime(COHORT_ANSWER_MAX="1000000" if kind == "stopped" else str(MOST)) as engine,
            asyncio.TaskGroup() as group,
        ):
            screen = Screen()
            turn = group.create_task(_ended(engine.run(request, screen)), name="turn")
            if kind == "stopped":
                await until(lambda: len(screen.frames) > 4)
                turn.cancel()
    assert sum(usage.output_tokens for usage in paid) >= (1000 if kind == "stopped" else MOST // 4)
    assert len(paid) == 1


async def _ended(turn: Awaitable[object]) -> None:
    with suppress(TurnFailed):
        await turn
