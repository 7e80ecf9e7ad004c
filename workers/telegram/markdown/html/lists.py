"""Lists that are written in HTML, as models do in cells of tables, as lines (pure)."""

import re

_LIST = re.compile(
    r"\s*<(ul|ol)\b[^<>]*>\s*<li\b[^<>]*>((?:(?!</?(?:ul|ol)\b).)*?)</\1\s*>\s*", re.IGNORECASE | re.DOTALL
)
_ITEM = re.compile(r"\s*(?:</li\s*>\s*)?<li\b[^<>]*>\s*|\s*</li\s*>\s*", re.IGNORECASE)
_BEGUN = re.compile(r"<(ul|ol)\b[^<>]*>\s*<li\b", re.IGNORECASE)
_ONLY_BEGUN = re.compile(r"\s*<(?:ul|ol)\b[^<>]*>\s*(?:<l?i?)?\Z", re.IGNORECASE)
_DEEP = 4
"""Lists within each other that are read."""


def as_lines(source: str) -> str:
    """A text with each whole list as lines; what is in code stays."""
    if "<li" not in source.lower():
        return source
    for _ in range(_DEEP):
        source, count = _LIST.subn(_lines, source)
        if not count:
            break
    return source.strip("\n")


def _lines(found: re.Match[str]) -> str:
    if found.string.count("`", 0, found.start()) % 2:
        return found[0]
    items = [item.strip().replace("\n• ", "\n◦ ") for item in _ITEM.split(found[2]) if item.strip()]
    numbered = found[1].lower() == "ol"
    marks = [f"{place}." if numbered else "•" for place in range(1, len(items) + 1)]
    return "".join(("\n", "\n".join(f"{mark} {item}" for mark, item in zip(marks, items, strict=True)), "\n"))


def ended(source: str) -> str:
    """A text whose last list is not ended, with an end; of one without an item nothing is seen yet."""
    source = _ONLY_BEGUN.sub("", source)
    for found in _BEGUN.finditer(source):
        if f"</{found[1].lower()}" not in source[found.end() :].lower():
            return f"{source}</li></{found[1]}>"
    return source
