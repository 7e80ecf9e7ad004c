"""What ends a chat completion: the reason to stop, else ``[DONE]``; a count of tokens only where there is neither."""

from pathlib import Path

import pytest

from tasks.phrases import phrase
from tests.runtime.streams import CARD, DONE, TOOLS, Plays, call, chunk, said, sse, usage
from tests.runtime.support import Configure, Open, Screen, ask, card
from workers.interfaces import TurnFailed
from workers.runtime.engine import Engine

ROME = '{"zone": "Rome"}'
HALF = '{"zone": "Ro'
PROVIDERS = {"generic": "generic.mock", "openai": "openai.gpt-4.1-mini"}

STOP = chunk({}, "stop")
WHOLE = {
    "a reason, a count, [DONE]": sse(*said("All ", "well."), STOP, usage()) + DONE,
    "a reason and [DONE], no count": sse(*said("All ", "well."), STOP) + DONE,
    "a reason, then the connection closes": sse(*said("All ", "well."), STOP),
    "a reason in the last chunk of text": sse(*said("All "), chunk({"content": "well."}, "stop")),
    "no reason, [DONE]": sse(*said("All ", "well.")) + DONE,
    "no reason, a count at the end": sse(*said("All ", "well."), usage()),
    "no reason, a count, [DONE]": sse(*said("All ", "well."), usage()) + DONE,
    "empty reasons before the real one": sse(chunk({"content": "All "}, ""), chunk({"content": "well."}, "stop")),
    "a reason that is the word null": sse(chunk({"content": "All "}, "null"), chunk({"content": "well."})) + DONE,
    "a reason of another family": sse(*said("All ", "well."), chunk({}, "end_turn")),
    "a reason of a text generator": sse(*said("All ", "well."), chunk({}, "eos_token")),
    "a reason in capitals": sse(*said("All ", "well."), chunk({}, "STOP")),
    "an unknown reason": sse(*said("All ", "well."), chunk({}, "because")),
    "tool calls as the reason, with none": sse(*said("All ", "well."), chunk({}, "tool_calls")),
    "a chunk without a delta": sse(*said("All ", "well."), chunk(None, "stop")),
    "a comment and an empty chunk": b": ping\n\n" + sse(*said("All ", "well."), {**STOP, "choices": []}, STOP),
}

CUT = {
    reason: sse(*said("All ", "well."), chunk({}, reason), usage()) + DONE
    for reason in ("length", "max_tokens", "MAX_TOKENS", "model_length", "max_output_tokens", "token_limit")
} | {
    "within a tool call that came after text": sse(*said("All ", "well."), *call(HALF), chunk({}, "length")) + DONE,
    "within a tool call, said with it": sse(
        *said("All ", "well."), *call(HALF)[:-1], chunk(call(HALF)[-1]["choices"][0]["delta"], "length")
    ),
}

REFUSED = chunk({"refusal": "I cannot help with that."})
NONE = {
    "a refusal": (sse(chunk({"role": "assistant"}), REFUSED, STOP, usage()) + DONE, phrase("fault-refused")),
    "a refusal after text": (sse(*said("Well, "), REFUSED, STOP) + DONE, phrase("fault-refused")),
    "a refusal, then the connection closes": (sse(chunk({"role": "assistant"}), REFUSED), phrase("fault-refused")),
    "filtered": (sse(*said("Well, "), chunk({}, "content_filter")) + DONE, phrase("fault-refused")),
    "filtered before the first word": (sse(*said(), chunk({}, "content_filter")) + DONE, phrase("fault-refused")),
    "filtered, in another word": (sse(*said("Well, "), chunk({}, "SAFETY")) + DONE, phrase("fault-refused")),
    "filtered within a tool call": (
        sse(*said(), *call(HALF), chunk({}, "content_filter")) + DONE,
        phrase("fault-refused"),
    ),
    "the limit within a tool call": (sse(*said(), *call(HALF), chunk({}, "length")) + DONE, phrase("fault-length")),
    "the limit while it thought": (
        sse(*said(), chunk({"reasoning_content": "Hm."}), chunk({}, "length"), usage(900)) + DONE,
        phrase("fault-length"),
    ),
    "the limit while it thought out of sight": (
        sse(*said(), chunk({}, "length"), usage(900)) + DONE,
        phrase("fault-length"),
    ),
    "no room for a word": (sse(*said(), chunk({}, "length"), usage(0)) + DONE, phrase("fault-too-large")),
}

PASSING = {
    "an error as the reason": sse(*said("All "), chunk({}, "error")),
    "the network as the reason": sse(*said("All "), chunk({}, "network_error")) + DONE,
    "no capacity as the reason": sse(*said("All "), chunk({}, "insufficient_system_resource")) + DONE,
    "a tool call without an end": sse(*said(), *call(ROME)),
    "half a tool call without an end": sse(*said("All "), *call(HALF)),
}

