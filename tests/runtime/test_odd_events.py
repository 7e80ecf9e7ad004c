"""Servers that are not quite Anthropic or Google: fields of any type, blocks without a start, one id for two calls."""

import json
from pathlib import Path
from typing import Any

from tests.runtime.streams import CARD, TOOLS, Plays, block, google, sse, text_block
from tests.runtime.support import Configure, Open, Screen, ask, card
from workers.runtime.streams.candidates import Candidates
from workers.runtime.streams.messages import Messages

T = {"text": "All well."}
COUNTED = {"promptTokenCount": 5, "candidatesTokenCount": 3, "totalTokenCount": 8}


def made(candidates: Any, **more: Any) -> bytes:
    return sse({"candidates": candidates, "usageMetadata": COUNTED, **more})


def parts(*given: Any, **more: Any) -> bytes:
    return made([{"content": {"role": "model", "parts": list(given)}, "finishReason": "STOP", **more}])


def asks(zone: str, **more: Any) -> dict[str, Any]:
    return {"functionCall": {"name": "clock", "args": {"zone": zone}, **more}}


END = sse(google(T, finish="STOP"))
GOOGLE: dict[str, bytes] = {
    "a null among the candidates": made([None]) + END,
    "candidates that are null": made(None) + END,
    "one candidate, no list": made({"content": {"parts": [T]}, "finishReason": "STOP"}),
    "content that is null": made([{"content": None}]) + END,
    "content that is a text": made([{"content": "All well.", "finishReason": "STOP"}]),
    "parts that are null": made([{"content": {"parts": None}}]) + END,
    "one part, no list": made([{"content": {"parts": T}, "finishReason": "STOP"}]),
    "a null among the parts": parts(None, T),
    "a text among the parts": parts("All well."),
    "a part of another kind": parts({"hologram": 1}, T),
    "a text that is no text": parts({"text": {"a": 1}}, T),
    "an end that is a number": parts(T, finishReason=1),
    "a count that is null": made([{"content": {"parts": [T]}, "finishReason": "STOP"}], usageMetadata=None),
    "counts that are no counts": made(
        [{"content": {"parts": [T]}, "finishReason": "STOP"}],
        usageMetadata={"promptTokenCount": "5", "totalTokenCount": 1.5},
    ),
    "a list of counts": made([{"content": {"parts": [T]}, "finishReason": "STOP"}], usageMetadata=[]),
    "notes that are none": parts(
        T, safetyRatings="no", groundingMetadata=3, citationMetadata=[], avgLogprobs="NaN", index="0"
    ),
    "a null among the notes": parts(T, safetyRatings=[None]),
    "a mark of thoughts that is none": parts({**T, "thought": "no?"}),
    "a signature that is none": parts({**T, "thoughtSignature": "***"}),
    "a call that is null": parts({**T, "functionCall": None}),
    "a call that is none": parts({**T, "functionCall": "clock"}),
}
GOOGLE_CALLS: dict[str, bytes] = {
    "two in one event": parts(asks("Rome"), asks("Oslo")),
    "two events": sse(google(asks("Rome"))) + sse(google(asks("Oslo"), finish="STOP")),
    "one id for two": parts(asks("Rome", id="a"), asks("Oslo", id="a")),
    "one id for two events": sse(google(asks("Rome", id="a"))) + sse(google(asks("Oslo", id="a"), finish="STOP")),
    "ids that are numbers": parts(asks("Rome", id=1), asks("Oslo", id=2)),
}


def message(*events: Any, start: Any = None) -> bytes:
    counted = {"input_tokens": 5, "output_tokens": 1}
    head = {"id": "m", "type": "message", "role": "assistant", "model": "claude", "content": [], "usage": counted}
    begun = {**head, "stop_reason": None, "stop_sequence": None, **(start or {})}
    return sse({"type": "message_start", "message": begun}, *events, *LAST)


def delta(**said: Any) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": 0, "delta": said}


def begins(kind: Any) -> dict[str, Any]:
    return {"type": "content_block_start", "index": 0, "content_block": kind}


LAST: list[Any] = [
    {
        "type": "message_delta",
        "delta": {"stop_reason": "end_turn", "stop_sequence": None},
        "usage": {"output_tokens": 3},
    },
    {"type": "message_stop"},
]
W = text_block(0, "All well.")
ANTHROPIC: dict[str, bytes] = {
    "a block of another kind": message(*block(0, {"type": "hologram"}), *text_block(1, "All well.")),
    "a piece of another kind": message(W[0], delta(type="holo_delta", x=1), *W[1:]),
    "a role of its own": message(*W, start={"role": "model", "id": 3, "model": None}),
    "a block that was not begun": message(*W[1:]),
    "a block that was not ended": message(*W[:2]),
    "a block that ends twice": message(*W, W[2]),
    "a gap in the indexes": message(*text_block(7, "All well.")),
    "an index that is a text": message(*({**event, "index": "0"} for event in W)),
    "an index that is none": message(*({**event, "index": []} for event in W)),
    "one index for two": message(*text_block(0, "All "), *text_block(0, "well.")),
    "a text that is null": message(W[0], delta(type="text_delta", text=None), *W[1:]),
    "a piece that is null": message(W[0], {**delta(), "delta": None}, *W[1:]),
    "a piece without a kind": message(W[0], delta(text="All well."), W[2]),
    "a block that is null": message(begins(None), *W[1:]),
    "a block without a text": message(begins({"type": "text"}), *W[1:]),
    "thoughts without a text": message(
        *block(0, {"type": "thinking"}, {"type": "thinking_delta"}), *text_block(1, "All well.")
    ),
    "a message that is null": sse({"type": "message_start", "message": None}, *W, *LAST),
    "no start": sse(*W, *LAST),
    "two starts": message({"type": "message_start", "message": {}}, *W),
}


