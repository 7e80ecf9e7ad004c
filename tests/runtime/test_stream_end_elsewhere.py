"""What ends an answer of Anthropic, Google and OpenAI's responses: their reasons to stop, in their own streams."""

from pathlib import Path

import pytest

from tasks.phrases import phrase
from tests.runtime import streams
from tests.runtime.response_streams import Sockets
from tests.runtime.streams import (
    CARD,
    GOOGLE_CALL,
    TOOLS,
    Plays,
    anthropic,
    function_call,
    google,
    item,
    output_text,
    response,
    responses,
    sse,
    text_block,
    tool_block,
)
from tests.runtime.support import PROVIDERS, Configure, Open, Screen, ask, card
from workers.interfaces import TurnFailed

ROME, HALF = '{"zone": "Rome"}', '{"zone": "Ro'
WELL = text_block(0, "All well.")
THOUGHT = streams.block(
    0, {"type": "thinking", "thinking": "", "signature": ""}, {"type": "thinking_delta", "thinking": "Hm."}
)
G_WELL = {"text": "All well."}
R_WELL = item(output_text("All well."))
LIMIT = {"incomplete_details": {"reason": "max_output_tokens"}}
REFUSAL = {"type": "refusal", "refusal": "I can't help with that."}

WHOLE = {
    "anthropic": {
        "end_turn": anthropic(WELL),
        "stop_sequence": anthropic(WELL, stop="stop_sequence"),
        "an unknown reason": anthropic(WELL, stop="because"),
        "no last event": anthropic(WELL, ended=False),
    },
    "google": {
        "STOP": sse(google(G_WELL, finish="STOP")),
        "STOP, then a count alone": sse(google(G_WELL, finish="STOP", counted=False), google()),
        "STOP in a chunk of its own": sse(google(G_WELL, counted=False), google(finish="STOP")),
        "STOP, never counted": sse(google(G_WELL, finish="STOP", counted=False)),
        "STOP before the last words": sse(google({"text": "All "}, finish="STOP"), google({"text": "well."})),
    },
    "responses": {
        "completed": responses("completed", response("completed", R_WELL), text="All well."),
        "done": responses("done", response("completed", R_WELL), text="All well."),
        "never counted": responses("completed", response("completed", R_WELL, usage=None), text="All well."),
    },
}

CUT = {
    "anthropic": {
        "max_tokens": anthropic(WELL, stop="max_tokens"),
        "the context's end": anthropic(WELL, stop="model_context_window_exceeded"),
        "max_tokens within a tool call": anthropic(WELL, tool_block(1, HALF), stop="max_tokens"),
        "max_tokens within a tool call that stays open": anthropic(
            WELL, tool_block(1, HALF, closed=False), stop="max_tokens"
        ),
        "max_tokens within a tool call after thinking": anthropic(
            THOUGHT, text_block(1, "All well."), tool_block(2, HALF), stop="max_tokens"
        ),
    },
    "google": {
        "MAX_TOKENS": sse(google(G_WELL, finish="MAX_TOKENS")),
        "MAX_TOKENS, then a count alone": sse(google(G_WELL, finish="MAX_TOKENS", counted=False), google()),
        "MAX_TOKENS after a tool call": sse(google(G_WELL), google(GOOGLE_CALL, finish="MAX_TOKENS")),
    },
    "responses": {
        "max_output_tokens": responses("incomplete", response("incomplete", R_WELL, **LIMIT), text="All well."),
        "an unknown reason": responses(
            "incomplete", response("incomplete", R_WELL, incomplete_details={"reason": "because"}), text="All well."
        ),
        "within a tool call": responses(
            "incomplete",
            response("incomplete", R_WELL, function_call(HALF, "incomplete"), **LIMIT),
            text="All well.",
            call=function_call(HALF, "incomplete"),
        ),
    },
}

R, L = phrase("fault-refused"), phrase("fault-length")
NONE: dict[str, dict[str, tuple[bytes, str]]] = {
    "anthropic": {
        "refusal": (anthropic(WELL, stop="refusal"), R),
        "refusal before the first word": (anthropic(stop="refusal"), R),
        "max_tokens within a tool call": (anthropic(tool_block(0, HALF), stop="max_tokens"), L),
        "and left open": (anthropic(tool_block(0, HALF, closed=False), stop="max_tokens"), L),
        "max_tokens while it thought": (anthropic(THOUGHT, stop="max_tokens"), L),
    },
    "google": {
        **{
            reason: (sse(google(G_WELL, finish=reason)), R)
            for reason in ("SAFETY", "RECITATION", "PROHIBITED_CONTENT", "BLOCKLIST", "SPII")
        },
        "SAFETY without a word": (sse(google(finish="SAFETY")), R),
        "SAFETY, then a count alone": (sse(google(G_WELL, finish="SAFETY", counted=False), google()), R),
        "SAFETY with a tool call": (sse(google(GOOGLE_CALL, finish="SAFETY")), R),
        "a blocked prompt": (sse({"promptFeedback": {"blockReason": "SAFETY"}}), R),
        "MAX_TOKENS with a tool call": (sse(google(GOOGLE_CALL, finish="MAX_TOKENS")), L),
        "MAX_TOKENS while it thought": (sse(google({"text": "Hm.", "thought": True}, finish="MAX_TOKENS")), L),
    },
    "responses": {
        "a refusal": (responses("completed", response("completed", item(REFUSAL))), R),
        "a refusal after text": (responses("completed", response("completed", item(output_text("Well"), REFUSAL))), R),
        "filtered": (
            responses("incomplete", response("incomplete", R_WELL, incomplete_details={"reason": "content_filter"})),
            R,
        ),
        "the limit within a tool call": (
            responses(
                "incomplete",
                response("incomplete", function_call(HALF, "incomplete"), **LIMIT),
                call=function_call(HALF, "incomplete"),
            ),
            L,
        ),
        "the limit after a tool call": (
            responses("incomplete", response("incomplete", function_call(ROME), **LIMIT), call=function_call(ROME)),
            L,
        ),
        "the limit before the first word": (responses("incomplete", response("incomplete", **LIMIT)), L),
    },
}

