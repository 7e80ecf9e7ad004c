"""What a provider sends passes here before its client reads it: whole text, counted, a little at a time.

- A surrogate pair that is split over two events is joined, half of one and a NUL become U+FFFD, and bytes that are no
  UTF-8 too: pydantic refuses such a text, and a turn would fail for a smiley.
- A ``Meter`` counts what the model says, and ends the stream of an answer without end.
- A burst of events that is there already gives the loop to others between them, and a stream that keeps it busy for
  long may have half of it: other chats wait milliseconds, and a real model's stream never notices.
"""

import asyncio
import codecs
import json
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from time import perf_counter
from typing import Any

from workers.runtime.patches.patch import replace_once
from workers.runtime.streams.arguments import Arguments, checked
from workers.runtime.streams.deltas import Deltas
from workers.runtime.streams.escapes import ends_open, joined, mended
from workers.runtime.streams.meter import AnswerCut, Meter, longest, metering

_SDKS = ("openai._streaming", "anthropic._streaming")
_GOOGLE = "google.genai._api_client"
_OPENAI = "fast_agent.llm.provider.openai.llm_openai"
_WEBSOCKET = "fast_agent.llm.provider.openai.responses_websocket"

_EVENTS_AT_ONCE = 16
"""Events read before others get the loop: some three milliseconds."""
_SLICE = 2**14
"""Bytes given to a client's reader at once: 25 ms where each of them is a line."""
_SILENT, _QUIET = 2, 2**18
"""So many times the longest event may come without a word of the model; after so many bytes of it the stream pauses."""
_decode = json.JSONDecoder(strict=False).decode
"""Made once: ``json.loads`` makes one for each call that is not strict."""
_BUSY_S = 0.25
"""Processor time of one stream after which it pauses for as long as it works."""


@dataclass(slots=True)
class Stream:
    """One stream's events on their way to its client."""

    meter: Meter | None = field(default_factory=metering.get)
    arguments: Arguments = field(default_factory=Arguments)
    deltas: Deltas = field(default_factory=Deltas)
    held: tuple[Any, str] | None = None

    def ready(self, event: Any, raw: str) -> Iterator[tuple[Any, str]]:
        """The events that can be read now; one whose text ends in half a surrogate pair waits for the next."""
        if self.held is not None:
            first, raw = joined(self.held[1], raw)
            yield self.held[0], first
            self.held = None
        if ends_open(raw):
            self.held = (event, raw)
        else:
            yield event, raw

    def last(self) -> Iterator[tuple[Any, str]]:
        """What still waits when the stream ends."""
        if self.held is not None:
            yield self.held
            self.held = None

    def read(self, raw: str) -> tuple[Any, ...]:
        """What an event says, counted and checked; nothing when it is not to be passed on.

        Raises:
            ValueError: it is no JSON: an end mark, or a fault that the client words.
        """
        try:
            # Some servers leave control characters as they are.
            data: Any = _decode(mended(raw))
        except RecursionError as problem:
            raise ValueError("nested too deep") from problem
        if type(data) is not dict:
            return (data,)
        self.deltas.read(data)
        if self.meter is not None and not self.meter.take(data):
            return ()
        return self.arguments.read(data)

    def check(self) -> None:
        """After what fitted was passed on.

        Raises:
            AnswerCut: the turn's allowance is used up.
        """
        if self.meter is not None and self.meter.over:
            raise AnswerCut


class Pace:
    """Lets others have the loop while a stream's events are read."""

    def __init__(self) -> None:
        self._events = 0
        self._busy = 0.0

    async def breathe(self, began: float) -> None:
        """After an event whose reading began then."""
        spent = perf_counter() - began
        self._events += 1
        self._busy += spent
        if self._busy > _BUSY_S:
            await asyncio.sleep(spent)
        elif self._events % _EVENTS_AT_ONCE == 0:
            await asyncio.sleep(0)


async def wire(body: AsyncIterator[bytes], meter: Meter | None = None) -> AsyncIterator[bytes]:
    """A stream's bytes, as UTF-8 without a byte order mark, a little at a time: a compressed piece may be a thousand
    times as long as what came of it.

    Raises:
        AnswerCut: one line is longer than a whole answer can be, or as much came with no word of the model in it.
    """
    decoder = codecs.getincrementaldecoder("utf-8-sig")("replace")
    line, silent, heard, most = 0, 0, 0, longest()
    async for whole in body:
        for start in range(0, len(whole), _SLICE):
            piece = whole[start : start + _SLICE]
            line = line + len(piece) if b"\n" not in piece else len(piece) - piece.rindex(b"\n")
            taken = 0 if meter is None else meter.taken
            silent, heard = (silent if taken == heard else 0) + len(piece), taken
            if line > most or silent > _SILENT * most:
                raise AnswerCut
            began = perf_counter()
            yield decoder.decode(piece).encode()
            if silent > _QUIET or len(whole) > _SLICE:
                await asyncio.sleep(perf_counter() - began)
    if rest := decoder.decode(b"", final=True):
        yield rest.encode()


