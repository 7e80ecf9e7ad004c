"""Text that every store, protocol, and client takes: whole surrogate pairs and no NUL."""

import json
from typing import Any
from unicodedata import category

INSTEAD = "\N{REPLACEMENT CHARACTER}"


def clean(text: str) -> str:
    """The text with its surrogate pairs joined; a lone surrogate, and a NUL, becomes U+FFFD.

    JSON can escape half a pair, and UTF-8 cannot carry it: the store, Telegram, and pydantic refuse such a text.
    """
    text = paired(text)
    return text.replace("\0", INSTEAD) if "\0" in text else text


def paired(text: str) -> str:
    """The text with its surrogate pairs joined; a lone surrogate becomes U+FFFD."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def on_one_line(text: str) -> str:
    """The text's words on one line, without characters that hide or reorder others."""
    if not text.isprintable():
        text = "".join(letter if letter.isprintable() else " " for letter in text)
    return " ".join(text.split())


_ACTS = frozenset(("Cc", "Cf", "Cs", "Zl", "Zp"))
_JOINERS = "\n\t\u200c\u200d"
"""Line ends and tabs are kept, and the joiners that emoji and some scripts need."""


def printable(text: str) -> str:
    r"""The text as a terminal may show it, and as JSON may hold it; line ends and tabs stay.

    What acts on a terminal, hides, or reorders other characters is written as JSON escapes it (``\u009b``).
    """
    if text.isprintable():
        return text
    return "".join(
        one if one.isprintable() or one in _JOINERS or category(one) not in _ACTS else _escaped(one) for one in text
    )


def _escaped(letter: str) -> str:
    return json.dumps(letter)[1:-1] if letter != "\x7f" else "\\u007f"


def is_digits(word: str) -> bool:
    """Whether it is a whole number as programs write it. ``str.isdigit`` takes ``²``, too, and ``int`` refuses that."""
    return word.isascii() and word.isdigit()


def is_unsigned(word: str) -> bool:
    """Whether it is a number of 64 bits without a sign: Redis refuses greater ones as ids and as cursors."""
    return is_digits(word) and len(word) <= len("18446744073709551615") and int(word) < 1 << 64


def utf16(text: str) -> int:
    """Length in UTF-16 units, as Telegram counts."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def within(text: str, units: int) -> str:
    """The text, or its beginning and an ellipsis, in at most so many UTF-16 units; a character is never cut."""
    # A character is two units at most.
    if len(text) * 2 <= units or utf16(text) <= units:
        return text
    return text.encode("utf-16-le", "surrogatepass")[: 2 * (units - 1)].decode("utf-16-le", "ignore") + "…"


def cleaned(value: Any) -> Any:
    """A JSON value with every text in it clean; the same object where nothing had to change."""
    if type(value) is str:
        return clean(value)
    if type(value) is list:
        items: list[Any] = [cleaned(item) for item in value]
        return items if any(new is not old for new, old in zip(items, value, strict=True)) else value
    if type(value) is dict:
        pairs: dict[Any, Any] = {cleaned(name): cleaned(item) for name, item in value.items()}
        same = len(pairs) == len(value) and all(map(_same, pairs.items(), value.items()))
        return pairs if not same else value
    return value


def _same(new: tuple[Any, Any], old: tuple[Any, Any]) -> bool:
    return new[0] is old[0] and new[1] is old[1]
