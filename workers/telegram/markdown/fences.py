"""Fences as models write them: within each other, and on one line with text (pure)."""

import re

from markdown_it.rules_block import StateBlock, fence

from workers.telegram.markdown.lines import begins_within, emit, line_of, may_look

_FENCE = re.compile(r"(`{3,}|~{3,})[ \t]*([^`]*)\Z")
_AT_THE_END = re.compile(r"(`{3,})([\w+#.-]{0,20})[ \t]*\Z")
_TAIL = 80
"""Characters at a line's end that hold a fence."""
_MARKDOWN = frozenset({"markdown", "md", "mdx", "rmd", "qmd", "commonmark", "gfm"})


def fenced(state: StateBlock, start: int, end: int, silent: bool) -> bool:  # noqa: FBT001 - markdown-it's
    """Markdown that is shown as code may have fences in it, as many as are closed."""
    if silent or state.is_code_block(start):
        return fence(state, start, end, silent)
    opening = _FENCE.match(line_of(state, start))
    if opening is not None and opening[2].strip().split(" ")[0].lower() in _MARKDOWN:
        last = _end(state, start, end, opening[1], depth=1)
        if last is not None:
            content = state.getLines(start + 1, last, state.sCount[start], keepLastLF=True)
            return emit(state, "fence", content, (start, last + 1), opening[2])
    return fence(state, start, end, silent) and _ended(state, start)


def _end(state: StateBlock, start: int, end: int, marks: str, depth: int) -> int | None:
    """The line of the fence that closes ``depth`` open ones, and those that are opened in between."""
    line = start + 1
    while begins_within(state, line, end) and may_look(state):
        found = _FENCE.match(line_of(state, line))
        if found and found[1].startswith(marks):
            depth += 1 if found[2].strip() else -1
            if not depth:
                return line
        line += 1
    return None


def _ended(state: StateBlock, start: int) -> bool:
    """A fence that nothing closes ends where its marks stand behind the last line of code."""
    token = state.tokens[-1]
    behind = state.line
    last = _FENCE.match(line_of(state, behind - 1)) if behind - 1 > start else None
    if token.markup[:1] != "`" or (last and last[1].startswith(token.markup) and not last[2].strip()):
        return True
    # markdown-it has looked at as many lines, and will again behind an end that is found here.
    if not may_look(state, behind - start):
        return True
    for line in range(start + 1, behind):
        before, marks, language = _behind_text(line_of(state, line))
        if marks == token.markup and not language and "`" not in before:
            content = state.getLines(start + 1, line + 1, state.sCount[start], keepLastLF=False)
            token.content = content.rstrip().rstrip("`").rstrip(" \t") + "\n"
            token.map = [start, line + 1]
            state.line = line + 1
            break
    return True


def _behind_text(line: str) -> tuple[str, str, str]:
    """The text in front of a fence at a line's end, the fence and its language; all empty where there is none."""
    tail = max(0, len(line) - _TAIL)
    found = _AT_THE_END.search(line[tail:])
    text = line[: tail + found.start()].strip() if found else ""
    if found is None or not text or text.endswith("`") or "```" in text:
        return "", "", ""
    return text, found[1], found[2]


def glued(state: StateBlock, start: int, end: int, silent: bool) -> bool:  # noqa: FBT001 - markdown-it's
    """A fence behind text (``so:```py``), if it is closed further down. By CommonMark all behind its end were code."""
    if state.src.find("```", state.bMarks[start], state.eMarks[start]) < 0 or state.is_code_block(start):
        return False
    text, marks, language = _behind_text(line_of(state, start))
    last = _end(state, start, end, marks, depth=1) if marks and text.count("`") % 2 == 0 else None
    if last is None:
        return False
    if silent:
        return True
    token = state.push("paragraph_open", "p", 1)
    token.map = [start, start + 1]
    emit(state, "inline", text, (start, start + 1))
    state.push("paragraph_close", "p", -1)
    content = state.getLines(start + 1, last, state.sCount[start], keepLastLF=True)
    return emit(state, "fence", content, (start + 1, last + 1), language)
