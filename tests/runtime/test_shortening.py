"""No conversation is stuck because it no longer fits its model, in whatever words that is said or not said."""

import random
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from tasks.phrases import phrase
from tests.runtime.support import Configure, Open, Screen, ask, card
from tests.support.model import Model
from tests.support.script import text_of
from tests.support.wire import Request
from workers.interfaces import TurnFailed, TurnResult
from workers.runtime.conversation import history
from workers.runtime.engine import Engine
from workers.runtime.turns.shortening import LEFT_OUT

SUMMARY = "COMPACTION"
TOKEN = 4
"""Characters."""


class LlamaCpp(Model):
    """Refuses as llama.cpp's server does: ``window`` in tokens. ``poison``: a word that it does not take at all."""

    def __init__(self) -> None:
        super().__init__()
        self.window = 1_000_000
        self.poison = "\0"
        self.refused = 0

    async def handle(self, request: Request) -> None:
        if request.path.endswith("completions"):
            texts = [text_of(message.get("content")) for message in request.json()["messages"]]
            tokens = sum(map(len, texts)) // TOKEN
            if tokens > self.window:
                self.refused += 1
                words = f"request ({tokens} tokens) exceeds the available context size ({self.window} tokens)"
                return await self._refuse(
                    request, words, type="exceed_context_size_error", n_prompt_tokens=tokens, n_ctx=self.window
                )
            if any(self.poison in text for text in texts):
                self.refused += 1
                return await self._refuse(request, "Invalid value", type="invalid_request_error")
        return await super().handle(request)

    @staticmethod
    async def _refuse(request: Request, words: str, **more: object) -> None:
        await request.respond({"error": {"code": 400, "message": words, **more}}, 400)


@pytest.fixture
async def server(configure: Configure) -> AsyncGenerator[LlamaCpp]:
    async with LlamaCpp() as server:
        configure({"generic": {"base_url": f"{server.url}/v1", "api_key": "secret-key"}})
        yield server


async def talk(engine: Engine, *texts: str, after: bytes | None = None) -> TurnResult:
    """A conversation."""
    said: TurnResult | None = None
    for text in texts:
        said = await engine.run(ask(1, text, history=said.history if said else after), Screen())
    assert said is not None
    return said


def texts_of(result: TurnResult) -> list[str]:
    return [message.all_text() for message in history.decode(result.history).messages]


@pytest.mark.promise("model-faults")
@pytest.mark.parametrize("seed", range(4))
async def test_a_conversation_of_any_length_goes_on_in_a_small_window(
    runtime: Open, server: LlamaCpp, seed: int
) -> None:
    sizes = random.Random(seed)
    server.window = 1000
    said: TurnResult | None = None
    async with runtime() as engine:
        for turn in range(15):
            text = f"turn {turn} " + "x" * sizes.choice((5, 100, 900, 1500))
            said = await engine.run(ask(1, text, history=said.history if said else None), Screen())
            assert f"turn {turn} " in said.text
    assert server.refused
    assert any("COMPACTED HISTORY" in call.messages[1]["text"] for call in server.journal)


async def test_a_conversation_that_is_too_long_even_to_be_summarised_goes_on_without_its_oldest_part(
    runtime: Open, server: LlamaCpp
) -> None:
    async with runtime() as engine:
        long = await talk(engine, *(f"turn {turn} " + "x" * 1000 for turn in range(12)))
        server.window = 1500
        said = await talk(engine, "and now", after=long.history)
        assert said.text.startswith("echo: and now ")
        assert said.notices == (LEFT_OUT,)
        assert "turn 11" in str(texts_of(said)), "the newest part is there"
        again = await talk(engine, "go on", after=said.history)
    assert (again.text.startswith("echo: go on "), again.notices) == (True, ())


async def test_a_long_conversation_can_be_shortened_by_hand_in_a_small_window(runtime: Open, server: LlamaCpp) -> None:
    async with runtime() as engine:
        long = await talk(engine, *(f"turn {turn} " + "x" * 1000 for turn in range(12)))
        server.window = 1500
        done = await engine.compact(ask(1, "", history=long.history))
        assert done.text.startswith("Done. I've shortened 24 messages to ")
        assert (await talk(engine, "and now", after=done.history)).text.startswith("echo: and now ")


async def test_a_message_that_is_too_large_alone_is_said_to_be_and_the_conversation_stays(
    runtime: Open, server: LlamaCpp
) -> None:
    server.window = 1000
    async with runtime() as engine:
        before = await talk(engine, "one", "two")
        for remembered in (None, before.history):
            with pytest.raises(TurnFailed) as failure:
                await talk(engine, "x" * 10_000, after=remembered)
            assert (failure.value.action, failure.value.words) == ("tell", phrase("fault-too-large"))
        assert (await talk(engine, "three", after=before.history)).text == "echo: three [n=3]"


