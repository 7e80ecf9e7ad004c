"""JSON whose escapes stand for text that UTF-8 cannot carry: half of a surrogate pair, and NUL."""

import json
import re
from typing import Any, cast

from tasks.text import INSTEAD

_ESCAPE = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[dD][89a-fA-F][0-9a-fA-F]{2}|\\u0000|\\."
)
_LONE = re.compile(r"\\u(?:[dD][89a-fA-F][0-9a-fA-F]{2}|0000)")
_TEXTS = frozenset(
    {"text", "content", "delta", "thinking", "reasoning", "reasoning_content", "partial_json", "arguments"}
)
"""Fields in which the providers' streams carry text."""
_ENDS_OPEN = re.compile(r'(?<!\\)(?:\\\\)*\\u[dD][89abAB][0-9a-fA-F]{2}(?=")')
_BEGINS_OPEN = re.compile(r'(?<!\\)"(\\u[dD][c-fC-F][0-9a-fA-F]{2})')


def mended(raw: str) -> str:
    """JSON whose escapes give text that UTF-8 can carry."""
    if "\0" in raw:
        raw = raw.replace("\0", INSTEAD)
    if "\\ud" in raw or "\\uD" in raw or "\\u0000" in raw:
        return _ESCAPE.sub(_whole, raw)
    return raw


def _whole(found: re.Match[str]) -> str:
    return r"\ufffd" if _LONE.fullmatch(found[0]) else found[0]


def joined(first: str, second: str) -> tuple[str, str]:
    """Two events' JSON; a surrogate pair that is split over them stands in the first."""
    high, low = _ENDS_OPEN.search(first), _BEGINS_OPEN.search(second)
    if high and low:
        first = f"{first[: high.end()]}{low[1]}{first[high.end() :]}"
        second = f'{second[: low.start()]}"{second[low.end() :]}'
    return first, second


def ends_open(raw: str) -> bool:
    """Whether a text in it ends with the first half of a surrogate pair."""
    return ("\\ud" in raw or "\\uD" in raw) and _ENDS_OPEN.search(raw) is not None


def is_silent(raw: str) -> bool:
    """Whether an event carries no text of the model: an empty piece, a sign of life, a count. An end mark is none."""
    try:
        return not _speaks(json.loads(raw))
    except (ValueError, RecursionError):
        return False


def _speaks(value: Any) -> bool:
    if isinstance(value, dict):
        items = cast("dict[str, Any]", value).items()
        return any((name in _TEXTS and isinstance(one, str) and one != "") or _speaks(one) for name, one in items)
    return isinstance(value, list) and any(map(_speaks, cast("list[Any]", value)))
