"""What a contact's vCard says besides name and number (pure): versions 2.1, 3.0 and 4.0, as phones write them."""

import quopri
import re
from collections.abc import Iterator

_TOLD = {"EMAIL": "mail", "ORG": "of", "TITLE": "as", "ADR": "at", "URL": "page", "BDAY": "born", "NOTE": "note"}
_LINES = 200
_FOLDED = re.compile(r"\r?\n[ \t]")
"""RFC 6350, "Line Delimiting and Folding"."""
_SOFT = re.compile(r"=\r?\n")
"""The end of a line within a quoted-printable value."""
_ESCAPED = re.compile(r"\\([\\,;nN:])")
_CHARSET = re.compile(r"CHARSET=([\w-]+)", re.IGNORECASE)
_DIGITS = re.compile(r"\D")


def details(vcard: str, phone: str) -> list[str]:
    """Mail, firm, address, further numbers and the like, each as a few words; ``phone``: the number that is told."""
    found: list[str] = []
    for name, value in _fields(vcard):
        if name in _TOLD:
            found.append(f"{_TOLD[name]} {value}")
        elif name == "TEL" and not _same(value, phone):
            found.append(value.removeprefix("tel:"))
    return list(dict.fromkeys(found))


def _fields(vcard: str) -> Iterator[tuple[str, str]]:
    """Names and values, without those that are empty."""
    whole = _SOFT.sub("", vcard) if "QUOTED-PRINTABLE" in vcard.upper() else vcard
    for line in _FOLDED.sub("", whole).splitlines()[:_LINES]:
        key, _, value = line.partition(":")
        name, _, about = key.partition(";")
        if plain := " ".join(_unescaped(_decoded(value, about)).split()):
            yield name.rpartition(".")[2].upper(), plain


def _decoded(value: str, about: str) -> str:
    if "QUOTED-PRINTABLE" not in about.upper():
        return value
    charset = _CHARSET.search(about)
    written = quopri.decodestring(value.encode())
    try:
        return written.decode(charset[1] if charset else "utf-8", "replace")
    except LookupError:
        return written.decode("utf-8", "replace")


def _unescaped(value: str) -> str:
    """The parts of an address or a firm's name are apart by semicolons; an escaped one is a part's own."""
    apart = re.sub(r"(?<!\\);", " ", value)
    return _ESCAPED.sub(lambda found: " " if found[1] in "nN" else found[1], apart)


def _same(number: str, other: str) -> bool:
    """Whether two ways of writing are one number, perhaps without its country."""
    mine, theirs = _DIGITS.sub("", number), _DIGITS.sub("", other)
    return not mine or mine == theirs or (len(mine) >= 7 and theirs.endswith(mine.lstrip("0")))  # noqa: PLR2004 - digits of a whole number
