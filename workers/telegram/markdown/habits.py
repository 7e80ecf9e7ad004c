"""What models write within a line that no standard of Markdown knows, and what a reader is to see of it (pure)."""

import re

from workers.telegram.markdown.emoji import EMOJI
from workers.telegram.markdown.math.latex import lowered, raised

BEGINS = r"\^(?=[^\s^]{1,12}\^)|:(?=[a-z0-9_+-]{1,30}:)"
"""Where it begins, as far as no mark of Markdown does."""
_SCRIPT = re.compile(r"([~^])([^\s~^]{1,12})\1")
_SHORTCODE = re.compile(r":([a-z0-9_+-]{1,30}):")
_CITED = re.compile(r"\[cite_start\][ \t]?|\[cite:[\d,;\s]{1,80}\]", re.ASCII)
_NUMBERED = re.compile(r"\[citation:[ \t]?(\d{1,3})\]", re.ASCII)
_BLANK_BEFORE = " "


def script(source: str, at: int) -> tuple[str, int] | None:
    """``H~2~O`` and ``x^2^`` in small characters; None where it is no such mark, or a character is missing.

    Not ``2^3^4`` and ``1~2~3``, which are towers and ranges.
    """
    found = _SCRIPT.match(source, at)
    before = source[at - 1 : at]
    if found is None or not before:
        return None
    mark, text = found[1], found[2]
    behind = source[found.end() : found.end() + 1]
    another = before in "~^"
    if mark == "~":
        fits = before.isalpha() or before in ")]" or another
    else:
        signed = text[0] in "+-−" or text[-1] in "+-−"
        fits = (before.isalnum() or before in ")]" or another) and (signed or not behind.isalnum())
    mapped = (lowered if mark == "~" else raised)(text) if fits else None
    return None if mapped is None else (mapped, found.end())


def shortcode(source: str, at: int) -> tuple[str, int] | None:
    """``:rocket:`` as its emoji."""
    found = _SHORTCODE.match(source, at)
    if found is None or source[at - 1 : at].isalnum() or source[found.end() : found.end() + 1].isalnum():
        return None
    emoji = EMOJI.get(found[1])
    return None if emoji is None else (emoji, found.end())


def citation(source: str, at: int) -> tuple[str, int] | None:
    """Marks of where a model read something: of ``[cite: 1, 2]`` there is nothing to read, others have a number."""
    if found := _NUMBERED.match(source, at):
        return f"[{found[1]}]", found.end()
    return ("", found.end()) if (found := _CITED.match(source, at)) else None
