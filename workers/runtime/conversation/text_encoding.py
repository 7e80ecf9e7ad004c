"""Whether bytes are text, and which: by their content alone (pure)."""

import unicodedata
from collections.abc import Iterable

from charset_normalizer import CharsetMatch, from_bytes

_SAMPLE_BYTES = 16_384
"""So much of a text tells its encoding; charset-normalizer takes some milliseconds for it."""
_LIKELY = """
    utf_8 utf_16 utf_16_le utf_16_be utf_32 cp1252 cp1251 koi8_r cp1250 iso8859_2 cp1253 cp1254 cp1255 cp1256
    cp932 euc_jp iso2022_jp gb18030 big5 cp949 cp866 mac_roman
"""
_ENCODINGS: list[str] = [*_LIKELY.split()]
"""Encodings that text files come in, the likelier ones first. Among all that exist, a short text fits too many."""
_ESCAPES = b"\x1b$"
"""ISO-2022-JP is valid UTF-8, too."""
_WIDE = (("utf_32_le", 4), ("utf_32_be", 4), ("utf_16_le", 2), ("utf_16_be", 2))
"""Encodings with zero bytes, and the bytes of their units."""
_NO_TEXT = frozenset({"Cc", "Cn", "Co", "Cs"})
"""Unicode categories that no text has."""


def is_binary(head: bytes) -> bool:
    """Whether the beginning of a file is no text."""
    return b"\0" in head and _wide(head) is None


def reads_as_text(head: bytes) -> bool:
    """Whether the beginning of a file reads as a text in an encoding that text files come in."""
    return not is_binary(head) and from_bytes(head, cp_isolation=_ENCODINGS).best() is not None


def decoded(data: bytes) -> str:
    """A text file's text; its encoding is told by its content. The data may end within a character."""
    sample = data[:_SAMPLE_BYTES]
    if (wide := _wide(sample)) is not None:
        return data.decode(wide, errors="replace").removeprefix("\ufeff").removesuffix("\ufffd")
    if b"\0" not in sample and _ESCAPES not in sample:
        try:
            return data.decode("utf-8-sig")
        except UnicodeDecodeError as problem:
            if problem.start >= len(data) - 3 and problem.reason == "unexpected end of data":
                return data[: problem.start].decode("utf-8-sig")
        if (mixed := _mixed(data)) is not None:
            return mixed
    return data.decode(_encoding(sample), errors="replace").removeprefix("\ufeff")


def _encoding(sample: bytes) -> str:
    found = list(from_bytes(sample, cp_isolation=_ENCODINGS))
    # What fits equally well is taken for the likelier one: a French text fits cp1250 as well as cp1252.
    alike = [match.encoding for match in found if _fit(match) == _fit(found[0])]
    return next((name for name in _ENCODINGS if name in alike), "utf_8")


def _fit(match: CharsetMatch) -> tuple[float, float]:
    return match.chaos, match.coherence


def _mixed(data: bytes) -> str | None:
    """The text of a file that is UTF-8 for the most part, with lines of another encoding: a log of two programs."""
    lines = data.split(b"\n")
    ours = [_utf_8(line) for line in lines]
    others = b"\n".join(line for line, text in zip(lines, ours, strict=True) if text is None)
    if sum(len(line) for line, text in zip(lines, ours, strict=True) if text and not text.isascii()) < len(others):
        return None
    encoding = _encoding(others[:_SAMPLE_BYTES])
    each = zip(lines, ours, strict=True)
    return "\n".join(line.decode(encoding, errors="replace") if text is None else text for line, text in each)


def _utf_8(line: bytes) -> str | None:
    try:
        return line.decode()
    except UnicodeDecodeError:
        return None


def _wide(data: bytes) -> str | None:
    """The encoding of a text in UTF-16 or UTF-32: after a mark, or where every unit is a character."""
    if data.startswith((b"\xff\xfe\0\0", b"\0\0\xfe\xff")):
        return "utf_32"
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf_16"
    if b"\0" not in data:
        return None
    fitting = {name: text for name, unit in _WIDE if (text := _units(data[: len(data) // unit * unit], name))}
    return max(fitting, key=lambda name: _likeness(fitting[name]), default=None)


def _units(data: bytes, encoding: str) -> str:
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as problem:
        # The sample may end within a pair.
        text = data[: problem.start].decode(encoding) if problem.start and problem.start >= len(data) - 2 else ""
    return text if all(map(_shows, set(text))) else ""


def _shows(character: str) -> bool:
    return character in "\t\n\r\f\ufeff" or unicodedata.category(character) not in _NO_TEXT


def _likeness(text: str) -> tuple[int, int]:
    """How much it looks like a text: its blanks and ASCII, then how close its characters stand together in Unicode."""
    return sum(map(str.isascii, text)), -_blocks(text)


def _blocks(text: Iterable[str]) -> int:
    return len({ord(character) >> 8 for character in text})
