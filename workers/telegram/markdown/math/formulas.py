"""Which dollars and backslashes are a formula's (pure)."""

import re

_SIGNS = re.compile(r"\\[A-Za-z]|[\^_=+<>{}]")
_TERM = re.compile(r"[\w\s.,'()/*!|:\[\]-]{1,40}")
_WORD = re.compile(r"[^\W\d_]{2,}(?!\()")
_LONG_WORD = re.compile(r"[^\W\d_]{4,}")
_MONEY = re.compile(r"[+-]?\d[\d.,]*\s")
_ORDINAL = re.compile(r"(?:th|st|nd|rd|s)\b")
_NAME = re.compile(r"[A-Z][A-Z0-9_]{3,}")


def delimited(source: str, start: int, opening: str, closing: str) -> tuple[str, int] | None:
    r"""What stands between ``\(`` and ``\)``, or two ``$$``, and where it ends; None where it is no formula."""
    end = source.find(closing, start + len(opening), start + 4000)
    if end < 0:
        return None
    formula = source[start + len(opening) : end]
    if not formula.strip() or is_not_math(formula) or "\n\n" in formula or opening in formula:
        return None
    if opening != "$$" and not _says_something(formula):
        return None
    return formula.strip(), end + len(closing)


def is_not_math(formula: str) -> bool:
    """Whether there is code or an address in it, or what no formula has."""
    return "`" in formula or "://" in formula or "__" in formula


def _says_something(formula: str) -> bool:
    return bool(_SIGNS.search(formula)) or (bool(_TERM.fullmatch(formula)) and not _WORD.search(formula))


def in_dollars(source: str, start: int) -> tuple[str, int] | None:
    """The same for single dollars. ``$5 and $10`` and ``$HOME/$USER`` are text."""
    end = source.find("$", start + 1, start + 1000)
    if end < 0:
        return None
    formula, following = source[start + 1 : end], source[end + 1 : end + 2]
    if not formula.strip() or is_not_math(formula) or "\n" in formula or source[end - 1] == "\\":
        return None
    if (following.isalnum() and not _ORDINAL.match(source, end + 1)) or following in ("_", "{", "(", "$"):
        return None
    if formula != formula.strip():
        return (formula.strip(), end + 1) if re.search(r"\\[A-Za-z]|\^", formula) and not _long(formula) else None
    if _NAME.fullmatch(formula) or (_MONEY.match(formula) and not re.search(r"[\\^_=]", formula)):
        return None
    if not _says_something(formula) or (_long(formula) and not re.search(r"[\\^_=]", formula)):
        return None
    return formula, end + 1


def _long(formula: str) -> bool:
    return bool(_LONG_WORD.search(re.sub(r"\\[A-Za-z]+", "", formula)))