@pytest.mark.promise("model-faults")
async def test_an_unknown_refusal_within_a_conversation_is_answered_after_a_summary(
    runtime: Open, server: LlamaCpp
) -> None:
    async with runtime() as engine:
        before = await talk(engine, *(f"turn {turn}" for turn in range(5)))
        server.fault(status=400, match="and now")
        said = await talk(engine, "and now", after=before.history)
    assert said.text.startswith("echo: and now ")
    assert SUMMARY in server.journal[-2].last
    assert "COMPACTED HISTORY" in server.journal[-1].messages[1]["text"]


async def test_a_message_that_is_refused_with_and_without_its_conversation_costs_one_summary_and_is_told(
    runtime: Open, server: LlamaCpp
) -> None:
    async with runtime() as engine:
        before = await talk(engine, *(f"turn {turn}" for turn in range(5)))
        calls = len(server.journal)
        server.fault(match=SUMMARY, reply="they counted")
        server.fault(status=400, match="and now", times=None)
        with pytest.raises(TurnFailed) as failure:
            await talk(engine, "and now", after=before.history)
        assert failure.value.words == phrase("fault-unusable")
        assert [SUMMARY in call.last for call in list(server.journal)[calls:]] == [False, True, False, False]
        assert (await talk(engine, "next", after=before.history)).text == "echo: next [n=6]"


async def test_a_refused_first_message_is_not_tried_with_less(runtime: Open, server: LlamaCpp) -> None:
    server.fault(status=400, times=None)
    async with runtime() as engine:
        with pytest.raises(TurnFailed) as failure:
            await talk(engine, "hello")
    assert (failure.value.words, len(server.journal)) == (phrase("fault-unusable"), 1)


@pytest.mark.parametrize("place", [0, 3, 5])
async def test_a_conversation_with_a_message_that_the_model_refuses_ever_after_goes_on_without_it(
    runtime: Open, server: LlamaCpp, place: int
) -> None:
    async with runtime() as engine:
        turns = [f"turn {turn}" + (" poison" if turn == place else "") for turn in range(6)]
        before = await talk(engine, *turns)
        server.poison = "poison"
        said = await talk(engine, "and now", after=before.history)
        assert "and now" in said.text
        assert said.notices == (LEFT_OUT,)
        assert "poison" not in str(texts_of(said))
        assert (await talk(engine, "go on", after=said.history)).notices == ()


TOOL = '''
import os

def big() -> str:
    """A large thing."""
    with open({path!r}, "a") as note:
        note.write("x")
    return "y" * 20_000
'''


@pytest.mark.parametrize("turns", [0, 4])
async def test_a_tool_whose_result_is_too_large_is_not_called_over_and_over(
    runtime: Open, server: LlamaCpp, cards: Path, turns: int
) -> None:
    ran = cards.parent / "ran"
    (cards / "tools.py").write_text(TOOL.format(path=str(ran)))
    text = "---\nname: assistant\nmodel: generic.mock\nfunction_tools: [tools.py:big]\n---\nYou.\n"
    card(cards, "assistant.md", text)
    server.window = 2000
    async with runtime() as engine:
        before = await talk(engine, *(f"turn {turn}" for turn in range(turns))) if turns else None
        with pytest.raises(TurnFailed) as failure:
            await talk(engine, "CALL:big", after=before.history if before else None)
    assert failure.value.words == phrase("fault-tools-too-large")
    assert ran.read_text() == ("xx" if turns else "x")


MEMBER = "---\nname: {name}\nmodel: generic.mock\ntool_only: true\n---\nYou are {name}.\n"


async def test_a_workflows_members_go_on_in_a_small_window_too(runtime: Open, server: LlamaCpp, cards: Path) -> None:
    (cards / "assistant.md").unlink()
    for name in ("writer", "editor"):
        card(cards, f"{name}.md", MEMBER.format(name=name))
    card(cards, "chain.md", "---\nname: chain\ntype: chain\nsequence: [writer, editor]\n---\n")
    async with runtime() as engine:
        long = await talk(engine, *(f"turn {turn} " + "x" * 500 for turn in range(6)))
        server.window = 1000
        said = await talk(engine, "and now", after=long.history)
        assert (said.text.startswith("echo: echo: and now"), said.notices) == (True, (LEFT_OUT,))
        assert (await talk(engine, "go on", after=said.history)).text.startswith("echo: echo: go on")
