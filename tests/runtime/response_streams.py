"""The parts of OpenAI's Responses API as streams, and a server of them over a web socket."""

import json
from typing import Any, Self

from websockets.asyncio.server import Server, ServerConnection, serve

from tests.runtime.streams import item, output_text, response, sse
from workers.runtime.streams.ends import RESPONSES_ENDS

WELL = "All well."
SAID = item(output_text(WELL))
PLACE = {"item_id": "m", "output_index": 0, "content_index": 0}
CREATED = {"type": "response.created", "response": response("in_progress")}
ADDED = {"type": "response.output_item.added", "output_index": 0, "item": {**item(), "status": "in_progress"}}
PART = {"type": "response.content_part.added", **PLACE, "part": output_text("")}
DELTA = {"type": "response.output_text.delta", **PLACE, "delta": WELL, "logprobs": []}
TEXT = {"type": "response.output_text.done", **PLACE, "text": WELL, "logprobs": []}
PART_DONE = {"type": "response.content_part.done", **PLACE, "part": output_text(WELL)}
DONE = {"type": "response.output_item.done", "output_index": 0, "item": SAID}
BEGUN = (CREATED, ADDED, PART, DELTA, TEXT, PART_DONE, DONE)


def end(*items: Any, **more: Any) -> dict[str, Any]:
    return {"type": "response.completed", "response": response("completed", *items, **more)}


END = end(SAID)


def stream(*events: Any) -> bytes:
    return sse(*({"sequence_number": number, **event} for number, event in enumerate(events)))


def but(event: dict[str, Any], *names: str, **more: Any) -> dict[str, Any]:
    """The same without some of its fields, and with others."""
    return {name: value for name, value in {**event, **more}.items() if name not in names}


def asks(number: int, zone: str, **more: Any) -> dict[str, Any]:
    named = {"type": "function_call", "id": f"fc_{number}", "call_id": f"call_{number}", "name": "clock"}
    return {**named, "arguments": json.dumps({"zone": zone}), "status": "completed", **more}


def begins(place: int, call: dict[str, Any]) -> dict[str, Any]:
    begun = {**call, "arguments": "", "status": "in_progress"}
    return {"type": "response.output_item.added", "output_index": place, "item": begun}


def piece(place: int, call: dict[str, Any], **more: Any) -> dict[str, Any]:
    named = {"output_index": place, "item_id": call.get("id"), "delta": call["arguments"]}
    return {"type": "response.function_call_arguments.delta", **named, **more}


def whole(place: int, call: dict[str, Any]) -> dict[str, Any]:
    named = {"output_index": place, "item_id": call.get("id"), "arguments": call["arguments"]}
    return {"type": "response.function_call_arguments.done", **named}


def done(place: int, item: dict[str, Any]) -> dict[str, Any]:
    return {"type": "response.output_item.done", "output_index": place, "item": item}


def called(place: int, call: dict[str, Any]) -> tuple[dict[str, Any], ...]:
    """All events of one call."""
    return begins(place, call), piece(place, call), whole(place, call), done(place, call)


class Sockets:
    """As ``Plays``, over a web socket: each request gets the next stream, the last one again and again."""

    def __init__(self, *streams: bytes) -> None:
        self.streams = list(streams)
        self.calls: list[dict[str, Any]] = []
        self._server: Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await serve(self._handle, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    @property
    def url(self) -> str:
        assert self._server is not None
        (listening, *_) = self._server.sockets
        return f"http://127.0.0.1:{listening.getsockname()[1]}"

    async def _handle(self, socket: ServerConnection) -> None:
        async for raw in socket:
            self.calls.append(json.loads(raw))
            sent = self.streams.pop(0) if len(self.streams) > 1 else self.streams[0]
            lines = [line for line in sent.decode().splitlines() if line.startswith("data: {")]
            for line in lines:
                await socket.send(line.removeprefix("data: "))
            if not any(f"event: {end}" in sent.decode() for end in RESPONSES_ENDS):
                await socket.close()
