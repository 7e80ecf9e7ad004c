"""Which lines of a text are code, for what looks at lines before there are blocks (pure)."""

import re
from collections.abc import Iterable, Iterator

_FENCE = re.compile(r"[ \t>]*(?:(?:[-*+]|\d{1,3}[.)])[ \t]+)?(`{3,}|~{3,})([^`]*)\Z")
_PRE = re.compile(r"<(/?)pre\b", re.IGNORECASE)


def told_apart(lines: Iterable[str]) -> Iterator[tuple[str, bool]]:
    """Each line, and whether it is of a fence or of ``<pre>``, their ends included."""
    fence, pre = "", False
    for line in lines:
        found = None if pre else _FENCE.match(line)
        if fence:
            if found and found[1].startswith(fence) and not found[2].strip():
                fence = ""
            yield line, True
            continue
        fence = found[1] if found else ""
        within = pre
        for tag in _PRE.finditer(line):
            pre, within = not tag[1], True
        yield line, bool(fence) or within
