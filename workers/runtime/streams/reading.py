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
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

from workers.runtime.faults.error_codes import status_in
from workers.runtime.streams.arguments import Arguments
from workers.runtime.streams.candidates import Candidates
from workers.runtime.streams.deltas import Deltas
from workers.runtime.streams.escapes import ends_open, is_silent, joined, mended
from workers.runtime.streams.messages import NAMES, Messages
from workers.runtime.streams.meter import AnswerCut, Meter, longest, metering
from workers.runtime.streams.outputs import Outputs

_FAULTS = frozenset({"error", "response.failed"})
_UNKNOWN = 500
_HELD = 16
"""Events that wait for the second half of a surrogate pair, at most."""
_EVENTS_AT_ONCE = 16
"""Events read before others get the loop: some three milliseconds."""
_SLICE = 2**14
"""Bytes given to a client's reader at once: 25 ms where each of them is a line."""
_SILENT, _QUIET = 2, 2**18
"""So many times the longest event may come without a word of the model; after so many bytes of it the stream pauses."""
_decoder: Any = json.JSONDecoder(strict=False)
"""Made once: ``json.loads`` makes one for each call that is not strict."""
_BUSY_S = 0.25
"""Processor time of one stream after which it pauses for as long as it works."""


@dataclass(slots=True)
class Stream:
    """One stream's events on their way to its client."""

    meter: Meter | None = field(default_factory=metering.get)
    arguments: Arguments = field(default_factory=Arguments)
    deltas: Deltas = field(default_factory=Deltas)
    candidates: Candidates = field(default_factory=Candidates)
    messages: Messages = field(default_factory=Messages)
    outputs: Outputs = field(default_factory=Outputs)
    held: list[tuple[Any, str]] = field(default_factory=list[tuple[Any, str]])
    """An event whose text ends in half a surrogate pair, and events without text that came behind it."""

    def ready(self, event: Any, raw: str) -> Sequence[tuple[Any, str]]:
        """The events that can be read now; one whose text ends in half a surrogate pair waits for the next text."""
        if not raw or raw.isspace():
            # A sign of life, which clients would read as JSON.
            return ()
        before: list[tuple[Any, str]] = []
        if self.held:
            waiting, open_raw = self.held[0]
            first, rest = joined(open_raw, raw)
            if rest == raw and len(self.held) < _HELD and is_silent(raw):
                self.held.append((event, raw))
                return ()
            before = [(waiting, first), *self.held[1:]]
            self.held, raw = [], rest
        if "\\u" in raw and ends_open(raw):
            self.held = [(event, raw)]
            return before
        return [*before, (event, raw)]

    def last(self) -> Sequence[tuple[Any, str]]:
        """What still waits when the stream ends."""
        waiting, self.held = self.held, []
        return waiting

    def read(self, raw: str) -> tuple[Any, ...]:
        """What an event says, counted and checked; nothing when it is not to be passed on.

        Raises:
            ValueError: it is no JSON: an end mark, or a fault that the client words.
        """
        # Some servers leave control characters as they are.
        raw = mended(raw)
        data: Any = None
        try:
            try:
                data, end = _decoder.scan_once(raw, 0)
            except StopIteration:
                end = -1
            if end != len(raw):
                # It has blanks around it, or is no JSON.
                data = _decoder.decode(raw)
        except RecursionError as problem:
            raise ValueError("nested too deep") from problem
        return self.passed(data) if type(data) is dict else (data,)

    def passed(self, data: dict[str, Any]) -> tuple[Any, ...]:
        """The events to pass on instead of one that is read."""
        kind = data.get("type")
        if self.meter is not None and (kind in _FAULTS or data.get("error")):
            self.meter.status = status_in(data) or status_in(data.get("response")) or _UNKNOWN
        if kind in NAMES:
            return self._each(self.messages.read(data, kind))
        if type(kind) is str and kind.startswith("response."):
            return self._each(self.outputs.read(data, kind))
        if "candidates" in data or "usageMetadata" in data:
            self.candidates.read(data)
            return self.arguments.read(data) if self._is_taken(data) else ()
        self.deltas.read(data)
        return (data,) if self.meter is None or self.meter.take(data) else ()

    def _each(self, events: tuple[dict[str, Any], ...]) -> tuple[Any, ...]:
        return tuple(one for event in events if self._is_taken(event) for one in self.arguments.read(event))

    def _is_taken(self, data: dict[str, Any]) -> bool:
        return self.meter is None or self.meter.take(data)

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
            taken = 0 if meter is None else meter.taken + meter.pictures
            silent, heard = (silent if taken == heard else 0) + len(piece), taken
            if line > most or silent > _SILENT * most:
                raise AnswerCut
            began = perf_counter()
            yield decoder.decode(piece).encode()
            if silent > _QUIET or len(whole) > _SLICE:
                await asyncio.sleep(perf_counter() - began)
    if rest := decoder.decode(b"", final=True):
        yield rest.encode()
