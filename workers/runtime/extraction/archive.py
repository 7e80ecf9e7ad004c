"""An archive of which a bounded part is read, XML as a stream, and the words that were read."""

import re
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.parsers import expat

UNPACKED = 64 * 2**20
"""Bytes that are read of an archive in all."""
PIECE = 64 * 1024
_NUMBERS = re.compile(r"(\d+)")


class Full(Exception):  # noqa: N818 - an event
    """The limit is reached."""


class Ended(Exception):  # noqa: N818 - an event
    """The program ends; the word is one of ``EXITS``."""


_ENCRYPTED = 0x1
"""The bit of a member's flags (APPNOTE.TXT, 4.4.4)."""


class Words:
    """What was read so far."""

    def __init__(self, limit: int) -> None:
        self._left = limit
        self.pieces: list[str] = []

    def add(self, text: str) -> None:
        """Raise ``Full`` beyond the limit."""
        self.pieces.append(text[: self._left])
        self._left -= len(text)
        if self._left <= 0:
            raise Full


class Archive:
    """A ZIP file of which so many bytes are read in all."""

    def __init__(self, path: Path) -> None:
        self._file = zipfile.ZipFile(path)
        self.names = self._file.namelist()
        self.locked = {member.filename for member in self._file.infolist() if member.flag_bits & _ENCRYPTED}
        """Members that have a password."""
        self._left = UNPACKED

    def pieces(self, name: str) -> Iterator[bytes]:
        """A member's bytes; none where there is no such member."""
        try:
            member = self._file.open(name)
        except KeyError:
            return
        with member:
            while piece := member.read(PIECE):
                self._left -= len(piece)
                if self._left < 0:
                    raise Full
                yield piece

    def matching(self, pattern: str) -> list[str]:
        """Members by their numbers."""
        found = (name for name in self.names if re.fullmatch(pattern, name))
        return sorted(found, key=lambda name: [int(part) if part.isdigit() else part for part in _NUMBERS.split(name)])


type Start = Callable[[str, dict[str, str]], None]
type End = Callable[[str], None]
type Text = Callable[[str], None]


def xml(pieces: Iterator[bytes], start: Start, end: End, text: Text) -> None:
    """Read XML as a stream; names come without their prefixes."""
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = lambda name, given: start(
        name.rpartition(":")[2], {key.rpartition(":")[2]: value for key, value in given.items()}
    )
    parser.EndElementHandler = lambda name: end(name.rpartition(":")[2])
    parser.CharacterDataHandler = text
    parser.EntityDeclHandler = _refuse
    for piece in pieces:
        parser.Parse(piece, False)


def _refuse(*_: object) -> None:
    raise Ended("damaged")
