"""Models' Markdown, changed where a converter would read it otherwise than it was meant (pure).

Everything is found by the parser itself (pyromark), so that code stays as it is.
"""

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pyromark
from telegramify_markdown.converter import STANDARD_OPTIONS

type Edit = tuple[int, int, bytes]
"""Replace the source's bytes from .. to."""
type Region = tuple[int, int]

_ROUNDS = 8
"""An edit may lay open the next thing to edit; in practice three rounds do."""
_BREAK = re.compile(rb"<br\s*/?>", re.IGNORECASE)
_SPOILER_TAGS = ("<tg-spoiler>", "</tg-spoiler>")
_BARS = re.compile(rb"(?<!\\)\|\|")
_SPOILER = re.compile(rb"(?<!\\)\|\|(?=[^\s|])[^|\n]*[^\s|]\|\|(?!\|)")
_INLINE_MATH = re.compile(rb"\\\((?=\S)((?:(?!\\\()[^$\n])+?)\\\)")
_DISPLAY_MATH = re.compile(rb"\\\[((?:(?!\n[ \t]*\n|\\\[)[^$])+?)\\\]")
_MATH = re.compile(r"\\[A-Za-z]|[\^_=+<>{}]|^\s*[A-Za-z]\s*$")
_MONEY = re.compile(r"\d[\d.,]*\s|.*[^\W\d_]{4}")
_PHONE_COLUMNS = 44
"""Characters of monospace text in a line on a phone; wider tables become lists."""


def prepared(markdown: str) -> str:
    """The same text for telegramify's ``convert(..., latex_escape=False)``."""
    source = _apply(markdown.encode(), _delimiters(markdown.encode()))
    for _ in range(_ROUNDS):
        if b"<" not in source and b"$" not in source and b"|" not in source:
            break
        edits = _Reader(source).edits()
        if not edits:
            break
        source = _apply(source, edits)
    return source.decode()


def _events(source: bytes) -> Iterator[tuple[Any, int, int]]:
    for payload, found in pyromark.events_with_range(source.decode(), options=STANDARD_OPTIONS):
        yield payload, found["start"], found["end"]


def _name(tag: Any) -> str:
    """What a Start or End event is about; empty where there is none."""
    return next(iter(tag), "") if isinstance(tag, dict) else tag or ""


def _apply(source: bytes, edits: list[Edit]) -> bytes:
    parts: list[bytes] = []
    done = 0
    for start, end, new in sorted(edits):
        if start < done:
            continue
        parts += (source[done:start], new)
        done = end
    return b"".join((*parts, source[done:]))


def _delimiters(source: bytes) -> list[Edit]:
    r"""LaTeX's own delimiters become dollars; bars that hide nothing are text, or an empty cell."""
    if b"\\(" not in source and b"\\[" not in source and b"||" not in source:
        return []
    code, tables = _regions(source)
    edits = _formulas(source) + _bars(source, tables)
    return [edit for edit in edits if not _touches(edit[0], edit[1], code)]


def _regions(source: bytes) -> tuple[list[Region], list[Region]]:
    """Where code and where tables stand."""
    code: list[Region] = []
    tables: list[Region] = []
    for payload, start, end in _events(source):
        if not isinstance(payload, dict):
            continue
        kind = _name(payload.get("Start"))
        if "Code" in payload or kind == "CodeBlock":
            code.append((start, end))
        elif kind == "Table":
            tables.append((start, end))
    return code, tables


def _formulas(source: bytes) -> list[Edit]:
    edits: list[Edit] = []
    for pattern, around in ((_INLINE_MATH, b"$"), (_DISPLAY_MATH, b"$$")):
        for found in pattern.finditer(source):
            formula = found[1].strip()
            if _MATH.search(formula.decode()):
                edits.append((*found.span(), around + formula + around))
    return edits


def _bars(source: bytes, tables: list[Region]) -> list[Edit]:
    spoilers = [found.span() for found in _SPOILER.finditer(source) if not _within(found.start(), tables)]
    return [
        (*found.span(), b"| |" if _within(found.start(), tables) else rb"\|\|")
        for found in _BARS.finditer(source)
        if not _within(found.start(), spoilers)
    ]


def _within(at: int, regions: list[Region]) -> bool:
    return _touches(at, at + 1, regions)


def _touches(start: int, end: int, regions: list[Region]) -> bool:
    """Whether one of the regions, which are in order and apart, has a byte from ``start`` to ``end``."""
    last = bisect_left(regions, (end, 0)) - 1
    return last >= 0 and regions[last][1] > start


