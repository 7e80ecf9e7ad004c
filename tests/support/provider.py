"""A server that speaks as each provider does and says exactly what a test wants, for as long as it wants.

``said`` is what the model says: pairs of a kind (``text``, ``reasoning``, ``arguments``) and a text; it may be without
end. ``OpenAI`` chat completions, its responses, Anthropic's messages and Google's contents are told apart by path.
"""

import asyncio
import json
from collections.abc import Iterable, Iterator
from typing import Any

from tests.support.wire import HttpServer, Request

PATHS = {"generic": "/v1", "openai": "/v1", "anthropic": "/anthropic", "responses": "/v1", "google": "/google"}
MODELS = {
    "generic": "generic.mock",
    "openai": "openai.gpt-4.1-mini",
    "anthropic": "anthropic.claude-haiku-4-5",
    "responses": "responses.gpt-5-mini",
    "google": "google.gemini-2.5-flash",
}
TOOL = "add"

type Said = Iterable[tuple[str, str]]


class Provider(HttpServer):
    """``said``: for each request the next of these, then the last again. ``sent``: events written for each request."""

    def __init__(self, *said: Said, burst: int = 64) -> None:
        super().__init__()
        self.said = list(said)
        self.burst = burst
        self.sent: list[int] = []
        self.left: list[bool] = []
        self.bodies: list[dict[str, Any]] = []

    def configuration(self) -> dict[str, Any]:
        """fast-agent's configuration for every provider."""
        return {
            name: {
                "api_key": "x",
                "base_url": self.url + path,
                **({"transport": "sse"} if name == "responses" else {}),
            }
            for name, path in PATHS.items()
        }

    async def handle(self, request: Request) -> None:
        self.bodies.append(request.json())
        said = self.said.pop(0) if len(self.said) > 1 else self.said[0]
        place = len(self.sent)
        self.sent.append(0)
        self.left.append(False)
        await request.start(200, {"content-type": "text/event-stream", "transfer-encoding": "chunked"})
        ready: list[str] = []
        try:
            for event in _events(request.path, said):
                ready.append(event)
                if len(ready) >= self.burst:
                    await request.chunk("".join(ready).encode("utf-8", "surrogatepass"))
                    self.sent[place] += len(ready)
                    ready.clear()
                    await asyncio.sleep(0)
            if ready:
                await request.chunk("".join(ready).encode("utf-8", "surrogatepass"))
            self.sent[place] += len(ready)
            await request.chunk(b"")
        except ConnectionError:
            self.left[place] = True
            raise


def _events(path: str, said: Said) -> Iterator[str]:
    if path.endswith("/chat/completions"):
        return _chat(said)
    if path.endswith("/messages"):
        return _messages(said)
    return _responses(said) if path.endswith("/responses") else _contents(said)


def _data(value: dict[str, Any], name: str = "") -> str:
    return (f"event: {name}\n" if name else "") + f"data: {json.dumps(value)}\n\n"