ONE = {"index": 0, "id": "call_1", "type": "function"}
TOOL = {
    "tool calls as the reason": sse(*said(), *call(ROME), chunk({}, "tool_calls"), usage()) + DONE,
    "stop as the reason": sse(*said(), *call(ROME), STOP, usage()) + DONE,
    "an older reason": sse(*said(), *call(ROME), chunk({}, "function_call")) + DONE,
    "a reason of another family": sse(*said(), *call(ROME), chunk({}, "tool_use")),
    "no reason, [DONE]": sse(*said(), *call(ROME)) + DONE,
    "no reason, a count": sse(*said(), *call(ROME), usage()),
    "all in one chunk": sse(chunk({"tool_calls": [{**ONE, "function": {"name": "clock", "arguments": ROME}}]}, "stop")),
    "the reason before the call": sse(*said(), chunk({}, "stop"), *call(ROME)) + DONE,
    "text before the call": sse(*said("Let me see."), *call(ROME), chunk({}, "tool_calls")) + DONE,
}


async def play(engine: Engine) -> tuple[str, Screen]:
    screen = Screen()
    return (await engine.run(ask(1, "hello"), screen)).text, screen


@pytest.fixture(params=PROVIDERS)
def provider(request: pytest.FixtureRequest, cards: Path) -> str:
    card(cards, "tools.py", TOOLS)
    card(cards, "assistant.md", CARD.format(PROVIDERS[request.param]))
    return request.param


@pytest.mark.promise("model-faults")
async def test_each_end_of_a_chat_completion_is_what_its_words_say(
    runtime: Open, provider: str, configure: Configure
) -> None:
    async with Plays(b"") as server:
        configure({provider: {"api_key": "secret-key", "base_url": f"{server.url}/v1"}})
        async with runtime(COHORT_LANES="1") as engine:

            def now(*streams: bytes) -> None:
                server.streams, server.calls = list(streams), []

            for name, stream in WHOLE.items():
                now(stream)
                result = await engine.run(ask(1, "hello"), Screen())
                assert (result.text, result.cut, result.notices) == ("All well.", False, ()), name
                assert len(server.calls) == 1, name
            for name, stream in CUT.items():
                now(stream)
                result = await engine.run(ask(1, "hello"), Screen())
                assert (result.text, result.cut, len(server.calls)) == ("All well.", True, 1), name
                again = await engine.run(ask(1, "go on", history=result.history), Screen())
                assert "tool_calls" not in str(server.calls[-1]["messages"]), name
                assert again.text == "All well.", name
            for name, (stream, words) in NONE.items():
                now(stream)
                with pytest.raises(TurnFailed) as failure:
                    await play(engine)
                assert (failure.value.action, failure.value.words, len(server.calls)) == ("tell", words, 1), name
            for name, stream in PASSING.items():
                now(stream)
                screen = Screen()
                with pytest.raises(TurnFailed) as failure:
                    await engine.run(ask(1, "hello"), screen)
                assert (failure.value.action, screen.tools, len(server.calls)) == ("retry", [], 1), name
                assert screen.frames[-1:] in ([], [""]), name
            for name, stream in TOOL.items():
                now(stream, WHOLE["a reason, a count, [DONE]"])
                text, screen = await play(engine)
                assert text.endswith("All well."), name
                assert (screen.tools, len(server.calls)) == (["clock"], 2), name
                assert "noon in Rome" in str(server.calls[-1]["messages"]), name


@pytest.mark.promise("model-faults")
async def test_a_stream_that_ends_without_a_word_is_no_answer_of_a_model_that_has_one(
    runtime: Open, provider: str, configure: Configure
) -> None:
    async with Plays(WHOLE["a reason and [DONE], no count"]) as server:
        configure({provider: {"api_key": "secret-key", "base_url": f"{server.url}/v1"}})
        async with runtime() as engine:
            await play(engine)
            server.streams = [sse(*said("All ", "we"))]
            for _ in range(3):
                with pytest.raises(TurnFailed, match="retry"):
                    await play(engine)


@pytest.mark.promise("model-faults")
async def test_a_stream_that_ends_without_a_word_on_a_model_never_seen_is_tried_again_and_then_said_to_be_such(
    runtime: Open, provider: str, configure: Configure
) -> None:
    async with Plays(sse(*said("All ", "we"))) as server:
        configure({provider: {"api_key": "secret-key", "base_url": f"{server.url}/v1"}})
        async with runtime() as engine:
            with pytest.raises(TurnFailed, match="retry"):
                await play(engine)
            for _ in range(2):
                result = await engine.run(ask(1, "hello"), Screen())
                assert (result.text, result.notices) == ("All we", (phrase("broke-off"),))
            server.streams = [WHOLE["no reason, [DONE]"]]
            assert (await engine.run(ask(1, "hello"), Screen())).notices == ()
            server.streams = [sse(*said("All ", "we"))]
            with pytest.raises(TurnFailed, match="retry"):
                await play(engine)


async def test_a_count_that_comes_once_is_not_asked_for_ever_after(
    runtime: Open, provider: str, configure: Configure
) -> None:
    counted, plain = WHOLE["a reason, a count, [DONE]"], WHOLE["a reason and [DONE], no count"]
    async with Plays(counted, plain) as server:
        configure({provider: {"api_key": "secret-key", "base_url": f"{server.url}/v1"}})
        async with runtime() as engine:
            assert [(await play(engine))[0] for _ in range(4)] == ["All well."] * 4
        assert len(server.calls) == 4
