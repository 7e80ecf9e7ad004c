"""Web pages, and books made of them: what is seen of them."""

import re
from collections.abc import Iterator
from html import unescape
from pathlib import PurePosixPath
from urllib.parse import unquote

from workers.runtime.extraction.archive import Archive, Ended, Words, ciphered, xml

_TITLE = re.compile(r"<title\b[^>]{0,200}>([^<]{1,500})", re.IGNORECASE)
_PAGE_BYTES = 16 * 2**20
"""Of one page: a tree is built of it."""


def page(pieces: Iterator[bytes], words: Words, coding: str | None = None) -> None:
    """Add what is seen of a page, as Markdown; ``coding`` where it is known, else the page says it."""
    read = bytearray()
    for piece in pieces:
        read += piece
        if len(read) > _PAGE_BYTES:
            break
    from html_to_markdown import ConversionError, ConversionOptions, convert  # noqa: PLC0415 - only here

    coding = coding or _coding(read)
    try:
        text = read.decode(coding, errors="replace")
    except LookupError:
        text = read.decode("utf-8", errors="replace")
    title = _TITLE.search(text)
    if title is not None:
        words.add(" ".join(unescape(title[1]).split()) + "\n\n")
    options = ConversionOptions(
        extract_metadata=False,
        compact_tables=True,
        autolinks=False,
        inline_data_media="drop_element",
        exclude_selectors=["svg", "noscript", "template"],
    )
    try:
        words.add((convert(text, options).content or "") + "\n")
    except ConversionError as problem:
        # Bytes that are no text.
        raise Ended("damaged") from problem


def _coding(read: bytearray) -> str:
    if read.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    said = re.search(rb"""(?:charset|encoding)\s*=\s*["']?([\w-]{1,40})""", read[:2048])
    return said[1].decode() if said else "utf-8"


def book(archive: Archive, words: Words) -> None:
    """An EPUB, in the order of its spine, without pages that are encrypted.

    Raises:
        Ended: they all are.
    """
    secret = ciphered(archive)
    found, items, spine = list[str](), dict[str, str](), list[str]()

    def start(name: str, given: dict[str, str]) -> None:
        if name == "rootfile":
            found.append(given.get("full-path", ""))
        elif name == "item":
            items[given.get("id", "")] = given.get("href", "")
        elif name == "itemref":
            spine.append(given.get("idref", ""))

    for _ in range(2):
        xml(archive.pieces(found[0] if found else "META-INF/container.xml"), start)
    folder = PurePosixPath(found[0] if found else "").parent
    pages = [str(folder / unquote(items[item])) for item in spine if item in items]
    if pages and secret.issuperset(pages):
        raise Ended("protected")
    for member in pages:
        if member not in secret:
            page(archive.pieces(member), words)
            words.add("\n")
