"""Model servers that speak five wires and refuse a history as the real ones do: with a 400, and why.

Each answers ``answer of <model>``; asked with ``CALL`` it thinks, says a word and calls the first tool offered. What it
thinks is sealed with the model's name, and a seal of another model is refused.
"""

import base64
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from tests.support.wire import HttpServer, Request

NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
CALLED = "I look it up."


class Refused(Exception):  # noqa: N818 - an event
    """The real server answers 400."""


def demand(holds: object, why: str) -> None:
    if not holds:
        raise Refused(why)


def seal(model: str) -> str:
    return base64.b64encode(f"sealed by {model}".encode()).decode()


def by_turns(roles: Sequence[str]) -> None:
    demand(roles[:1] == ["user"], "the first message must be a user's")
    demand(all(first != second for first, second in pairwise(roles)), f"roles must alternate: {roles}")


# -- what each wire refuses


def chat(asked: Mapping[str, Any], *, mistral: bool = False) -> str:
    """OpenAI's chat completions; Mistral's API, and most templates of local models, ask for more."""
    messages = [message for message in asked["messages"] if message["role"] != "system"]
    waiting: list[str] = []
    for message in messages:
        unknown = message.keys() - {"role", "content", "tool_calls", "tool_call_id", "name"}
        demand(not unknown, f"unknown fields: {unknown}")
        if message["role"] == "tool":
            demand(message["tool_call_id"] in waiting, f"tool_call_id {message['tool_call_id']} is not of a call")
            waiting.remove(message["tool_call_id"])
            continue
        demand(not waiting, f"calls without results: {waiting}")
        for call in message.get("tool_calls") or ():
            demand(len(call["id"]) <= 40, "an id of at most 40 characters")
            demand(not mistral or re.fullmatch("[A-Za-z0-9]{9}", call["id"]), f"id of 9 of a-z, A-Z, 0-9: {call['id']}")
            demand(NAME.fullmatch(call["function"]["name"]), "the name of a function")
            waiting.append(call["id"])
        demand(message.get("content") or message.get("tool_calls"), "content or tool_calls")
    demand(not waiting, f"calls without results: {waiting}")
    if mistral:
        roles = [message["role"] for message in messages]
        demand(("tool", "user") not in list(pairwise(roles)), "unexpected role 'user' after role 'tool'")
        by_turns([one["role"] for one in messages if one["role"] != "tool" and not one.get("tool_calls")])
    return _texts(messages[-1].get("content"))


def anthropic(asked: Mapping[str, Any]) -> str:
    by_turns([message["role"] for message in asked["messages"]])
    seen: set[str] = set()
    waiting: list[str] = []
    for message in asked["messages"]:
        blocks = message["content"]
        blocks = [{"type": "text", "text": blocks}] if isinstance(blocks, str) else blocks
        demand(blocks, "content must not be empty")
        results = [block["tool_use_id"] for block in blocks if block["type"] == "tool_result"]
        demand(sorted(results) == sorted(waiting), f"tool_use without tool_result in the next message: {waiting}")
        waiting = []
        for block in blocks:
            match block["type"]:
                case "text":
                    demand(block["text"].strip(), "text content blocks must be non-empty")
                case "thinking":
                    demand(block["signature"] == seal(asked["model"]), "invalid signature in thinking block")
                case "tool_use":
                    demand(re.fullmatch("[A-Za-z0-9_-]+", block["id"]), "the pattern of tool_use.id")
                    demand(block["id"] not in seen, "tool_use ids must be unique")
                    demand(re.fullmatch("[A-Za-z0-9_-]{1,128}", block["name"]), "the pattern of tool_use.name")
                    seen.add(block["id"])
                    waiting.append(block["id"])
                case _:
                    pass
    last = asked["messages"][-1]["content"]
    return last if isinstance(last, str) else _texts(last)


