"""Lists of definitions, a term and below it lines that begin with a colon, which CommonMark does not know (pure)."""

import re
from collections.abc import Sequence

from markdown_it.token import Token

_DEFINITION = re.compile(r":[ \t]+(?=\S)")
_LONGEST_TERM = 100
"""Characters; a longer line is no term."""


def read(tokens: Sequence[Token], blank: str) -> None:
    """Make a term bold, and have its definitions stand a little to the right, where lines below it say that it is one.

    Args:
        tokens: Blocks; the text of those that hold definitions is changed.
        blank: What stands for a blank of an indentation.
    """
    before: Token | None = None
    for place, token in enumerate(tokens):
        if token.type != "inline" or tokens[place - 1].type != "paragraph_open":
            continue
        if ":" in token.content:
            _mark(token, _term_above(tokens, place, before), blank)
        before = token


def _term_above(tokens: Sequence[Token], place: int, before: Token | None) -> Token | None:
    """The paragraph right above, if it may be the term of a paragraph that begins with a colon."""
    right_above = place > 2 and tokens[place - 3] is before  # noqa: PLR2004 - its end and a beginning stand between
    return before if right_above and before is not None and _may_be_a_term(before.content) else None


def _may_be_a_term(line: str) -> bool:
    return 0 < len(line) <= _LONGEST_TERM and "\n" not in line and not line.rstrip().endswith((":", "."))


def _mark(token: Token, term_above: Token | None, blank: str) -> None:
    lines = token.content.split("\n")
    defines = [_DEFINITION.match(line) is not None for line in lines]
    if defines[0] and term_above is not None:
        if not term_above.content.startswith(blank):
            term_above.content = _bold(term_above.content)
    elif not any(_may_be_a_term(line) and below for line, below in zip(lines, defines[1:], strict=False)):
        return
    within, read_lines = False, list[str]()
    for line, defined, below in zip(lines, defines, [*defines[1:], False], strict=True):
        if defined and (within or read_lines or term_above is not None):
            within = True
            read_lines.append(blank * 2 + _DEFINITION.sub("", line))
        elif below and _may_be_a_term(line):
            within = True
            read_lines.append(_bold(line))
        else:
            read_lines.append(blank * 2 + line.lstrip() if within else line)
    token.content = "\n".join(read_lines)


def _bold(line: str) -> str:
    return line if "**" in line or "__" in line else f"**{line.strip()}**"
