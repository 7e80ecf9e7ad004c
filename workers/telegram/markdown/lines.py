"""A block's lines, as rules for markdown-it look at them (pure)."""

from markdown_it.rules_block import StateBlock

_LOOKED = 20_000
"""Lines of a text looked through for the ends of formulas, and of fences with fences in them."""


def line_of(state: StateBlock, line: int) -> str:
    return state.src[state.bMarks[line] + state.tShift[line] : state.eMarks[line]]


def begins_with(state: StateBlock, line: int, characters: str) -> bool:
    """Whether the line's first character is one of them."""
    at = state.bMarks[line] + state.tShift[line]
    return at < state.eMarks[line] and state.src[at] in characters


def begins_within(state: StateBlock, line: int, end: int) -> bool:
    """Whether the line goes on with the block that is being read."""
    return line < end and (state.isEmpty(line) or state.sCount[line] >= state.blkIndent)


def may_look(state: StateBlock, lines: int = 1) -> bool:
    """Whether more lines may be looked at ahead; a text of beginnings without ends would be read over and over."""
    state.env["looked"] = state.env.get("looked", 0) + lines
    return state.env["looked"] < _LOOKED


def emit(state: StateBlock, kind: str, content: str, lines: tuple[int, int], info: str = "") -> bool:
    token = state.push(kind, "", 0)
    token.content = content
    token.info = info
    token.map = [*lines]
    state.line = lines[1]
    return True