def responses(asked: Mapping[str, Any]) -> str:
    items = [item for item in asked["input"] if item.get("role") not in {"system", "developer"}]
    calls: set[str] = set()
    results: set[str] = set()
    for item, after in zip(items, [*items, None][1:], strict=True):
        match item.get("type", "message"):
            case "reasoning":
                demand(item["encrypted_content"] == seal(asked["model"]), "invalid_encrypted_content")
                demand(after and after.get("role") != "user", "reasoning without its following item")
            case "function_call":
                demand(
                    item.get("id", "fc_").startswith("fc_"), f"expected an id that begins with 'fc': {item.get('id')}"
                )
                demand(len(item["call_id"]) <= 64, "a call_id of at most 64 characters")
                demand(NAME.fullmatch(item["name"]), "the name of a function")
                calls.add(item["call_id"])
            case "function_call_output":
                demand(item["call_id"] in calls, f"no tool call found for {item['call_id']}")
                results.add(item["call_id"])
            case "message":
                demand(item.get("id", "msg_").startswith("msg_"), "expected an id that begins with 'msg'")
                demand(item["content"], "content")
            case other:
                demand(holds=False, why=f"unknown item {other}")
    demand(calls == results, f"no tool output found for {calls - results}")
    return _texts(items[-1].get("content"))


def google(asked: Mapping[str, Any], model: str) -> str:
    contents = asked["contents"]
    by_turns([content["role"] for content in contents])
    called: list[str] = []
    for content in contents:
        demand(content.get("parts"), "parts must not be empty")
        answered = [part["functionResponse"]["name"] for part in content["parts"] if "functionResponse" in part]
        demand(answered == called, f"as many function responses as calls: {answered} for {called}")
        called = [part["functionCall"]["name"] for part in content["parts"] if "functionCall" in part]
        for part in content["parts"]:
            demand(part.keys() - {"text"} or part["text"].strip(), "an empty text")
            sealed = part.get("thoughtSignature")
            demand(sealed in {None, seal(model)}, f"thought signature is not valid: {sealed}")
    return _texts(contents[-1]["parts"])


def _texts(content: Any) -> str:
    return content if isinstance(content, str) else "".join(part.get("text", "") for part in content or ())


# -- what each wire answers


def sse(events: Iterable[Mapping[str, Any]]) -> bytes:
    return "".join(
        f"event: {event['type']}\ndata: {json.dumps(event)}\n\n"
        if "type" in event
        else f"data: {json.dumps(event)}\n\n"
        for event in events
    ).encode()


