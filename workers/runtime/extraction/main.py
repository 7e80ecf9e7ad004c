"""The words of a document, a web page, a mail or an archive: a program in a process of its own, which may be killed.

PDFs, web pages and RTF are read by libraries, all else by the standard library (docs/adr/0018-document-readers.md).

It prints UTF-8 text of at most LIMIT characters, and ends with one of ``EXITS``. Nothing that an archive claims about
its size is believed, and no entity is expanded.
"""

import re
import resource
import sys
import zipfile
import zlib
from pathlib import Path
from xml.parsers import expat

from workers.runtime.extraction.archive import PIECE, Archive, Ended, Full, Words, ciphered
from workers.runtime.extraction.bundle import bundle
from workers.runtime.extraction.flow import Flow, document, slides
from workers.runtime.extraction.mail import mail
from workers.runtime.extraction.notebook import notebook
from workers.runtime.extraction.pages import book, page
from workers.runtime.extraction.rtf import rtf
from workers.runtime.extraction.workbook import open_workbook, workbook

EXITS = {"read": 0, "damaged": 3, "locked": 4, "pictures": 6, "password": 7, "protected": 8}
"""The exit status of each outcome.

- ``locked``: it is of an old release of Office, or has a password.
- ``pictures``: a PDF without text.
- ``protected``: a book that only its shop's own programs open.
"""
_HEAD = 1024
"""Bytes within which a PDF says what it is; other bytes may stand before that."""
_HEADER = re.compile(rb"(?:From [^\n]{0,200}\n)?[A-Za-z][A-Za-z0-9-]{0,60}:[ \t]")
"""How a mail begins."""
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
"""The name of the stream in which a newer Office file is that has a password ([MS-OFFCRYPTO], 2.3.4)."""
_MEMORY = 384 * 2**20
_CPU_S = 10
DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    expat.ExpatError,
    RuntimeError,
    NotImplementedError,
    EOFError,
    OSError,
    ValueError,
    MemoryError,
)


def read(path: Path, words: Words) -> None:
    """Add a file's words.

    Raises:
        Ended: it cannot be read.
        Full: there are more.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        # What Office encrypts is no ZIP file but this; so are the files of old releases, which their names tell.
        raise Ended("password" if _ENCRYPTED in path.read_bytes() else "locked")
    if b"%PDF-" in head:
        from workers.runtime.extraction.paper import paper  # noqa: PLC0415 - other files do without pypdf

        paper(path, words)
        return
    if not head.startswith(b"PK"):
        _unpacked(path, head, words)
        return
    archive = Archive(path)
    names = set(archive.names)
    if "word/document.xml" in names:
        document(archive, words)
    elif "xl/workbook.xml" in names:
        workbook(archive, words)
    elif "ppt/presentation.xml" in names:
        slides(archive, words)
    elif "META-INF/container.xml" in names:
        book(archive, words)
    elif {"content.xml", "mimetype"} <= names:
        _open_document(archive, words)
    else:
        bundle(archive, words)


def _open_document(archive: Archive, words: Words) -> None:
    if "content.xml" in ciphered(archive):
        raise Ended("password")
    if b"spreadsheet" in b"".join(archive.pieces("mimetype")):
        open_workbook(archive, words)
    else:
        Flow(words, bare=True).read(archive.pieces("content.xml"))


def _unpacked(path: Path, head: bytes, words: Words) -> None:
    """A file that is no archive."""
    if head.startswith(b"{\\rtf"):
        rtf(path.read_bytes(), words)
    elif head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        notebook(path.read_bytes(), words)
    elif _HEADER.match(head) is not None:
        mail(path.read_bytes(), words)
    else:
        with path.open("rb") as file:
            page(iter(lambda: file.read(PIECE), b""), words)


def main(path: Path, limit: int) -> int:
    """The exit status."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_S, _CPU_S))
    words, how = Words(limit), "read"
    try:
        read(path, words)
    except Full:
        pass
    except Ended as end:
        how = str(end)
    except DAMAGED as problem:
        how = "password" if "password" in str(problem) else "damaged"
    text = re.sub(r"(?<![ \t])[ \t]+\n", "\n", "".join(words.pieces))  # a long run of blanks is read once
    sys.stdout.buffer.write(re.sub(r"\n{3,}", "\n\n", text).strip().encode(errors="replace"))
    return EXITS[how]


def run() -> None:
    """As a program: ``FILE LIMIT``."""
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2])))