def _sse(original: Callable[..., AsyncIterator[Any]]) -> Callable[..., AsyncIterator[Any]]:
    """``AsyncStream._iter_events`` of OpenAI's and Anthropic's clients."""

    async def iter_events(self: Any) -> AsyncIterator[Any]:
        if self.response.headers.get("content-type", "").startswith("application/json"):
            # A server that does not stream: it is asked for the whole, and that is bounded (``bodies``).
            return
        if not isinstance(self.response.aiter_bytes, partial):
            self.response.aiter_bytes = partial(_wired, self.response.aiter_bytes)
        stream, pace = Stream(), Pace()
        async for event in original(self):
            if event.data.startswith("[DONE]"):
                # The reader of events keeps it to itself; ``streams.ends`` asks for it.
                self.cohort_done = True
            for held, raw in stream.ready(event, event.data):
                for passed in _events(stream, held, raw):
                    began = perf_counter()
                    yield passed
                    await pace.breathe(began)
                stream.check()
        for held, raw in stream.last():
            for passed in _events(stream, held, raw):
                yield passed

    return iter_events


def _wired(aiter_bytes: Callable[[], AsyncIterator[bytes]]) -> AsyncIterator[bytes]:
    return wire(aiter_bytes(), metering.get())


def _events(stream: Stream, event: Any, raw: str) -> Iterator[Any]:
    """An event with what it says read already; the client's own reading of it costs nothing more."""
    try:
        said = stream.read(raw)
    except ValueError:
        yield event
        return
    for data in said:
        passed = event if data is said[-1] else type(event)(event=data["type"], data="{}")
        passed.json = partial(_same, data)
        yield passed


def _same(data: Any) -> Any:
    return data


def _segments(original: Callable[..., AsyncIterator[Any]]) -> Callable[..., AsyncIterator[Any]]:
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


def _message(original: Callable[[Any, str], Any]) -> Callable[[Any, str], Any]:
    """``WebSocketResponsesStream._payload_from_raw_data``: one message, one event."""

    def payload_from_raw_data(self: Any, raw_data: str) -> Any:
        stream = self.__dict__.setdefault("cohort_stream", Stream())
        payload = original(self, mended(raw_data))
        # Nothing more is read after the one that did not fit whole.
        stream.check()
        if type(payload) is dict and stream.meter is not None:
            stream.meter.take(payload)
        return stream.arguments.read(payload)[-1]

    return payload_from_raw_data


def _paced(original: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """``WebSocketResponsesStream.__anext__``, likewise."""

    async def anext_(self: Any) -> Any:
        pace = self.__dict__.setdefault("cohort_pace", Pace())
        if began := self.__dict__.get("cohort_began"):
            await pace.breathe(began)
        event = await original(self)
        self.cohort_began = perf_counter()
        return event

    return anext_


def _as_sent(_: Callable[..., Any]) -> Callable[[str, str], tuple[str, str]]:
    """``OpenAILLM._extract_incremental_delta``, which takes a piece that begins as all before it did for a repetition
    of it: "ha" twice became "ha" once. OpenAI's protocol says that pieces are new text, and no guess is made here.
    """

    def extract_incremental_delta(delta: str, cumulative: str) -> tuple[str, str]:  # noqa: ARG001 - fast-agent's
        return delta or "", ""

    return extract_incremental_delta


def _reading(original: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """``OpenAILLM._openai_requested_tool_calls``, which runs a tool with as much of its arguments as it could read."""

    def requested_tool_calls(tool_calls: Any) -> Any:
        for call in tool_calls:
            call.function.arguments = checked(call.function.arguments)
        return original(tool_calls)

    return requested_tool_calls


def install() -> None:
    """In the clients that are loaded. Cheap to call again."""
    for name in _SDKS:
        if name in sys.modules:
            replace_once(sys.modules[name].AsyncStream, "_iter_events", _sse)
    if _OPENAI in sys.modules:
        replace_once(sys.modules[_OPENAI].OpenAILLM, "_extract_incremental_delta", _as_sent, static=True)
        replace_once(sys.modules[_OPENAI].OpenAILLM, "_openai_requested_tool_calls", _reading, static=True)
    if _GOOGLE in sys.modules:
        replace_once(sys.modules[_GOOGLE].HttpResponse, "async_segments", _segments)
    if _WEBSOCKET in sys.modules:
        replace_once(sys.modules[_WEBSOCKET].WebSocketResponsesStream, "_payload_from_raw_data", _message)
        replace_once(sys.modules[_WEBSOCKET].WebSocketResponsesStream, "__anext__", _paced)
