"""The words of an RTF file, in its code page or as Unicode."""

import codecs
import re
from collections.abc import Iterator

from workers.runtime.extraction.archive import Words

_TOKEN = re.compile(
    rb"\\(?P<word>[a-zA-Z]{1,32})(?P<number>-?\d{1,10})? ?|\\'(?P<byte>[0-9a-fA-F]{2})|\\(?P<sign>[^a-zA-Z])"
    rb"|(?P<brace>[{}])|(?P<plain>[^\\{}\r\n]+)|[\r\n]+|\\"
)
_UNSEEN = frozenset(
    b"fonttbl colortbl stylesheet info pict object listtable listoverridetable rsidtbl generator xmlnstbl themedata "
    b"colorschememapping datastore latentstyles header footer headerl headerr footerl footerr fldinst bkmkstart "
    b"bkmkend private".split()
)
"""Groups without words."""
_SAID = {
    **dict.fromkeys((b"par", b"line", b"row", b"sect", b"page"), "\n"),
    b"tab": "\t",
    b"cell": " | ",
    b"emdash": "—",
    b"endash": "–",
    b"bullet": "•",
    b"lquote": "‘",
    b"rquote": "’",
    b"ldblquote": "“",
    b"rdblquote": "”",
    b"emspace": " ",
    b"enspace": " ",
}
_SIGNS = {b"~": "\u00a0", b"-": "", b"_": "\u2011", b"\\": "\\", b"{": "{", b"}": "}", b"\n": "\n", b"\r": "\n"}
_DEEP = 200
"""Groups within groups that are followed."""


def rtf(data: bytes, words: Words) -> None:
    """Add them."""
    reader = _RtfReader(words)
    for kind, value, number in _tokens(data):
        if kind == "bytes":
            reader.text(value)
        elif kind == "word":
            reader.word(value, number)
        else:
            reader.sign(kind, value)
    reader.end()


class _RtfReader:
    def __init__(self, words: Words) -> None:
        self._words = words
        self._coding = "cp1252"
        self._held = bytearray()
        self._units = bytearray()
        """Unicode characters, of which a wide one is two."""
        self._groups: list[tuple[bool, int]] = []
        self._unseen, self._fallback, self._skip = False, 1, 0

    def text(self, value: bytes) -> None:
        # What stands behind a Unicode character is for readers that know none.
        if not self._unseen:
            self._held += value[self._skip :]
        self._skip = max(0, self._skip - len(value))

    def sign(self, kind: str, value: bytes) -> None:
        self.flush()
        if kind == "open":
            self._groups.append((self._unseen, self._fallback))
            self._unseen = self._unseen or len(self._groups) > _DEEP
        elif kind == "close":
            self._unseen, self._fallback = self._groups.pop() if self._groups else (False, 1)
        elif value == b"*":
            self._unseen = True
        else:
            self._say(_SIGNS.get(value, ""))

    def word(self, name: bytes, number: int | None) -> None:
        self.flush()
        if name == b"ansicpg":
            self._coding = _known(f"cp{number}")
        elif name == b"uc":
            self._fallback = max(0, number or 0)
        elif name == b"u" and number is not None:
            # Those beyond the first 32,767 are written as negative numbers.
            self._units += b"" if self._unseen else (number & 0xFFFF).to_bytes(2, "little")
            self._skip = self._fallback
        elif name in _UNSEEN:
            self._unseen = True
        else:
            self._say(_SAID.get(name, ""))

    def flush(self) -> None:
        self._skip = 0
        self._say(self._held.decode(self._coding, errors="replace"))
        self._held.clear()

    def end(self) -> None:
        self.flush()
        self._words.add(self._units.decode("utf-16-le", errors="replace"))

    def _say(self, text: str) -> None:
        if text and not self._unseen:
            self._words.add(self._units.decode("utf-16-le", errors="replace") + text)
            self._units.clear()


def _tokens(data: bytes) -> Iterator[tuple[str, bytes, int | None]]:
    for found in _TOKEN.finditer(data):
        kind = found.lastgroup
        if kind == "brace":
            yield "open" if found["brace"] == b"{" else "close", b"", None
        elif kind == "byte":
            yield "bytes", bytes([int(found["byte"], 16)]), None
        elif kind == "plain":
            yield "bytes", found["plain"], None
        elif kind == "sign":
            yield "sign", found["sign"], None
        elif kind in ("word", "number"):
            yield "word", found["word"], int(found["number"]) if found["number"] else None


def _known(name: str) -> str:
    try:
        return codecs.lookup(name).name
    except LookupError:
        return "cp1252"