@dataclass(slots=True)
class _Table:
    """A table while it is read: its cells as source, and how wide its columns are."""

    start: int
    end: int
    nested: bool
    rows: list[list[str]] = field(default_factory=list[list[str]])
    widths: dict[int, int] = field(default_factory=dict[int, int])
    cell: int = 0
    linked: bool = False

    def read(self, payload: dict[str, Any], begun: str, source: str) -> None:
        """Take an event within the table; ``source`` is what it was read from."""
        if begun in ("TableHead", "TableRow"):
            self.rows.append([])
        elif begun == "TableCell":
            self.rows[-1].append(source.strip())
            self.cell = 0
        elif begun in ("Link", "Image"):
            self.linked = True
        elif "Text" in payload or "Code" in payload:
            place = len(self.rows[-1]) - 1
            self.cell += len(payload.get("Text") or payload.get("Code") or "")
            self.widths[place] = max(self.widths.get(place, 0), self.cell)

    def too_wide(self) -> bool:
        """Whether it would be torn apart on a phone, or lose its links in monospace."""
        width = sum(self.widths.values()) + 3 * (len(self.widths) - 1)
        return not self.nested and len(self.rows) > 1 and (self.linked or width > _PHONE_COLUMNS)

    def as_list(self) -> bytes:
        """Each row as an entry."""
        head, *rows = self.rows
        lines: list[str] = []
        for row in rows:
            name, *values = row
            title = name if "*" in name or not name else f"**{name}**"
            named = [(head[place], value) for place, value in enumerate(values, 1) if value and place < len(head)]
            if len(head) <= 2:  # noqa: PLR2004 - a name and what is said of it fit one line
                lines.append(f"- {title}: {named[0][1]}" if named else f"- {name}")
            else:
                lines += ["", title, *(f"- {label}: {value}" if label else f"- {value}" for label, value in named)]
        return "\n".join(("", *lines, "", "")).encode()


class _Reader:
    """Collects where the parser sees HTML, formulas or tables that a reader of the text does not."""

    def __init__(self, source: bytes) -> None:
        self._source = source
        self._open: Counter[str] = Counter()
        self._table: _Table | None = None
        self._edits: list[Edit] = []

    def edits(self) -> list[Edit]:
        for payload, start, end in _events(self._source):
            if isinstance(payload, dict):
                begun, ended = _name(payload.get("Start")), _name(payload.get("End"))
                self._open[begun] += 1
                self._open[ended] -= 1
                self._tables(payload, begun, ended, start, end)
                self._inline(payload, start, end)
        return self._edits

    def _tables(self, payload: dict[str, Any], begun: str, ended: str, start: int, end: int) -> None:
        if begun == "Table":
            self._table = _Table(start, end, nested=self._open["Item"] > 0 or self._open["BlockQuote"] > 0)
        elif ended == "Table" and self._table is not None:
            if self._table.too_wide():
                self._edits.append((self._table.start, self._table.end, self._table.as_list()))
            self._table = None
        elif self._table is not None:
            self._table.read(payload, begun, self._source[start:end].decode())

    def _inline(self, payload: dict[str, Any], start: int, end: int) -> None:
        if "InlineHtml" in payload and payload["InlineHtml"].lower() not in _SPOILER_TAGS:
            one_line = self._table is not None or self._open["Heading"] > 0
            self._edits.append(_html(self._source, start, end, b" " if one_line else b"\n"))
        elif "Html" in payload:
            at = self._source.find(b"<", start, end)
            if at >= 0 and not self._source[start:at].strip(b" \t>"):
                self._edits.append(_html(self._source, at, end, b""))
        elif "InlineMath" in payload and _is_prose(payload["InlineMath"], self._source[end : end + 1]):
            self._edits += [(start, start + 1, rb"\$"), (end - 1, end, rb"\$")]


def _html(source: bytes, start: int, end: int, line_break: bytes) -> Edit:
    """A line break is one; of anything else the text is shown: it may well be ``List<String>``."""
    found = _BREAK.match(source, start, end)
    return (start, found.end(), line_break) if found else (start, start, b"\\")


def _is_prose(formula: str, following: bytes) -> bool:
    """``$HOME/$USER`` and ``$5 or 6$`` are no formulas."""
    if following.isalnum() or following in (b"_", b"{"):
        return True
    return not re.search(r"[\\^_=]", formula) and bool(_MONEY.match(formula))
