"""Tables as monospace text, or as lists where a phone is too narrow for them (pure)."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain

from workers.telegram.markdown.pieces import Inline
from workers.telegram.markdown.spans import Span

_PHONE_COLUMNS = 44
"""Characters of monospace text in a line on a phone."""
_AS_EMOJI, _JOINER = "\ufe0f", "\u200d"
_SAYS_NOTHING = frozenset(
    {"", "name", "item", "title", "#", "no.", "nr.", "id", "key", "имя", "название", "名称", "项目"}
)
"""Heads of a first column that a row's title leaves out."""


@dataclass(frozen=True)
class Table:
    """Rows of cells, the head first; ``aligns``: l, r or c for each column."""

    rows: Sequence[Sequence[Inline]]
    aligns: Sequence[str]

    @cached_property
    def _widths(self) -> list[int]:
        count = max(len(row) for row in self.rows)
        return [max(1, *(_width(row[at].text) for row in self.rows if at < len(row))) for at in range(count)]

    def as_text(self) -> str:
        """Write the table in columns."""
        widths = self._widths
        lines = [
            " | ".join(
                self._padded(row[at].text if at < len(row) else "", at, width) for at, width in enumerate(widths)
            )
            for row in self.rows
        ]
        lines.insert(1, "-+-".join("-" * width for width in widths))
        return "\n".join(lines)

    def _padded(self, text: str, column: int, width: int) -> str:
        blanks = width - _width(text)
        align = self.aligns[column] if column < len(self.aligns) else "l"
        before = blanks if align == "r" else blanks // 2 if align == "c" else 0
        return " " * before + text + " " * (blanks - before)

    def is_wide(self) -> bool:
        """Whether the table is too wide for a phone, or would lose its links or its cells' lines in monospace."""
        if len(self.rows) < 2:  # noqa: PLR2004 - a head alone lists nothing
            return False
        if any("\n" in cell.text or any(span.kind == "text_link" for span in cell.spans) for cell in chain(*self.rows)):
            return True
        return sum(self._widths) + 3 * (len(self._widths) - 1) > _PHONE_COLUMNS

    def as_list(self) -> list[Inline]:
        """Each row as an entry: lines, empty ones where entries are apart."""
        head, *rows = self.rows
        return self._pairs(head, rows) if len(head) <= 2 else self._entries(head, rows)  # noqa: PLR2004 - name and value

    def _pairs(self, head: Sequence[Inline], rows: Sequence[Sequence[Inline]]) -> list[Inline]:
        lines = [_bold(_together(*_between(head, ": ")))] if any(cell.text for cell in head) else []
        for row in rows:
            first, *rest = row or [_text("")]
            named = _bold(first) if rest else first
            cells = [cell for cell in rest if cell.text]
            lines.append(_together(_text("• "), named, *(part for cell in cells for part in (_said(cell), cell))))
        return lines

    def _entries(self, head: Sequence[Inline], rows: Sequence[Sequence[Inline]]) -> list[Inline]:
        lines: list[Inline] = []
        unsaid = {at for at in range(1, len(head)) if not any(row[at].text for row in rows if at < len(row))}
        for row in rows:
            first, *values = row or [_text("")]
            if lines:
                lines.append(_text(""))
            label = [] if head[0].text.strip().lower() in _SAYS_NOTHING else [head[0], _text(": ")]
            lines.append(_bold(_together(*label, first)))
            for at, value in enumerate(values, 1):
                name = head[at] if at < len(head) else _text("")
                if value.text:
                    lines.append(_together(_text("• "), name, _said(value) if name.text else _text(""), value))
        lines += [_together(_text("• "), head[at], _text(": –")) for at in sorted(unsaid) if head[at].text]
        return lines


def _width(text: str) -> int:
    """Columns of monospace text; an emoji of several characters is one."""
    if text.isascii():
        return len(text)
    whole = last = 0
    before = ""
    for character in text:
        kind = unicodedata.category(character)
        if character == _AS_EMOJI and last == 1:
            # A sign of one column (❤) is a picture of two.
            whole, last = whole + 1, 2
        elif kind not in ("Mn", "Me", "Cf"):
            joined = (before == _JOINER and kind == "So") or _is_skin_tone(character)
            last = 0 if joined else 2 if unicodedata.east_asian_width(character) in "WF" else 1
            whole += last
        before = character
    return whole


def _is_skin_tone(character: str) -> bool:
    return "\U0001f3fb" <= character <= "\U0001f3ff"


def _text(text: str) -> Inline:
    return Inline(text, [], [])


def _said(value: Inline) -> Inline:
    """What stands before a value: one of several lines that is a list begins on a line of its own."""
    return _text(":\n" if "\n" in value.text and value.text.startswith(("• ", "1. ")) else ": ")


def _between(parts: Sequence[Inline], mark: str) -> list[Inline]:
    joined = [part for cell in parts for part in (_text(mark), cell)]
    return joined[1:]


def _together(*parts: Inline) -> Inline:
    spans: list[Span] = []
    length = 0
    for part in parts:
        spans += [span._replace(start=span.start + length, end=span.end + length) for span in part.spans]
        length += len(part.text)
    return Inline("".join(part.text for part in parts), spans, [])


def _bold(part: Inline) -> Inline:
    return Inline(part.text, [*part.spans, Span(0, len(part.text), "bold")], [])
