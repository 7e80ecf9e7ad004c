"""Web pages, and books made of them: what is seen of them."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import PurePosixPath
from urllib.parse import unquote

from workers.runtime.extraction.archive import Archive, Ended, Words, ciphered, xml

_BLOCKS = frozenset(
    {"p", "div", "br", "li", "tr", "h1", "h2", "h3", "h4", "h5", "h6", "table", "section", "article", "blockquote"}
    | {"pre", "title", "dt", "dd", "hr"}
)
_UNSEEN = frozenset({"script", "style", "noscript", "template", "svg", "head"})


class Page(HTMLParser):
    """What is seen of a web page."""

    def __init__(self, words: Words) -> None:
        super().__init__(convert_charrefs=True)
        self._words = words
        self._unseen = 0
        self._title = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        self._title = tag == "title"
        if tag in _UNSEEN:
            self._unseen += 1
        elif tag in _BLOCKS:
            self._words.add("\n# " if tag in ("h1", "h2", "h3") else "\n- " if tag == "li" else "\n")
        elif tag in ("td", "th"):
            self._words.add(" | ")

    def handle_endtag(self, tag: str) -> None:
        self._title = False
        if tag in _UNSEEN:
            self._unseen = max(0, self._unseen - 1)
        elif tag == "body":
            self._unseen = 0
        elif tag in _BLOCKS:
            self._words.add("\n")

    def handle_data(self, data: str) -> None:
        if not self._unseen or self._title:
            self._words.add(re.sub(r"\s+", " ", data))


def page(pieces: Iterator[bytes], words: Words, coding: str | None = None) -> None:
    """Add what is seen of a page; ``coding`` where it is known, else the page says it."""
    read = b"".join(pieces)
    coding = coding or _coding(read)
    try:
        text = read.decode(coding, errors="replace")
    except LookupError:
        text = read.decode("utf-8", errors="replace")
    Page(words).feed(text)


def _coding(read: bytes) -> str:
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
