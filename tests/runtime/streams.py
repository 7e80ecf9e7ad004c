"""Streams as each provider's server sends them, made by hand: what a mock that is always right cannot say."""

import json
from collections.abc import Mapping
from typing import Any

from tests.support.wire import HttpServer, Request

DONE = b"data: [DONE]\n\n"
TOOLS = '''
def clock(zone: str) -> str:
    """Tell the time."""
    return "noon in " + zone
'''
CARD = "---\nname: assistant\nmodel: {}\nfunction_tools: [tools.py:clock]\n---\nYou.\n"


class Plays(HttpServer):
    """Each call of a model gets the next stream, the last one again and again. ``calls``: their bodies."""

    def __init__(self, *streams: bytes, kind: str = "text/event-stream") -> None:
        """``kind``: of their content."""
        super().__init__()
        self.kind = kind
        self.streams = list(streams)
        self.calls: list[dict[str, Any]] = []

    async def handle(self, request: Request) -> None:
        self.calls.append(request.json())
        stream = self.streams.pop(0) if len(self.streams) > 1 else self.streams[0]
        await request.respond(stream, headers={"content-type": self.kind})


def sse(*events: Mapping[str, Any]) -> bytes:
    named = ((f"event: {event['type']}\n" if "type" in event else "", json.dumps(event)) for event in events)
    return "".join(f"{name}data: {data}\n\n" for name, data in named).encode()


# -- chat completions


def chunk(delta: Mapping[str, Any] | None, finish: str | None = None, **more: Any) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {"id": "c", "object": "chat.completion.chunk", "created": 0, "model": "m", "choices": [choice], **more}


def usage(tokens: int = 3) -> dict[str, Any]:
    counted = {"prompt_tokens": 5, "completion_tokens": tokens, "total_tokens": 5 + tokens}
    return {**chunk({}), "choices": [], "usage": counted}


def said(*words: str) -> list[dict[str, Any]]:
    return [chunk({"role": "assistant", "content": ""}), *(chunk({"content": word}) for word in words)]


def call(arguments: str, *, name: str = "clock") -> list[dict[str, Any]]:
    """A tool call as it streams: its name, then its arguments in two pieces."""
    half = len(arguments) // 2
    function = {"name": name, "arguments": ""}
    first = {"index": 0, "id": "call_1", "type": "function", "function": function}
    parts = ({"index": 0, "function": {"arguments": part}} for part in (arguments[:half], arguments[half:]))
    return [chunk({"tool_calls": [part]}) for part in (first, *parts)]


# -- Anthropic


def block(number: int, start: Mapping[str, Any], *deltas: Mapping[str, Any], closed: bool = True) -> list[Any]:
    begun = {"type": "content_block_start", "index": number, "content_block": start}
    parts = [{"type": "content_block_delta", "index": number, "delta": delta} for delta in deltas]
    return [begun, *parts, *([{"type": "content_block_stop", "index": number}] if closed else [])]


def text_block(number: int, text: str) -> list[Any]:
    return block(number, {"type": "text", "text": ""}, {"type": "text_delta", "text": text})


def tool_block(number: int, arguments: str, *, closed: bool = True) -> list[Any]:
    start = {"type": "tool_use", "id": "toolu_1", "name": "clock", "input": {}}
    return block(number, start, {"type": "input_json_delta", "partial_json": arguments}, closed=closed)


def anthropic(*blocks: list[Any], stop: str | None = "end_turn", ended: bool = True) -> bytes:
    counted = {"input_tokens": 5, "output_tokens": 1}
    message = {"id": "m", "type": "message", "role": "assistant", "model": "claude", "content": [], "usage": counted}
    events: list[Any] = [{"type": "message_start", "message": {**message, "stop_reason": None, "stop_sequence": None}}]
    events += [event for part in blocks for event in part]
    if stop is not None:
        delta = {"stop_reason": stop, "stop_sequence": None}
        events.append({"type": "message_delta", "delta": delta, "usage": {"output_tokens": 3}})
    return sse(*events, *([{"type": "message_stop"}] if ended else []))


# -- Google


def google(*parts: Mapping[str, Any], finish: str | None = None, counted: bool = True) -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": {"role": "model", "parts": list(parts)}} if parts else {}
    if finish is not None:
        candidate["finishReason"] = finish
    return {
        **({"candidates": [candidate]} if candidate else {}),
        **(
            {"usageMetadata": {"promptTokenCount": 5, "candidatesTokenCount": 3, "totalTokenCount": 8}}
            if counted
            else {}
        ),
    }


GOOGLE_CALL = {"functionCall": {"name": "clock", "args": {"zone": "Rome"}}}


# -- OpenAI's responses


def response(status: str, *items: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """An object of the Responses API."""
    common = {"id": "r", "object": "response", "created_at": 0, "model": "gpt-5-mini", "status": status}
    used = {"input_tokens": 5, "output_tokens": 2, "total_tokens": 7}
    fixed = {"parallel_tool_calls": True, "tool_choice": "auto", "tools": [], "error": None}
    return {**common, **fixed, "output": list(items), "usage": used, **more}


def item(*parts: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "message", "id": "m", "role": "assistant", "status": "completed", "content": list(parts)}


def output_text(text: str) -> dict[str, Any]:
    return {"type": "output_text", "text": text, "annotations": []}


def function_call(arguments: str, status: str = "completed") -> dict[str, Any]:
    common = {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "clock"}
    return {**common, "arguments": arguments, "status": status}


def responses(
    end: str | None, last: Mapping[str, Any], *, text: str = "", call: Mapping[str, Any] | None = None
) -> bytes:
    """A stream of the Responses API; ``end``: the last event's name, None for none."""
    events: list[Any] = [{"type": "response.created", "response": response("in_progress")}]
    if text:
        place = {"item_id": "m", "output_index": 0, "content_index": 0}
        begun = {**item(), "status": "in_progress"}
        events.append({"type": "response.output_item.added", "output_index": 0, "item": begun})
        events.append({"type": "response.content_part.added", **place, "part": output_text("")})
        events.append({"type": "response.output_text.delta", **place, "delta": text, "logprobs": []})
        events.append({"type": "response.output_text.done", **place, "text": text, "logprobs": []})
        events.append({"type": "response.content_part.done", **place, "part": output_text(text)})
        events.append({"type": "response.output_item.done", "output_index": 0, "item": item(output_text(text))})
    if call is not None:
        place = {"output_index": 1 if text else 0}
        begun = {**call, "arguments": "", "status": "in_progress"}
        delta = {"item_id": "fc_1", "delta": call["arguments"]}
        events.append({"type": "response.output_item.added", **place, "item": begun})
        events.append({"type": "response.function_call_arguments.delta", **place, **delta})
        if call["status"] == "completed":
            events.append({"type": "response.output_item.done", **place, "item": call})
    if end is not None:
        events.append({"type": f"response.{end}", "response": last})
    return sse(*({**event, "sequence_number": number} for number, event in enumerate(events)))
