"""What people see of a question: the tool and its arguments, readable, bounded and without secrets (pure)."""

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from tasks.phrases import phrase
from workers.runtime.conversation.message_tags import attribute

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
    r"(?:passw(?:or)?d|passphrase|passcode|pwd|secret(?!ar(?:y|ies|iat))|token(?!iz|is)|api[-_. ]?key|access[-_. ]?key"
    r"|private[-_. ]?key|authorization|credential|cookie)"
)
_COUNTED = re.compile(
    r"(?:^|[_.-])(?:max|min|num|no|n|total|used|left|remaining|input|output|prompt|completion|cached|reasoning|budget|limit)"
    r"[_.-](?:[a-z]{1,20}[_.-]){0,3}tokens$"
    r"|(?:^|[_.-])tokens?[_.-](?:used|left|remaining|total|in|out|count|limit|budget|usage|per)(?:[_.-][a-z]{1,20})?$"
    r"|^tokens$|^(?:by|com|tres|sur|over|under|encom)pass(?:es)?$"
)
"""Names that say how many, with a line below between their words: what they have is shown when it is a small number."""
_WORDS_BEGIN = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_FEW = 8
"""Digits of a number that counts something."""
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
_AROUND = "\"'\\{}[]()"
"""What may stand around a number."""
_NAME_BEGINS = re.compile(r"[\w.-]+\Z")
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
        return f"{begins}… {phrase('characters-more', count=len(arguments) - _VALUE)}"
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
        lines.append(phrase("values-more", count=len(pairs) - len(lines)))
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
        secret = _is_secret_name(name, whole=True) and not _is_plain(name, value)
        yield name, MASK if secret or (labelled and name.lower() in _VALUES) else value


def _is_plain(name: str, value: object) -> bool:
    """Whether a value is no secret though its name has such a word: a yes or no, or a number of a name that counts."""
    if value is None or isinstance(value, bool):
        return True
    number = value if isinstance(value, str) else str(value) if isinstance(value, int | float) else ""
    return _counts(name) and len(number) <= _FEW and number.replace(".", "", 1).isdecimal()


def _counts(name: str) -> bool:
    return len(name) <= _LONGEST_NAME and _COUNTED.search(_WORDS_BEGIN.sub("_", name).lower()) is not None


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


def _is_secret_name(name: object, *, whole: bool = False) -> bool:
    """``whole``: it is a name, however long it is, and no text."""
    return isinstance(name, str) and (whole or len(name) <= _LONGEST_NAME) and _SECRET_NAME.search(name) is not None


def _hidden(text: str) -> str:
    return _SECRET_VALUE.sub(MASK, _NAMED_SECRET.sub(_named, text))


def _named(found: re.Match[str]) -> str:
    """A value behind a name in a text, masked unless it counts something."""
    before = _NAME_BEGINS.search(found.string, max(0, found.start() - _LONGEST_NAME), found.start())
    name, value = found["name"], found[0].removeprefix(found["name"])
    whole = (before[0] if before else "") + name
    if _is_plain(whole.strip("-\\\"' :=\t\n"), value.strip(_AROUND)):
        return found[0]
    return f"{name}{MASK}"


def _visible(text: str) -> str:
    return "".join(f"\\u{ord(c):04x}" if unicodedata.category(c) in _UNSEEN else c for c in text)


def _cut(line: str) -> str:
    left = len(line) - _VALUE
    return f"{line[:_VALUE]}… ({left:,} more characters)" if left > 0 else line
