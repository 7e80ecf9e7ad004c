"""Servers that are not quite OpenAI: content in parts, calls without an index, ids and arguments of any type."""

from pathlib import Path
from typing import Any

import pytest

from tests.runtime.streams import CARD, DONE, TOOLS, Plays, anthropic, chunk, said, sse, text_block, tool_block
from tests.runtime.support import Configure, Open, Screen, ask, card
from workers.runtime.streams.deltas import Deltas

STOP = chunk({}, "stop")
THOUGHT = {"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]}
WORDS = {
    "Mistral's parts": [chunk({"content": [THOUGHT]}), chunk({"content": [{"type": "text", "text": "All well."}]})],
    "parts, then texts": [chunk({"content": [THOUGHT]}), chunk({"content": "All "}), chunk({"content": "well."})],
    "both in one chunk": [chunk({"content": [THOUGHT, {"type": "text", "text": "All well."}]})],
    "one part, no list": [chunk({"content": {"type": "text", "text": "All well."}})],
    "texts in a list": [chunk({"content": ["All ", "well."]})],
    "a message in the place of a delta": [
        {**chunk({}), "choices": [{"index": 0, "message": {"role": "assistant", "content": "All well."}}]}
    ],
    "another role": [chunk({"role": "model", "content": "All "}), chunk({"role": "user", "content": "well."})],
    "a role that is none": [chunk({"role": {}, "content": "All well."})],
    "a choice that is null": [{**chunk({}), "choices": [None]}, chunk({"content": "All well."})],
    "a choice that is null before one": [
        {**chunk({}), "choices": [None, "x", *chunk({"content": "All well."})["choices"]]}
    ],
    "choices that are null": [{**chunk({}), "choices": None}, chunk({"content": "All well."})],
    "choices that are no list": [{**chunk({}), "choices": "x"}, chunk({"content": "All well."})],
    "a delta that is null": [chunk(None), chunk({"content": "All well."})],
    "a text in the place of a delta": [{**chunk({}), "choices": [{"index": 0, "delta": "All well."}]}],
    "a list in the place of a delta": [
        {**chunk({}), "choices": [{"index": 0, "delta": []}]},
        chunk({"content": "All well."}),
    ],
    "a function's call that is null": [chunk({"content": "All well.", "function_call": None})],
    "a function's call that is empty": [chunk({"content": "All well.", "function_call": {}})],
    "a function's call that is none": [chunk({"content": "All well.", "function_call": "clock"})],
    "thoughts that are no text": [
        chunk({"reasoning_content": 3}),
        chunk({"reasoning": ["x"]}),
        chunk({"reasoning_content": {"a": 1}, "content": "All well."}),
    ],
    "a refusal that is no text": [chunk({"content": "All well.", "refusal": 3})],
    "a null among the calls": [chunk({"tool_calls": [None]}), chunk({"content": "All well."})],
}


def call(zone: str, **more: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": "clock", "arguments": f'{{"zone": "{zone}"}}'}, **more}


ROME, OSLO = call("Rome", id="a"), call("Oslo", id="b")
PIECE = {"function": {"arguments": '"Rome"}'}}
CALLS: dict[str, tuple[list[Any], list[str]]] = {
    "no index": ([[ROME]], ["Rome"]),
    "no index, two in one chunk": ([[ROME, OSLO]], ["Rome", "Oslo"]),
    "no index, two chunks": ([[ROME], [OSLO]], ["Rome", "Oslo"]),
    "each of them index 0": ([[{**ROME, "index": 0}], [{**OSLO, "index": 0}]], ["Rome", "Oslo"]),
    "an index that is a text": ([[{**ROME, "index": "0"}, {**OSLO, "index": "1"}]], ["Rome", "Oslo"]),
    "an index that is no index": ([[{**ROME, "index": {}}]], ["Rome"]),
    "an id that is a number": ([[{**ROME, "index": 0, "id": 7}]], ["Rome"]),
    "arguments that are no text": (
        [[{"index": 0, "id": "a", "type": "function", "function": {"name": "clock", "arguments": {"zone": "Rome"}}}]],
        ["Rome"],
    ),
    "one id for two": ([[{**ROME, "index": 0}], [{**OSLO, "index": 1, "id": "a"}]], ["Rome", "Oslo"]),
    "an empty id for two": ([[{**ROME, "index": 0, "id": ""}, {**OSLO, "index": 1, "id": ""}]], ["Rome", "Oslo"]),
    "no id for two": ([[call("Rome", index=0), call("Oslo", index=1)]], ["Rome", "Oslo"]),
    "no list": ([{**ROME, "index": 0}], ["Rome"]),
    "pieces without index or id": (
        [[{"id": "a", "type": "function", "function": {"name": "clock", "arguments": '{"zone": '}}], [PIECE]],
        ["Rome"],
    ),
    "pieces that each have another id, and no name": (
        [
            [{"index": 0, "id": "a", "type": "function", "function": {"name": "clock", "arguments": '{"zone": '}}],
            [{"index": 0, "id": "z", **PIECE}],
        ],
        ["Rome"],
    ),
    "pieces that each repeat name and id": (
        [
            [{"index": 0, "id": "a", "type": "function", "function": {"name": "clock", "arguments": '{"zone": '}}],
            [{"index": 0, "id": "a", "function": {"name": "clock", "arguments": '"Rome"}'}}],
        ],
        ["Rome"],
    ),
}


CALLED = {"name": "clock", "arguments": '{"zone": "Rome"}'}
ONE_CALL: dict[str, list[Any]] = {
    "whole": [{"function_call": CALLED}],
    "in pieces": [
        {"role": "model", "function_call": {"name": "clock", "arguments": ""}},
        {"function_call": {"arguments": '{"zone": '}},
        {"function_call": {"name": None, "arguments": '"Rome"}'}},
    ],
    "in pieces that repeat the name": [
        {"function_call": {"name": "clock", "arguments": '{"zone": '}},
        {"function_call": {"name": "clock", "arguments": '"Rome"}'}},
    ],
    "with arguments that are no text": [{"function_call": {"name": "clock", "arguments": {"zone": "Rome"}}}],
    "beside the same as one of several": [{"function_call": CALLED, "tool_calls": [{**ROME, "index": 0}]}],
}


async def asked(runtime: Open, configure: Configure, cards: Path, *streams: bytes) -> tuple[str, list[dict[str, Any]]]:
    """What the agent answers, and the calls of the model."""
    card(cards, "tools.py", TOOLS)
    card(cards, "assistant.md", CARD.format("generic.mock"))
    async with Plays(*streams) as plays:
        configure({"generic": {"base_url": f"{plays.url}/v1", "api_key": "k"}})
        async with runtime(COHORT_LANES="1") as engine:
            answer = await engine.run(ask(1, "hello"), Screen())
    return answer.text, plays.calls


@pytest.mark.parametrize("kind", WORDS)
async def test_words_are_read_however_a_server_wraps_them(
    runtime: Open, configure: Configure, cards: Path, kind: str
) -> None:
    text, calls = await asked(runtime, configure, cards, sse(*WORDS[kind], STOP) + DONE)
    assert (text, len(calls)) == ("All well.", 1)


@pytest.mark.parametrize("kind", CALLS)
async def test_each_call_of_a_tool_is_run_once_however_a_server_numbers_it(
    runtime: Open, configure: Configure, cards: Path, kind: str
) -> None:
    chunks, zones = CALLS[kind]
    parts = [chunk({"tool_calls": part}) for part in chunks]
    text, calls = await asked(
        runtime, configure, cards, sse(*parts, chunk({}, "tool_calls")) + DONE, sse(*said("Done."), STOP) + DONE
    )
    assert (text, len(calls)) == ("Done.", 2)
    results = [message["content"] for message in calls[1]["messages"] if message["role"] == "tool"]
    assert results == [f"noon in {zone}" for zone in zones]


@pytest.mark.parametrize("reason", ["function_call", "stop"])
@pytest.mark.parametrize("kind", ONE_CALL)
async def test_a_call_of_the_older_protocol_is_run_once(
    runtime: Open, configure: Configure, cards: Path, kind: str, reason: str
) -> None:
    parts = [chunk(delta) for delta in ONE_CALL[kind]]
    text, calls = await asked(
        runtime, configure, cards, sse(*parts, chunk({}, reason)) + DONE, sse(*said("Done."), STOP) + DONE
    )
    assert (text, len(calls)) == ("Done.", 2)
    results = [message["content"] for message in calls[1]["messages"] if message["role"] == "tool"]
    assert results == ["noon in Rome"]


COUNT = b', "usage": {"input_tokens": 5, "output_tokens": 1}', b', "usage": {"output_tokens": 3}'
MESSAGE = anthropic(text_block(0, "All well."))
MESSAGES = {
    "no count at the start": MESSAGE.replace(COUNT[0], b""),
    "a count that is null at the start": MESSAGE.replace(COUNT[0], b', "usage": null'),
    "no count at the end": MESSAGE.replace(COUNT[1], b""),
    "no list for the content": MESSAGE.replace(b'"content": []', b'"content": null'),
}


async def asked_claude(runtime: Open, configure: Configure, cards: Path, *streams: bytes) -> str:
    """What the agent answers."""
    card(cards, "tools.py", TOOLS)
    card(cards, "assistant.md", CARD.format("anthropic.claude-haiku-4-5"))
    async with Plays(*streams) as plays:
        configure({"anthropic": {"base_url": plays.url, "api_key": "k"}})
        async with runtime(COHORT_LANES="1") as engine:
            answer = await engine.run(ask(1, "hello"), Screen())
    tools = [part for message in plays.calls[-1]["messages"][1:] for part in message["content"]]
    return answer.text + "".join(part["content"][0]["text"] for part in tools if part["type"] == "tool_result")


@pytest.mark.parametrize("kind", MESSAGES)
async def test_an_anthropic_message_without_a_count_is_an_answer(
    runtime: Open, configure: Configure, cards: Path, kind: str
) -> None:
    assert MESSAGES[kind] != MESSAGE
    assert await asked_claude(runtime, configure, cards, MESSAGES[kind]) == "All well."


@pytest.mark.parametrize("stop", ["end_turn", "stop", "tool_calls"])
async def test_a_tool_that_an_anthropic_message_calls_is_run_whatever_ended_it(
    runtime: Open, configure: Configure, cards: Path, stop: str
) -> None:
    called = anthropic(tool_block(0, '{"zone": "Rome"}'), stop=stop)
    assert await asked_claude(runtime, configure, cards, called, MESSAGE) == "All well.noon in Rome"


def test_a_chunk_that_is_as_it_should_be_is_left_as_it_is() -> None:
    usual = [*said("All ", "well."), chunk({"tool_calls": [{**ROME, "index": 0}]}), STOP, {**STOP, "choices": []}, {}]
    deltas = Deltas()
    for one in usual:
        before = repr(one)
        deltas.read(one)
        assert repr(one) == before
