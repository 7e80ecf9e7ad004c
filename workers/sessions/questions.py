"""What people see of a question: the tool and its arguments, readable, bounded and without secrets (pure)."""

import json
import re
import unicodedata
from collections.abc import Mapping
from typing import Any, cast

from workers.runtime.conversation.frames import attribute

MASK = "•••"
_SHOWN = 1_500
"""Characters of the arguments that are shown."""
_VALUE = 300
"""Characters that are shown of one of them."""
_READ = 200_000
"""Longer arguments are not read, only shown in part."""
_NAMES = 30
_DEPTH = 4

_SECRET_NAME = re.compile(
    r"pass(word|wd|phrase|code)?s?$|secret|token|api.?key|access.?key|private.?key|auth(orization)?$|credential|cookie"
    r"|^(pin|otp|cvv|cvc|iban)$",
    re.IGNORECASE,
)
_SECRET_VALUE = re.compile(
    r"\b(?:sk|pk|rk|ghp|gho|ghs|glpat|xox[abprs])[-_][\w-]{8,}"  # keys of providers
    r"|\bAKIA[0-9A-Z]{12,}|\bAIza[\w-]{20,}"
    r"|\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*"  # a JSON web token
    r"|\b\d{6,12}:[\w-]{30,}"  # a bot's token
    r"|(?<=[Bb]earer )\S+|(?<=[Bb]asic )\S+"
    r"|(?<=://)[^\s/@]+(?=@)"  # user and password in an address
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)",
    re.DOTALL,
)
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def tool_name(tool: str) -> str:
    """A tool's name: one line, without invisible characters."""
    return attribute(tool, 100)


def shown_arguments(arguments: str) -> str:
    """A call's arguments (JSON) for people: one line each. What is left out is counted."""
    if len(arguments) > _READ:
        return f"{_visible(_hidden(arguments[:_VALUE]))}… ({len(arguments) - _VALUE:,} more characters)"
    try:
        said: Any = json.loads(arguments)
    except (ValueError, RecursionError):
        said = arguments
    if not isinstance(said, dict):
        return _cut(_line(said))
    pairs = list(cast("Mapping[str, Any]", said).items())
    lines: list[str] = []
    room = _SHOWN
    for name, value in pairs[:_NAMES]:
        line = f"{_visible(str(name))[:64]}: {MASK if _SECRET_NAME.search(str(name)) else _cut(_line(value))}"
        if len(line) > room:
            break
        room -= len(line)
        lines.append(line)
    if len(lines) < len(pairs):
        lines.append(f"… and {len(pairs) - len(lines)} more, which do not fit here")
    return "\n".join(lines)


def _line(value: Any) -> str:
    """As JSON: a line break in a value shows as one, and cannot begin a line of its own."""
    return _visible(_hidden(json.dumps(_masked(value, _DEPTH), ensure_ascii=False, default=str)))


def _masked(value: Any, depth: int) -> Any:
    if isinstance(value, dict):
        if not depth:
            return "{…}"
        items = cast("Mapping[str, Any]", value).items()
        return {name: MASK if _SECRET_NAME.search(str(name)) else _masked(item, depth - 1) for name, item in items}
    if isinstance(value, list):
        return [_masked(item, depth - 1) for item in cast("list[Any]", value)] if depth else "[…]"
    return value


def _hidden(text: str) -> str:
    return _SECRET_VALUE.sub(MASK, text)


def _visible(text: str) -> str:
    return "".join(f"\\u{ord(c):04x}" if unicodedata.category(c) in _UNSEEN else c for c in text)


def _cut(line: str) -> str:
    left = len(line) - _VALUE
    return f"{line[:_VALUE]}… ({left:,} more characters)" if left > 0 else line
