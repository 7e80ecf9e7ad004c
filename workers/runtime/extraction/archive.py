"""An archive of which a bounded part is read, XML as a stream, and the words that were read."""

import posixpath
import re
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import unquote
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
type TextSink = Callable[[str], None]


def _nothing(_: str) -> None:
    """Of a part of the XML that its reader passes over."""


def xml(pieces: Iterator[bytes], start: Start, end: End = _nothing, text: TextSink = _nothing) -> None:
    """Read XML as a stream; names come without their prefixes, those of attributes with them, too."""
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = lambda name, given: start(
        name.rpartition(":")[2], {**given, **{key.rpartition(":")[2]: value for key, value in given.items()}}
    )
    parser.EndElementHandler = lambda name: end(name.rpartition(":")[2])
    parser.CharacterDataHandler = text
    parser.EntityDeclHandler = _refuse
    for piece in pieces:
        parser.Parse(piece, False)


def ciphered(archive: Archive) -> set[str]:
    """The members that a book or an OpenDocument file names as encrypted (OCF 3.3, 4.2.6.3.2; ODF 1.3, part 2, 4.8)."""
    found, last = set[str](), [""]

    def start(element: str, given: dict[str, str]) -> None:
        match element:
            case "CipherReference":
                found.add(unquote(given.get("URI", "")))
            case "file-entry":
                last[0] = given.get("full-path", "")
            case "encryption-data":
                found.add(last[0])
            case _:
                pass

    for member in ("META-INF/encryption.xml", "META-INF/manifest.xml"):
        xml(archive.pieces(member), start)
    return found


def count(said: str | None) -> int:
    """How often something is repeated, where it says so."""
    return int(said) if said is not None and re.fullmatch("[0-9]{1,9}", said) else 1


def related(archive: Archive, member: str) -> dict[str, str]:
    """The members that an Office file's member names by an id (Open Packaging Conventions, 6.5)."""
    folder, name = posixpath.split(member)
    found: dict[str, str] = {}

    def start(element: str, given: dict[str, str]) -> None:
        if element == "Relationship" and given.get("TargetMode") != "External":
            target = posixpath.normpath(posixpath.join("/", folder, given.get("Target", "")))
            found[given.get("Id", "")] = target.lstrip("/")

    xml(archive.pieces(f"{folder}/_rels/{name}.rels"), start)
    return found


def listed(archive: Archive, member: str, element: str) -> list[tuple[str, dict[str, str]]]:
    """The members that elements of a member name, in their order, each with what its element says."""
    by_id, found = related(archive, member), list[tuple[str, dict[str, str]]]()

    def start(name: str, given: dict[str, str]) -> None:
        target = next((by_id[value] for value in given.values() if value in by_id), None) if name == element else None
        if target is not None:
            found.append((target, given))

    xml(archive.pieces(member), start)
    return found


def _refuse(*_: object) -> None:
    raise Ended("damaged")
