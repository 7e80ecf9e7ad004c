"""The blocks of a Markdown text: markdown-it-py with rules of our own (pure).

Ours are formulas, ``<pre>``, fences in fences, tables whose cells may hold bars in code, and a limit to nesting. HTML
is left to the inline reader, so that Markdown within it is read.
"""

import re
from bisect import bisect_left
from collections.abc import Callable
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.ruler import RuleOptionsType
from markdown_it.rules_block import StateBlock, blockquote, heading, hr, lheading, list_block, reference
from markdown_it.token import Token

from workers.telegram.markdown.fences import fenced, glued
from workers.telegram.markdown.html.tables import html_table
from workers.telegram.markdown.lines import begins_with, begins_within, emit, line_of, may_look
from workers.telegram.markdown.math.formulas import is_not_math

type BlockRule = Callable[[StateBlock, int, int, bool], bool]

_DEEP = 24
"""Quotes and lists within each other; what is deeper is text. markdown-it drops what is below its own limit."""
_LIMIT = 400
_LINES_OF_A_HEADING = 4
_LONGEST_FORMULA = 60
_INTERRUPTS = ["paragraph", "reference", "blockquote", "list"]
_PRE = re.compile(r"<pre\b[^>]*>", re.IGNORECASE)
_PRE_END = re.compile(r"</pre\s*>[ \t]*", re.IGNORECASE)
_DELIMITER_ROW = re.compile(r"\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*")
_CELL = re.compile(r"\\\||\\`|`+|\|")
_NAMES_WHAT_FOLLOWS = re.compile(r"(?:\*\*|__)\S.{0,200}(?:\*\*|__):?[ \t]*|[^\s:].{0,80}:[ \t]*")
_NO_QUOTE = re.compile(r">(?:[=\d]|>>(?:[ \t]|\Z))")
_BEGIN = re.compile(r"\\begin\{([a-z]+\*?)\}")


def parsed(source: str) -> tuple[list[Token], dict[str, tuple[str, str]]]:
    """The blocks of ``source``, and the link references in it: label -> (address, title)."""
    env: dict[str, Any] = {}
    tokens: list[Token] = []
    _PARSER.block.parse(source, _PARSER, env, tokens)
    references = {
        label: (str(found["href"]), str(found["title"])) for label, found in env.get("references", {}).items()
    }
    return tokens, references


def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"maxNesting": _LIMIT, "inline_definitions": True})
    parser.normalizeLink = lambda url: url  # type: ignore[method-assign]
    parser.validateLink = lambda _url: True  # type: ignore[method-assign]
    parser.disable("html_block")
    ruler = parser.block.ruler
    interrupts: RuleOptionsType = {"alt": _INTERRUPTS}
    # The parser shows every line to every rule, and most rules can reject it at once by its first characters.
    ruler.before("fence", "formula", _beginning("\\$", _formula), interrupts)
    ruler.before("fence", "pre", _beginning("<", _pre), interrupts)
    ruler.before("fence", "html_table", _beginning("<", html_table), interrupts)
    ruler.at("fence", _beginning("`~", fenced), interrupts)
    ruler.at("blockquote", _beginning(">", _not_too_deep(_quote)), interrupts)
    ruler.at("hr", _beginning("*-_", hr), interrupts)
    not_lists: RuleOptionsType = {"alt": ["paragraph", "reference", "blockquote"]}
    ruler.at("list", _beginning("*+-0123456789", _not_too_deep(list_block)), not_lists)
    ruler.at("heading", _beginning("#", heading), not_lists)
    ruler.at("reference", _beginning("[", _reference))
    ruler.before("lheading", "glued", glued, {"alt": ["paragraph"]})
    ruler.at("lheading", _underlined)
    ruler.before("paragraph", "label", _label, {"alt": ["paragraph"]})
    ruler.before("code", "cells", _table, {"alt": ["paragraph", "reference"]})
    return parser


def _beginning(characters: str, rule: BlockRule) -> BlockRule:
    """The rule, asked for lines only that begin with one of the characters."""

    def asked(state: StateBlock, start: int, end: int, silent: bool) -> bool:  # noqa: FBT001 - markdown-it's
        at = state.bMarks[start] + state.tShift[start]
        return at < state.eMarks[start] and state.src[at] in characters and rule(state, start, end, silent)

    return asked


def _not_too_deep(rule: BlockRule) -> BlockRule:
    def limited(state: StateBlock, start: int, end: int, silent: bool) -> bool:  # noqa: FBT001 - markdown-it's
        return state.level < _DEEP and rule(state, start, end, silent)

    return limited


def _underlined(state: StateBlock, start: int, end: int, silent: bool) -> bool:  # noqa: FBT001 - markdown-it's
    """A heading of a few lines by a line of ``=`` below it; markdown-it looks for one to a paragraph's end."""
    for line in range(start + 1, min(start + 1 + _LINES_OF_A_HEADING, end)):
        if state.isEmpty(line) or state.sCount[line] < state.blkIndent:
            return False
        if begins_with(state, line, "=-"):
            return lheading(state, start, end, silent)
    return False


