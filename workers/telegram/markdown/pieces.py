"""A text in pieces while it is read, and what is formatted in it (pure)."""

from dataclasses import dataclass

from workers.pictures import PICTURE_MARK
from workers.telegram.markdown import addresses
from workers.telegram.markdown.emphasis import DelimiterRun, pair
from workers.telegram.markdown.math.latex import lowered, raised
from workers.telegram.markdown.spans import Span

_LONGEST = 60
"""Pieces of a label or an index that are looked at as a text."""


@dataclass(slots=True)
class Inline:
    """A text, its spans, and where in it stand tags that may span blocks: (start, end, name, is closing)."""

    text: str
    spans: list[Span]
    folds: list[tuple[int, int, str, bool]]


class Pieces:
    """Marks stay pieces of their own until it is known what they are, so that places do not change."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._marks: list[tuple[int, int, str, str]] = []
        self._folds: list[tuple[int, str, bool]] = []
        self._runs: list[DelimiterRun] = []
        self.links = 0

    def __len__(self) -> int:
        return len(self._pieces)

    @property
    def runs(self) -> int:
        """How many delimiter runs wait for their counterparts."""
        return len(self._runs)

    def whole(self) -> Inline:
        """The text that was read so far."""
        self.pair(0)
        starts = [0]
        for piece in self._pieces:
            starts.append(starts[-1] + len(piece))
        spans = [Span(starts[first], starts[last], kind, detail) for first, last, kind, detail in self._marks]
        folds = [(starts[node], starts[node + 1], name, closing) for node, name, closing in self._folds]
        return Inline("".join(self._pieces), spans, folds)

    def put(self, text: str) -> None:
        self._pieces.append(text)

    def code(self, text: str) -> None:
        self._marks.append((len(self), len(self) + 1, "code", ""))
        self.put(text)

    def fold(self, tag: str, name: str, *, closing: bool) -> None:
        """Add a tag that may span blocks."""
        self._folds.append((len(self), name, closing))
        self.put(tag)

    def run(self, text: str, *, opens: bool, closes: bool) -> None:
        """Add a run of one mark that may be markup."""
        self._runs.append(DelimiterRun(len(self), text[0], len(text), opens, closes, len(text)))
        self.put(text)

    def trim(self) -> None:
        """The last piece without blanks at its end."""
        if self._pieces:
            self._pieces[-1] = self._pieces[-1].rstrip(" \t")

    def pair(self, first: int) -> None:
        """Match the runs from ``first`` on; what has no counterpart is text from now on."""
        self._marks += [(*found, "") for found in pair(self._runs[first:], self._pieces)]
        del self._runs[first:]

    def style(self, node: int, kind: str) -> None:
        """Format what stands behind the piece ``node``, which is no text."""
        self._pieces[node] = ""
        self._marks.append((node + 1, len(self), kind, ""))

    def link(self, node: int, address: str, title: str, *, image: bool, nested: bool) -> None:
        """The pieces behind ``node``, which is no text, lead to ``address``; what cannot be a link is said."""
        label = "".join(self._pieces[node + 1 :]).strip() if len(self) - node < _LONGEST else "…"
        self._pieces[node] = PICTURE_MARK if image else ""
        said = addresses.in_words(address)
        if addresses.linkable(address) and not nested and addresses.is_what_it_says(label, address):
            if not label:
                self.put(address)
            self._marks.append((node + 1, len(self), "text_link", address))
            self.links += 1
        elif said and said != label:
            self.put(f" ({said})" if label else said)
        if title and title != label:
            self.put(f" ({title})")

    def script(self, node: int, *, below: bool) -> None:
        """Lower or raise what stands behind the piece ``node``."""
        self._pieces[node] = ""
        while self._runs and self._runs[-1].node > node:
            self._runs.pop()
        if len(self) - node > _LONGEST:
            return
        text = "".join(self._pieces[node + 1 :])
        mapped = (lowered if below else raised)(text)
        if mapped is None:
            self._pieces[node] = "_(" if below else "^("
            self.put(")")
        else:
            self._pieces[node + 1 :] = [mapped, *([""] * (len(self) - node - 2))]