def uses(number: int, zone: str, **more: Any) -> list[Any]:
    start = {"type": "tool_use", "id": "a", "name": "clock", "input": {}, **more}
    return block(number, start, {"type": "input_json_delta", "partial_json": json.dumps({"zone": zone})})


WHOLE = {"type": "input_json_delta", "partial_json": {"zone": "Rome"}}
ANTHROPIC_CALLS: dict[str, bytes] = {
    "one id for two": message(*uses(0, "Rome"), *uses(1, "Oslo")),
    "ids that are numbers": message(*uses(0, "Rome", id=1), *uses(1, "Oslo", id=2)),
    "no ids": message(*uses(0, "Rome", id=None), *uses(1, "Oslo", id="")),
    "one index for two": message(*uses(0, "Rome"), *uses(0, "Oslo", id="b")),
    "arguments that are no text": message(
        *block(0, {"type": "tool_use", "id": "a", "name": "clock", "input": None}, WHOLE), *uses(1, "Oslo", id="b")
    ),
}


async def answers(
    opened: tuple[Open, Configure, Path], model: str, words: dict[str, bytes], calls: dict[str, bytes], done: bytes
) -> tuple[dict[str, str], dict[str, int], int]:
    """What each stream is an answer of, how often each stream's two calls were run, and the calls of the model."""
    runtime, configure, cards = opened
    card(cards, "tools.py", TOOLS)
    card(cards, "assistant.md", CARD.format(model))
    said, run = dict[str, str](), dict[str, int]()
    async with Plays(*words.values(), *(stream for call in calls.values() for stream in (call, done))) as plays:
        configure({model.partition(".")[0]: {"base_url": plays.url, "api_key": "k"}})
        async with runtime(COHORT_LANES="1") as engine:
            for chat, kind in enumerate(words, 1):
                said[kind] = (await engine.run(ask(chat, "hello"), Screen())).text
            for chat, kind in enumerate(calls, 1_000):
                said[kind] = (await engine.run(ask(chat, "hello"), Screen())).text
                body = json.dumps(plays.calls[-1])
                run[kind] = body.count("noon in Rome") + body.count("noon in Oslo")
    return said, run, len(plays.calls)


async def test_google_s_events_are_read_however_a_server_writes_them(
    runtime: Open, configure: Configure, cards: Path
) -> None:
    opened = (runtime, configure, cards)
    said, run, calls = await answers(opened, "google.gemini-2.5-flash", GOOGLE, GOOGLE_CALLS, END)
    assert said == dict.fromkeys([*GOOGLE, *GOOGLE_CALLS], "All well.")
    assert run == dict.fromkeys(GOOGLE_CALLS, 2)
    assert calls == len(GOOGLE) + 2 * len(GOOGLE_CALLS)


async def test_anthropic_s_events_are_read_however_a_server_writes_them(
    runtime: Open, configure: Configure, cards: Path
) -> None:
    opened = (runtime, configure, cards)
    said, run, calls = await answers(opened, "anthropic.claude-haiku-4-5", ANTHROPIC, ANTHROPIC_CALLS, message(*W))
    assert said == dict.fromkeys([*ANTHROPIC, *ANTHROPIC_CALLS], "All well.")
    assert run == dict.fromkeys(ANTHROPIC_CALLS, 2)
    assert calls == len(ANTHROPIC) + 2 * len(ANTHROPIC_CALLS)


def test_events_that_are_as_they_should_be_are_left_as_they_are() -> None:
    messages, candidates = Messages(), Candidates()
    head = {
        "id": "m",
        "type": "message",
        "role": "assistant",
        "model": "claude",
        "content": [],
        "usage": {"input_tokens": 5},
    }
    begun = {"type": "message_start", "message": {**head, "stop_reason": None, "stop_sequence": None}}
    for event in (begun, *W, *uses(1, "Rome"), LAST[0]):
        before = repr(event)
        assert messages.read(event, event["type"]) == (event,)
        assert repr(event) == before
    for event in (google(T), google(asks("Rome", id="a"), {**T, "thoughtSignature": "YWI="}, finish="STOP"), google()):
        before = repr(event)
        candidates.read(event)
        assert repr(event) == before
