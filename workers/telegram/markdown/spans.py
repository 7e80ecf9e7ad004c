"""Formatting as it was found -> entities as Telegram takes them (pure).

Telegram's rules (Bot API, MessageEntity): entities that share characters are nested; code has no other entity in it; a
link has no code in it and quotes have no quotes in them; offsets count UTF-16 units.
"""

from bisect import bisect_left, bisect_right
from heapq import heapify, heappop, heappush
from itertools import accumulate
from typing import NamedTuple

from botapi.split import EntityFields

_STYLES = ("bold", "italic", "underline", "strikethrough", "spoiler")
_QUOTES = ("blockquote", "expandable_blockquote")
_CODE = ("code", "pre")
_DETAIL = {"text_link": "url", "pre": "language"}
_BMP = "\uffff"


class Span(NamedTuple):
    """An entity by Python indices; ``detail`` is a link's address or a code's language."""

    start: int
    end: int
    kind: str
    detail: str = ""


def entities(text: str, spans: list[Span]) -> list[EntityFields]:
    """Valid entities of ``text``, in order, outer ones first."""
    if not spans:
        return []
    units = [0, *accumulate(2 if character > _BMP else 1 for character in text)] if max(text) > _BMP else None
    found: list[EntityFields] = []
    for span in nested(text, spans):
        start, end = (units[span.start], units[span.end]) if units else (span.start, span.end)
        entity: EntityFields = {"type": span.kind, "offset": start, "length": end - start}
        if span.detail and span.kind in _DETAIL:
            entity[_DETAIL[span.kind]] = span.detail
        found.append(entity)
    return found


def nested(text: str, spans: list[Span]) -> list[Span]:
    """Valid spans of ``text``, in order, outer ones first."""
    return _nested(_allowed(text, spans))


def _allowed(text: str, spans: list[Span]) -> list[Span]:
    spans = [span for span in spans if span.start < span.end and not text[span.start : span.end].isspace()]
    quotes = _apart([span for span in spans if span.kind in _QUOTES])
    links = _apart([span for span in spans if span.kind == "text_link"])
    code = _apart([*links, *(span for span in spans if span.kind in _CODE)])
    code = [span for span in code if span.kind in _CODE]
    kept = [*quotes, *links, *code]
    ends = [span.end for span in code]
    for kind in _STYLES:
        styled = [span for span in spans if span.kind == kind]
        kept += [part for span in _joined(styled) for part in _outside(span, code, ends, text)]
    return kept


def _apart(spans: list[Span]) -> list[Span]:
    """Drop spans that overlap an earlier one."""
    kept: list[Span] = []
    for span in sorted(spans, key=lambda span: (span.start, -span.end)):
        if not kept or span.start >= kept[-1].end:
            kept.append(span)
    return kept


def _joined(spans: list[Span]) -> list[Span]:
    """Join spans that overlap."""
    joined: list[Span] = []
    for span in sorted(spans):
        if joined and span.start < joined[-1].end:
            joined[-1] = joined[-1]._replace(end=max(joined[-1].end, span.end))
        else:
            joined.append(span)
    return joined


def _outside(span: Span, code: list[Span], ends: list[int], text: str) -> list[Span]:
    """The parts of a style's spans that are not code."""
    parts: list[Span] = []
    at = span.start
    for place in range(bisect_right(ends, span.start), len(code)):
        if code[place].start >= span.end:
            break
        parts.append(span._replace(start=at, end=code[place].start))
        at = code[place].end
    parts.append(span._replace(start=at))
    return [part for part in parts if part.start < part.end and not text[part.start : part.end].isspace()]


def _nested(spans: list[Span]) -> list[Span]:
    """Sort spans, and cut those that would cross another span's end."""
    rank = {kind: place for place, kind in enumerate((*_QUOTES, "text_link", *_STYLES, *_CODE))}
    heap = [(span.start, -span.end, rank[span.kind], span) for span in spans]
    heapify(heap)
    around: list[int] = []
    nested: list[Span] = []
    while heap:
        span = heappop(heap)[3]
        while around and around[-1] <= span.start:
            around.pop()
        if around and span.end > around[-1]:
            tail = span._replace(start=around[-1])
            heappush(heap, (tail.start, -tail.end, rank[tail.kind], tail))
            span = span._replace(end=around[-1])
        around.append(span.end)
        nested.append(span)
    return nested


def shifted(spans: list[Span], places: list[int], by: int) -> list[Span]:
    """The spans of a text into which ``by`` characters were put behind each of the ``places``."""
    if not places or not by:
        return spans
    return [
        span._replace(
            start=span.start + by * bisect_left(places, span.start), end=span.end + by * bisect_left(places, span.end)
        )
        for span in spans
    ]
