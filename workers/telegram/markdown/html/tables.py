"""Tables that are written in HTML (pure)."""

import re

from markdown_it.rules_block import StateBlock

from workers.telegram.markdown.lines import begins_within, emit, line_of, may_look

_BEGIN = re.compile(r"<table\b[^<>]*>", re.IGNORECASE)
_END = re.compile(r"</table\s*>[ \t]*", re.IGNORECASE)
_ROW = re.compile(r"<tr\b[^<>]*>(.*?)(?:</tr\s*>|(?=<tr\b)|\Z)", re.IGNORECASE | re.DOTALL)
_CELL = re.compile(r"<t[hd]\b[^<>]*>(.*?)(?:</t[hd]\s*>|(?=<t[hd]\b)|\Z)", re.IGNORECASE | re.DOTALL)
_FRAME = re.compile(r"</?(?:table|thead|tbody|tfoot|colgroup|col|caption|tr|t[hd])\b[^<>]*>", re.IGNORECASE)
_LONGEST = 400
"""Lines of a table that are looked at."""
_BEGIN_OF_LINE = re.compile(r"^[ \t>]*(<table\b)", re.IGNORECASE | re.MULTILINE)
_END_OF_ROW = re.compile(r"</tr\s*>", re.IGNORECASE)


def html_table(state: StateBlock, start: int, end: int, silent: bool) -> bool:  # noqa: FBT001 - markdown-it's
    """``<table>`` at the beginning of a line, up to ``</table>`` at the end of one; not with words beside its cells."""
    if _BEGIN.match(line_of(state, start)) is None or state.is_code_block(start):
        return False
    line = start
    while begins_within(state, line, end) or (line < end and state.isEmpty(line)):
        if line - start > _LONGEST or not may_look(state):
            return False
        found = _END.search(line_of(state, line))
        if found is not None and found.end() == len(line_of(state, line)):
            source = state.getLines(start, line + 1, state.blkIndent, keepLastLF=False)
            rows = _rows(source)
            if rows is None:
                return False
            if not silent:
                emit(state, "table", "", (start, line + 1))
                state.tokens[-1].meta = {"rows": rows, "aligns": []}
            return True
        line += 1
    return False


def _rows(source: str) -> list[list[str]] | None:
    """The cells; None where the table has none, or words stand beside them that would be lost."""
    rows = [[" ".join(cell[1].split()) for cell in _CELL.finditer(row[1])] for row in _ROW.finditer(source)]
    rows = [row for row in rows if row]
    beside = _FRAME.sub("", _ROW.sub(lambda row: _CELL.sub("", row[1]), source))
    return rows if rows and not beside.strip() else None


def unended(source: str) -> int | None:
    """Where a table begins that has no end; None where there is none."""
    begun = max(_BEGIN_OF_LINE.finditer(source), key=lambda found: found.start(), default=None)
    if begun is None or _END.search(source, begun.end()):
        return None
    return begun.start(1)


def with_end(source: str, start: int) -> str:
    """A text whose table from ``start`` on is not ended, with its whole rows, and an end."""
    rows = [row.end() for row in _END_OF_ROW.finditer(source, start)]
    return f"{source[: rows[-1]]}</table>" if rows else source[:start].rstrip()
