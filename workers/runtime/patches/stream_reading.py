"""Where clients read a stream: its events pass ``streams.reading`` first."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from functools import partial
from itertools import repeat
from time import perf_counter
from typing import Any
from weakref import WeakMethod

from workers.runtime.streams.arguments import checked
from workers.runtime.streams.escapes import mended
from workers.runtime.streams.meter import metering
from workers.runtime.streams.reading import Pace, Stream, wire

_DRAIN_S = 0.1
"""So long OpenAI's client waits for the end of a body."""


def events(original: Callable[..., AsyncIterator[Any]]) -> Callable[..., AsyncIterator[Any]]:
    """``AsyncStream._iter_events`` of OpenAI's and Anthropic's clients."""
    ends = original.__module__.startswith("openai.")

    async def iter_events(self: Any) -> AsyncIterator[Any]:
        if not _streams(self.response):
            return
        stream, pace = Stream(), Pace()
        sent = original(self)
        async for event in sent:
            # The client puts its lines together each time it is asked.
            data = event.data
            if data.startswith("[DONE]"):
                # The reader of events keeps it to itself; ``streams.ends`` asks for it.
                self.cohort_done = True
                if ends:
                    await _drain(sent, self.response)
                    break
            for held, raw in stream.ready(event, data):
                for passed in _events(stream, held, raw):
                    began = perf_counter()
                    yield passed
                    await pace.breathe(began)
                stream.check()
        for held, raw in stream.last():
            for passed in _events(stream, held, raw):
                yield passed

    return iter_events


def _streams(response: Any) -> bool:
    """Whether a response is a stream; its bytes are bounded from now on."""
    if response.headers.get("content-type", "").startswith("application/json"):
        # A server that does not stream: it is asked for the whole, and that is bounded (``bodies``).
        return False
    if not isinstance(response.aiter_bytes, partial):
        response.aiter_bytes = partial(_wired, WeakMethod(response.aiter_bytes))
    return True


async def _drain(sent: AsyncIterator[Any], response: Any) -> None:
    """Read what comes behind ``[DONE]``, as OpenAI's client does, so that the connection serves the next call.

    Read here, the generators below come to their ends; for each of them that is left, the loop makes a task.
    """
    if response.http_version != "HTTP/1.1":
        return
    with suppress(Exception):  # the answer is whole, whatever comes
        async with asyncio.timeout(_DRAIN_S):
            async for _ in sent:
                await asyncio.sleep(0)


def _wired(aiter_bytes: WeakMethod[Callable[[], AsyncIterator[bytes]]]) -> AsyncIterator[bytes]:
    """``aiter_bytes`` of the response that holds this: it must not hold itself, or it waits for the collector."""
    read = aiter_bytes()
    if read is None:
        raise ReferenceError("the response is gone")
    return wire(read(), metering.get())


def _events(stream: Stream, event: Any, raw: str) -> Sequence[Any]:
    """An event with what it says read already; the client's own reading of it costs nothing more."""
    try:
        said = stream.read(raw)
    except ValueError:
        return (event,)
    made = [event if data is said[-1] else type(event)(event=data["type"], data="{}") for data in said]
    for passed, data in zip(made, said, strict=True):
        # Gives the same each time, and is no function of Python's: it is called for each word.
        passed.json = repeat(data).__next__
    return made


def segments(original: Callable[..., AsyncIterator[Any]]) -> Callable[..., AsyncIterator[Any]]:
    """``HttpResponse.async_segments`` of Google's client."""

    async def async_segments(self: Any) -> AsyncIterator[Any]:
        if self.response_stream is None or isinstance(self.response_stream, list):
            async for segment in original(self):
                yield segment
            return
        stream, pace = Stream(), Pace()
        async for text in self._aiter_response_stream():  # google's
            for _, raw in stream.ready(None, text):
                for data in _google(self, stream, raw):
                    began = perf_counter()
                    yield data
                    await pace.breathe(began)
                stream.check()
        for _, raw in stream.last():
            for data in _google(self, stream, raw):
                yield data

    return async_segments


def _google(response: Any, stream: Stream, raw: str) -> tuple[Any, ...]:
    try:
        return stream.read(raw)
    except ValueError:
        # It says what it thinks of it.
        return (response._load_json_from_response(raw),)  # noqa: SLF001 - google's


class _Message:
    """A message of a web socket in the place of those that ``message`` has made already."""

    type = 1
    """``WSMsgType.TEXT`` of aiohttp, which is loaded late."""
    data = ""


def message(original: Callable[[Any, str], Any]) -> Callable[[Any, str], Any]:
    """``WebSocketResponsesStream._payload_from_raw_data``: one message, one event; those behind it wait."""

    def payload_from_raw_data(self: Any, raw_data: str) -> Any:
        waiting: deque[Any] = self.__dict__.setdefault("cohort_waiting", deque())
        if waiting:
            return waiting.popleft()
        stream = self.__dict__.setdefault("cohort_stream", Stream())
        payload = original(self, mended(raw_data))
        # Nothing more is read after the one that did not fit whole.
        stream.check()
        waiting += stream.passed(payload)
        return waiting.popleft() if waiting else {"type": "cohort.nothing"}

    return payload_from_raw_data


def paced(original: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """``WebSocketResponsesStream.__anext__``: the next message, which may wait its turn."""

    async def anext_(self: Any) -> Any:
        pace = self.__dict__.setdefault("cohort_pace", Pace())
        if began := self.__dict__.get("cohort_began"):
            await pace.breathe(began)
        if self.__dict__.get("cohort_waiting"):
            _, event = self._event_from_message(_Message)
        else:
            event = await original(self)
        self.cohort_began = perf_counter()
        return event

    return anext_


def as_sent(_: Callable[..., Any]) -> Callable[[str, str], tuple[str, str]]:
    """``OpenAILLM._extract_incremental_delta``, which takes a piece that begins as all before it did for a repetition
    of it: "ha" twice became "ha" once. OpenAI's protocol says that pieces are new text, and no guess is made here.
    """

    def extract_incremental_delta(delta: str, cumulative: str) -> tuple[str, str]:  # noqa: ARG001 - fast-agent's
        return delta or "", ""

    return extract_incremental_delta


def thinking(original: Callable[..., bool]) -> Callable[..., bool]:
    """``OpenAILLM._handle_reasoning_delta``: thoughts that a server sends apart are such, whatever a table says."""

    def handle_reasoning_delta(self: Any, *, reasoning_mode: str | None, **delta: Any) -> bool:
        return original(self, reasoning_mode=reasoning_mode or "stream", **delta)

    return handle_reasoning_delta


def reading(original: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """``OpenAILLM._openai_requested_tool_calls``, which runs a tool with as much of its arguments as it could read."""

    def requested_tool_calls(tool_calls: Any) -> Any:
        for call in tool_calls:
            call.function.arguments = checked(call.function.arguments)
        return original(tool_calls)

    return requested_tool_calls