def chat_stream(model: str, call: Mapping[str, Any] | None, number: int) -> bytes:
    shell = {"id": f"c{number}", "object": "chat.completion.chunk", "created": 0, "model": model}

    def chunk(delta: Mapping[str, Any], finish: str | None = None) -> dict[str, Any]:
        return {**shell, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}

    events = [chunk({"role": "assistant", "content": CALLED if call else f"answer of {model}"})]
    if call:
        function = {"name": call["name"], "arguments": json.dumps(call["arguments"])}
        # As llama.cpp and Ollama number them, in every answer the same.
        ident = f"mIs{number:06}" if model.startswith("mistral") else "call_0"
        events.append(chunk({"tool_calls": [{"index": 0, "id": ident, "type": "function", "function": function}]}))
    events.append(chunk({}, "tool_calls" if call else "stop"))
    events.append({**shell, "choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}})
    return sse(events) + b"data: [DONE]\n\n"


def anthropic_stream(model: str, call: Mapping[str, Any] | None, number: int) -> bytes:
    usage = {"input_tokens": 1, "output_tokens": 1}
    message = {"id": f"m{number}", "type": "message", "role": "assistant", "model": model, "content": [],
               "stop_reason": None, "stop_sequence": None, "usage": usage}  # fmt: skip
    blocks: list[tuple[dict[str, Any], list[dict[str, Any]]]] = [
        (
            {"type": "thinking", "thinking": "", "signature": ""},
            [
                {"type": "thinking_delta", "thinking": "hm"},
                {"type": "signature_delta", "signature": seal(model)},
            ],
        ),
        (
            {"type": "text", "text": ""},
            [{"type": "text_delta", "text": CALLED if call else f"answer of {model}"}],
        ),
    ]
    if call:
        deltas = [{"type": "input_json_delta", "partial_json": json.dumps(call["arguments"])}]
        blocks.append(({"type": "tool_use", "id": f"toolu_{number}", "name": call["name"], "input": {}}, deltas))
    events: list[Mapping[str, Any]] = [{"type": "message_start", "message": message}]
    for index, (block, deltas) in enumerate(blocks):
        events.append({"type": "content_block_start", "index": index, "content_block": block})
        events += [{"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas]
        events.append({"type": "content_block_stop", "index": index})
    end = {"stop_reason": "tool_use" if call else "end_turn", "stop_sequence": None}
    return sse([*events, {"type": "message_delta", "delta": end, "usage": usage}, {"type": "message_stop"}])


def responses_stream(model: str, call: Mapping[str, Any] | None, number: int) -> bytes:
    words = {"type": "output_text", "text": CALLED if call else f"answer of {model}", "annotations": []}
    output: list[dict[str, Any]] = [
        {"type": "reasoning", "id": f"rs_{number}", "summary": [], "encrypted_content": seal(model)},
        {"type": "message", "id": f"msg_{number}", "role": "assistant", "status": "completed", "content": [words]},
    ]
    if call:
        output.append({"type": "function_call", "id": f"fc_{number}", "call_id": f"call_{number}", "name": call["name"],
                       "arguments": json.dumps(call["arguments"]), "status": "completed"})  # fmt: skip
    details = {"input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 0}}
    whole = {"id": f"r{number}", "object": "response", "created_at": 0, "model": model, "status": "completed",
             "parallel_tool_calls": True, "tool_choice": "auto", "tools": [], "error": None, "output": output,
             "usage": {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2, **details}}  # fmt: skip
    begun = {**whole, "status": "in_progress", "output": []}
    return sse([
        {"type": "response.created", "sequence_number": 0, "response": begun},
        *({"type": f"response.output_item.{when}", "sequence_number": 1, "output_index": index, "item": item}
          for index, item in enumerate(output) for when in ("added", "done")),
        {"type": "response.completed", "sequence_number": 2, "response": whole},
    ])  # fmt: skip


def google_stream(model: str, call: Mapping[str, Any] | None, number: int) -> bytes:
    parts: list[dict[str, Any]] = [
        {"text": "hm", "thought": True, "thoughtSignature": seal(model)},
        {"text": CALLED if call else f"answer of {model}"},
    ]
    if call:
        function = {"name": call["name"], "args": call["arguments"], "id": f"g.{number}"}
        parts.append({"functionCall": function, "thoughtSignature": seal(model)})
    found = {"content": {"role": "model", "parts": parts}, "finishReason": "STOP"}
    counted = {"promptTokenCount": 1, "candidatesTokenCount": 1, "totalTokenCount": 2}
    return sse([{"candidates": [found], "usageMetadata": counted}])


class Strict(HttpServer):
    """All five; ``refused``: what they refused, and why. ``words_only``: so are histories with tools."""

    def __init__(self) -> None:
        super().__init__()
        self.refused: list[str] = []
        self.words_only = False
        self._number = 0

    async def handle(self, request: Request) -> None:
        asked = request.json()
        path = request.path
        model = asked.get("model") or path.rpartition("/")[2].partition(":")[0]
        self._number += 1
        try:
            demand(not self.words_only or b'"tool_calls"' not in request.body, "something that is documented nowhere")
            if path.endswith("/chat/completions"):
                said, stream = chat(asked, mistral=model.startswith("mistral")), chat_stream
                tools = [tool["function"]["name"] for tool in asked.get("tools") or ()]
            elif path.endswith("/responses"):
                said, stream = responses(asked), responses_stream
                tools = [tool["name"] for tool in asked.get("tools") or () if tool.get("type") == "function"]
            elif path.endswith("/messages"):
                said, stream = anthropic(asked), anthropic_stream
                tools = [tool["name"] for tool in asked.get("tools") or () if "name" in tool]
            else:
                said, stream = google(asked, model), google_stream
                tools = [one["name"] for tool in asked.get("tools") or () for one in tool["functionDeclarations"]]
        except Refused as problem:
            self.refused.append(f"{model}: {problem}")
            error = {
                "type": "invalid_request_error",
                "message": str(problem),
                "code": 400,
                "status": "INVALID_ARGUMENT",
            }
            await request.respond({"type": "error", "error": error}, 400)
            return
        call = {"name": tools[0], "arguments": {"of": "x"}} if tools and "CALL" in said else None
        await request.respond(stream(model, call, self._number), headers={"content-type": "text/event-stream"})
