"""What people see of a question: the tool and its arguments, readable, bounded and without secrets (pure)."""

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
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
_LONGEST_NAME = 64
_DEPTH = 4

_BEGINS = 2_000
"""Characters in which secrets are looked for, of arguments that are not read."""

_WORD = (
    r"(?:passw(?:or)?d|passphrase|passcode|pwd|secret|token|api[-_. ]?key|access[-_. ]?key|private[-_. ]?key"
    r"|authorization|credential|cookie)"
)
_SECRET_NAME = re.compile(rf"{_WORD}|pass(es)?$|auth$|^(pin|otp|cvv|cvc|iban)$", re.IGNORECASE)
_NAMED_SECRET = re.compile(
    rf"(?P<name>{_WORD}[\w.-]{{0,40}}[\\\"']*(?:\s{{0,8}}[:=]\s{{0,8}}|\s{{1,8}}is\s{{1,8}})"  # password=...
    rf"|(?<![\w-])--?[\w-]{{0,30}}?{_WORD}[\w-]{{0,40}}\s{{1,8}}"  # --password ...
    r"|(?<![\w-])(?:-u|--user)[\s=]{1,8}[^\s:]{1,60}:"  # -u name:...
    r"|(?<=[?&#])(?:key|sig|signature|code|auth|pass|pw)=)"  # of an address
    r"""(?:(?:basic|bearer|digest|token)\s{1,8})?(?:"(?:[^"\\]|\\.)*"|'[^']*'|\\+"[^"\\]*|[^\s"'\\,;&]+)""",
    re.IGNORECASE,
)
"""A value behind a name, in a text: of a shell, an address, a header, a file of settings, JSON within JSON."""
_LABELS, _VALUES = frozenset({"name", "key", "header", "field", "variable"}), frozenset({"value", "val", "v", "values"})
"""A pair may be written as ``{"name": ..., "value": ...}``."""
_PAIR = 2
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
        begins = _visible(_hidden(arguments[:_BEGINS]))[:_VALUE]
        return f"{begins}… ({len(arguments) - _VALUE:,} more characters)"
    try:
        said: Any = json.loads(arguments)
    except (ValueError, RecursionError):
        said = arguments
    if not isinstance(said, dict):
        return _cut(_line(said))
    pairs = list(_items(cast("Mapping[str, Any]", said)))
    lines: list[str] = []
    room = _SHOWN
    for name, value in pairs[:_NAMES]:
        line = f"{_visible(str(name))[:_LONGEST_NAME]}: {MASK if value == MASK else _cut(_line(value))}"
        if len(line) > room:
            break
        room -= len(line)
        lines.append(line)
    if len(lines) < len(pairs):
        lines.append(f"… and {len(pairs) - len(lines)} more, which do not fit here")
    return "\n".join(lines)


def _line(value: Any) -> str:
    """As JSON: a line break in a value shows as one, and cannot begin a line of its own."""
    return _visible(_SECRET_VALUE.sub(MASK, json.dumps(_masked(value, _DEPTH), ensure_ascii=False, default=str)))


def _masked(value: Any, depth: int) -> Any:
    if isinstance(value, dict):
        if not depth:
            return "{…}"
        return {name: _masked(item, depth - 1) for name, item in _items(cast("Mapping[str, Any]", value))}
    if isinstance(value, list):
        return [_masked(item, depth - 1) for item in _listed(cast("list[Any]", value))] if depth else "[…]"
    # Before it is written as JSON, which would put a backslash before each quotation mark.
    return _hidden(value) if isinstance(value, str) else value


def _items(pairs: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Names with values, or the mask in place of a secret one."""
    labelled = any(name.lower() in _LABELS and _is_secret_name(label) for name, label in pairs.items())
    for name, value in pairs.items():
        secret = _SECRET_NAME.search(name) or (labelled and name.lower() in _VALUES)
        yield name, MASK if secret else value


def _listed(items: Sequence[Any]) -> Iterator[Any]:
    """The same of a list, in which a secret stands behind its name: as a program's option, or as one of a pair."""
    before: Any = None
    for item in items:
        named = (
            isinstance(before, str)
            and _is_secret_name(before)
            and (before.startswith("-") or (len(items) == _PAIR and before.isidentifier()))
        )
        yield MASK if named else item
        before = item


def _is_secret_name(name: object) -> bool:
    return isinstance(name, str) and len(name) <= _LONGEST_NAME and _SECRET_NAME.search(name) is not None


def _hidden(text: str) -> str:
    return _SECRET_VALUE.sub(MASK, _NAMED_SECRET.sub(rf"\g<name>{MASK}", text))


def _visible(text: str) -> str:
    return "".join(f"\\u{ord(c):04x}" if unicodedata.category(c) in _UNSEEN else c for c in text)


def _cut(line: str) -> str:
    left = len(line) - _VALUE
    return f"{line[:_VALUE]}… ({left:,} more characters)" if left > 0 else line
