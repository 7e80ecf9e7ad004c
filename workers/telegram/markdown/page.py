"""Writes the text and the spans that a Markdown document becomes (pure)."""

from dataclasses import dataclass

from workers.telegram.markdown.pieces import Inline
from workers.telegram.markdown.spans import Span, shifted


@dataclass(slots=True)
class Begun:
    """An entity whose end is not written yet."""

    kind: str
    start: int | None = None


class PageWriter:
    """Collects text and spans. The gap between two pieces is the larger of the two that were asked for."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self._parts: list[str] = []
        self._length = 0
        self._gap = 0
        self._waiting: list[Begun] = []

    @property
    def text(self) -> str:
        return "".join(self._parts)

    def gap(self, lines: int) -> None:
        """Begin the next piece at least so many lines further down."""
        self._gap = max(self._gap, lines)

    def write(self, text: str) -> None:
        if not text:
            return
        if self._length:
            self._put("\n" * self._gap)
        self._gap = 0
        for begun in self._waiting:
            begun.start = self._length
        self._waiting.clear()
        self._put(text)

    def _put(self, text: str) -> None:
        self._parts.append(text)
        self._length += len(text)

    def inline(self, piece: Inline, indent: str = "") -> None:
        """Write inline text, with ``indent`` before each line but the first."""
        if not piece.text:
            return
        text, spans = piece.text, piece.spans
        if indent and "\n" in text:
            places = [place for place, character in enumerate(text) if character == "\n"]
            text, spans = text.replace("\n", f"\n{indent}"), shifted(spans, places, len(indent))
        self.write(text)
        start = self._length - len(text)
        self.spans += [Span(span.start + start, span.end + start, span.kind, span.detail) for span in spans]

    def code(self, text: str, language: str = "") -> None:
        self.write(text)
        self.spans.append(Span(self._length - len(text), self._length, "pre", language))

    def begin(self, kind: str) -> Begun:
        """Begin an entity at the next piece."""
        begun = Begun(kind)
        self._waiting.append(begun)
        return begun

    def end(self, begun: Begun) -> None:
        """End an entity at the last piece."""
        if begun.start is None:
            self._waiting.remove(begun)
        else:
            self.spans.append(Span(begun.start, self._length, begun.kind))