def _label(state: StateBlock, start: int, _end: int, silent: bool) -> bool:  # noqa: FBT001 - markdown-it's
    """A line at the left below a list that names the next one ends it. By CommonMark it goes on with the last item."""
    if not silent or not state.blkIndent or state.sCount[start]:
        return False
    return bool(_NAMES_WHAT_FOLLOWS.fullmatch(line_of(state, start)))


def _quote(state: StateBlock, start: int, end: int, silent: bool) -> bool:  # noqa: FBT001 - markdown-it's
    """Not ``>= 3``, ``>5`` and Python's prompt."""
    return not _NO_QUOTE.match(line_of(state, start)) and blockquote(state, start, end, silent)


def _reference(state: StateBlock, start: int, end: int, silent: bool) -> bool:  # noqa: FBT001 - markdown-it's
    """Not ``[^1]: note``, which is a footnote."""
    return not line_of(state, start).startswith("[^") and reference(state, start, end, silent)


def _formula(state: StateBlock, start: int, end: int, silent: bool) -> bool:  # noqa: FBT001 - markdown-it's
    r"""``$$`` or ``\[`` at the beginning of a line, up to its counterpart at the end of one."""
    text = line_of(state, start)
    if not text.startswith(("$$", "\\[", "\\begin{")) or state.is_code_block(start):
        return False
    begun = _BEGIN.match(text)
    if text.startswith("\\begin") and begun is None:
        return False
    closing = f"\\end{{{begun[1]}}}" if begun else "$$" if text.startswith("$$") else "\\]"
    line, rest = start, text if begun else text[2:]
    lines: list[str] = []
    while closing not in rest:
        lines.append(rest)
        line += 1
        if not begins_within(state, line, end) or state.isEmpty(line) or line - start > _LONGEST_FORMULA:
            return False
        if not may_look(state):
            return False
        rest = line_of(state, line)
        if rest.startswith("\\["):
            return False
    before, _, behind = rest.partition(closing)
    content = "\n".join((*lines, before)) + (closing if begun else "")
    if behind.strip(" \t.,;") or not content.strip() or is_not_math(content):
        return False
    return silent or emit(state, "formula", content + behind.strip(), (start, line + 1))


def _pre(state: StateBlock, start: int, end: int, silent: bool) -> bool:  # noqa: FBT001 - markdown-it's
    """``<pre>`` at the beginning of a line, up to ``</pre>`` at the end of one."""
    opening = _PRE.match(line_of(state, start))
    missing: int = state.env.get("pre", 0)
    if opening is None or state.is_code_block(start) or (missing and start < missing):
        return False
    line = start
    while begins_within(state, line, end) and not (line > start and begins_with(state, line, "`~")):
        found = _PRE_END.search(line_of(state, line))
        if found and found.end() == len(line_of(state, line)):
            if silent:
                return True
            content = state.getLines(start, line + 1, state.blkIndent, keepLastLF=False).strip()
            return emit(state, "pre", content, (start, line + 1))
        line += 1
    state.env["pre"] = line
    return False


def cells(line: str) -> list[str]:
    r"""A row's cells. A bar in code divides nothing, nor does ``\|``, which is a bar."""
    found: list[str] = []
    current: list[str] = []
    at = 0
    line = line.strip().removeprefix("|")
    runs: dict[int, list[int]] = {}
    for ticks in re.finditer("`+", line):
        runs.setdefault(len(ticks[0]), []).append(ticks.start())
    while mark := _CELL.search(line, at):
        current.append(line[at : mark.start()])
        at = mark.end()
        if mark[0] == "|":
            found.append("".join(current).strip())
            current = []
        elif mark[0] == "\\|":
            current.append("|")
        elif mark[0] == "\\`":
            current.append(mark[0])
        else:
            places = runs.get(len(mark[0]), [])
            place = bisect_left(places, at)
            end = places[place] + len(mark[0]) if place < len(places) else at
            current.append(mark[0] + line[at:end].replace("\\|", "|"))
            at = end
    current.append(line[at:])
    last = "".join(current).strip()
    return [*found, last] if last else found


def _table(state: StateBlock, start: int, end: int, silent: bool) -> bool:  # noqa: FBT001 - markdown-it's
    """GFM's tables; rows may be longer than the head."""
    if start + 2 > end or not begins_with(state, start + 1, "|-:") or not begins_within(state, start + 1, end):
        return False
    head, marks = line_of(state, start), line_of(state, start + 1)
    if "|" not in head or "-" not in marks or state.is_code_block(start) or state.is_code_block(start + 1):
        return False
    if not _DELIMITER_ROW.fullmatch(marks) or len(cells(head)) != len(cells(marks)):
        return False
    if silent:
        return True
    rows = [cells(head)]
    line = start + 2
    rules = state.md.block.ruler.getRules("blockquote")
    while begins_within(state, line, end) and not state.isEmpty(line) and not state.is_code_block(line):
        if "|" not in line_of(state, line) or any(rule(state, line, end, True) for rule in rules):
            break
        rows.append(cells(line_of(state, line)))
        line += 1
    emit(state, "table", "", (start, line))
    aligns = [("c" if mark[0] == ":" else "r") if mark[-1] == ":" else "l" for mark in cells(marks)]
    state.tokens[-1].meta = {"rows": rows, "aligns": aligns}
    return True


_PARSER = _parser()