def _chat(said: Said) -> Iterator[str]:
    head = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}

    def event(delta: dict[str, Any], finish: str | None = None) -> str:
        return _data({**head, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})

    called = 0
    yield event({"role": "assistant", "content": ""})
    for kind, text in said:
        match kind:
            case "text":
                yield event({"content": text})
            case "reasoning":
                yield event({"reasoning_content": text})
            case "call":
                function = {"name": TOOL, "arguments": text}
                call = {"index": called, "id": f"call_{called}", "type": "function", "function": function}
                called += 1
                yield event({"tool_calls": [call]})
            case _:
                yield event({"tool_calls": [{"index": called - 1, "function": {"arguments": text}}]})
    yield event({}, "tool_calls" if called else "stop")
    yield _data({**head, "choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}})
    yield "data: [DONE]\n\n"


def _messages(said: Said) -> Iterator[str]:
    def event(kind: str, **more: Any) -> str:
        return _data({"type": kind, **more}, kind)

    usage = {"input_tokens": 3, "output_tokens": 1}
    message = {"id": "m", "type": "message", "role": "assistant", "content": [], "model": "m", "stop_reason": None}
    yield event("message_start", message={**message, "stop_sequence": None, "usage": usage})
    index, now, called = -1, "", 0
    for kind, text in said:
        if kind == "call" or kind not in {now, "arguments"}:
            if index >= 0:
                yield event("content_block_stop", index=index)
            index += 1
            block: dict[str, Any] = {"type": "text", "text": ""}
            if kind == "reasoning":
                block = {"type": "thinking", "thinking": "", "signature": "s"}
            elif kind == "call":
                block = {"type": "tool_use", "id": f"toolu_{called}", "name": TOOL, "input": {}}
                called += 1
            yield event("content_block_start", index=index, content_block=block)
        now = kind
        delta = {"type": "input_json_delta", "partial_json": text}
        if kind == "text":
            delta = {"type": "text_delta", "text": text}
        elif kind == "reasoning":
            delta = {"type": "thinking_delta", "thinking": text}
        yield event("content_block_delta", index=index, delta=delta)
    if index >= 0:
        yield event("content_block_stop", index=index)
    stop = {"stop_reason": "tool_use" if called else "end_turn", "stop_sequence": None}
    yield event("message_delta", delta=stop, usage=usage)
    yield event("message_stop")


def _responses(said: Said) -> Iterator[str]:
    number = iter(range(10**9))

    def event(kind: str, **more: Any) -> str:
        return _data({"type": kind, "sequence_number": next(number), **more}, kind)

    response = {"id": "r", "object": "response", "created_at": 1, "model": "m", "output": [], "status": "in_progress"}
    response |= {"parallel_tool_calls": True, "tool_choice": "auto", "tools": []}
    yield event("response.created", response=response)
    output: list[dict[str, Any]] = []
    for kind, text in said:
        place = len(output) - 1
        if kind == "call" or (kind == "text" and (not output or output[-1]["type"] != "message")):
            place += 1
            output.append(_item(kind, place))
            yield event("response.output_item.added", output_index=place, item=output[-1])
            if kind == "text":
                part = {"type": "output_text", "text": "", "annotations": []}
                yield event(
                    "response.content_part.added", output_index=place, item_id=f"i{place}", content_index=0, part=part
                )
        at = {"output_index": max(place, 0), "item_id": f"i{max(place, 0)}"}
        if kind == "text":
            output[-1]["content"][0]["text"] += text
            yield event("response.output_text.delta", **at, content_index=0, delta=text, logprobs=[])
        elif kind == "reasoning":
            yield event("response.reasoning_summary_text.delta", **at, summary_index=0, delta=text)
        else:
            output[-1]["arguments"] += text
            yield event("response.function_call_arguments.delta", **at, delta=text)
    for place, item in enumerate(output):
        item["status"] = "completed"
        yield event("response.output_item.done", output_index=place, item=item)
    details = {"input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 0}}
    usage = {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5, **details}
    yield event("response.completed", response={**response, "status": "completed", "output": output, "usage": usage})


def _item(kind: str, place: int) -> dict[str, Any]:
    if kind == "text":
        content = [{"type": "output_text", "text": "", "annotations": []}]
        return {
            "type": "message",
            "id": f"i{place}",
            "role": "assistant",
            "status": "in_progress",
            "content": content,
        }
    call = {"type": "function_call", "id": f"i{place}", "call_id": f"call_{place}", "name": TOOL, "arguments": ""}
    return {**call, "status": "in_progress"}


def _contents(said: Said) -> Iterator[str]:
    def event(part: dict[str, Any] | None, finish: str | None = None) -> str:
        candidate: dict[str, Any] = {"index": 0, "content": {"role": "model", "parts": [part] if part else []}}
        if finish:
            candidate["finishReason"] = finish
        usage = {"promptTokenCount": 3, "candidatesTokenCount": 2, "totalTokenCount": 5}
        return _data({"candidates": [candidate], "usageMetadata": usage})

    for kind, text in said:
        if kind in {"text", "reasoning"}:
            yield event({"text": text, **({"thought": True} if kind == "reasoning" else {})})
        else:
            try:
                arguments = json.loads(text)
            except (ValueError, RecursionError):
                arguments = text
            yield event({"functionCall": {"name": TOOL, "args": arguments}})
    yield event(None, "STOP")