PASSING = {
    "anthropic": {
        "no reason": anthropic(WELL, stop=None),
        "no reason, closed in the middle": anthropic(WELL, stop=None, ended=False),
        "half a tool call": anthropic(WELL, tool_block(1, HALF, closed=False), stop=None, ended=False),
    },
    "google": {
        "no reason": sse(google(G_WELL)),
        "no reason, then a count alone": sse(google(G_WELL, counted=False), google()),
        "a tool call, no reason": sse(google(GOOGLE_CALL)),
    },
    "responses": {
        "no last event": responses(None, {}, text="All we"),
        "half a tool call": responses(None, {}, call=function_call(HALF, "in_progress")),
        "failed": responses("failed", response("failed", error={"code": "server_error", "message": "it broke"})),
        "done, but failed": responses("done", response("failed", R_WELL)),
    },
}

TOOL = {
    "anthropic": anthropic(WELL, tool_block(1, ROME), stop="tool_use"),
    "google": sse(google(G_WELL), google(GOOGLE_CALL, finish="STOP")),
    "responses": responses("completed", response("completed", function_call(ROME)), call=function_call(ROME)),
}


@pytest.mark.promise("model-faults")
@pytest.mark.parametrize("way", [*WHOLE, "responses over a web socket"])
async def test_each_end_of_an_answer_is_what_its_words_say(
    runtime: Open, way: str, configure: Configure, cards: Path
) -> None:
    provider, _, socket = way.partition(" ")
    name, _, more = PROVIDERS[provider]
    more = {"transport": "websocket"} if socket else more
    card(cards, "tools.py", TOOLS)
    card(cards, "assistant.md", CARD.format(name))
    version = {"responses": "/v1", "google": "/v1beta"}.get(provider, "")
    async with Sockets() if socket else Plays(b"") as server:
        configure({provider: {"api_key": "secret-key", "base_url": server.url + version, **more}})
        async with runtime(COHORT_LANES="1") as engine:

            def now(*streams: bytes) -> None:
                server.streams, server.calls = list(streams), []

            for row, stream in WHOLE[provider].items():
                now(stream)
                result = await engine.run(ask(1, "hello"), Screen())
                assert (result.text, result.cut, result.notices) == ("All well.", False, ()), row
                assert len(server.calls) == 1, row
            for row, stream in CUT[provider].items():
                now(stream)
                result = await engine.run(ask(1, "hello"), Screen())
                assert (result.text, result.cut, len(server.calls)) == ("All well.", True, 1), row
                await engine.run(ask(1, "go on", history=result.history), Screen())
                asked = str({**server.calls[-1], "tools": None})
                assert "clock" not in asked, f"{row}: no half of a call is left in the conversation"
            for row, (stream, words) in NONE[provider].items():
                now(stream)
                with pytest.raises(TurnFailed) as failure:
                    await engine.run(ask(1, "hello"), Screen())
                assert (failure.value.action, failure.value.words, len(server.calls)) == ("tell", words, 1), row
            for row, stream in PASSING[provider].items():
                now(stream)
                screen = Screen()
                with pytest.raises(TurnFailed) as failure:
                    await engine.run(ask(1, "hello"), screen)
                assert (failure.value.action, screen.tools, len(server.calls)) == ("retry", [], 1), row
                assert screen.frames[-1:] in ([], [""]), row
            now(TOOL[provider], WHOLE[provider][next(iter(WHOLE[provider]))])
            screen = Screen()
            assert (await engine.run(ask(1, "hello"), screen)).text.endswith("All well.")
            assert (screen.tools, len(server.calls)) == (["clock"], 2)


async def test_anthropics_pause_is_gone_on_from(runtime: Open, configure: Configure) -> None:
    async with Plays(anthropic(text_block(0, "All")), anthropic(WELL)) as server:
        server.streams[0] = anthropic(text_block(0, "Let me look."), stop="pause_turn")
        configure({"anthropic": {"api_key": "secret-key", "base_url": server.url}})
        async with runtime(COHORT_MODEL=PROVIDERS["anthropic"][0]) as engine:
            result = await engine.run(ask(1, "hello"), Screen())
        assert (result.text, len(server.calls)) == ("Let me look.\n\nAll well.", 2)


@pytest.mark.parametrize("reason", ["MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "OTHER"])
async def test_an_answer_that_google_could_not_make_is_tried_once_more_and_then_told(
    runtime: Open, configure: Configure, reason: str
) -> None:
    async with Plays(sse(google(finish=reason))) as server:
        configure({"google": {"api_key": "secret-key", "base_url": server.url + "/v1beta"}})
        async with runtime(COHORT_MODEL=PROVIDERS["google"][0]) as engine:
            with pytest.raises(TurnFailed) as failure:
                await engine.run(ask(1, "hello"), Screen())
            assert (failure.value.action, failure.value.words, len(server.calls)) == ("tell", phrase("fault-odd"), 2)
            server.streams.append(WHOLE["google"]["STOP"])
            assert (await engine.run(ask(1, "hello"), Screen())).text == "All well."
