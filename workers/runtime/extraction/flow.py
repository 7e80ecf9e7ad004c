"""Documents and slides: paragraphs, headings and tables in order."""

import re
from collections.abc import Iterator

from workers.runtime.extraction.archive import Archive, Words, xml

_HEADING = re.compile(r"heading\s*([1-6])", re.IGNORECASE)


class Flow:
    """Paragraphs, headings and tables of Word, PowerPoint and OpenDocument, whose names do not collide."""

    def __init__(self, words: Words, *, bare: bool = False) -> None:
        """``bare``: OpenDocument, whose words stand in the paragraphs themselves."""
        self._words = words
        self._bare = bare
        self._cells = self._inside = 0

    def start(self, name: str, given: dict[str, str]) -> None:
        if name in ("tc", "table-cell"):
            self._cells += 1
        elif name == "t" or (self._bare and name in ("p", "h")):
            self._inside += 1
            if name == "h":
                self._words.add("# ")
        elif name == "pStyle" and (found := _HEADING.match(given.get("val", ""))):
            self._words.add("#" * int(found[1]) + " ")
        elif name in ("tab", "line-break", "br"):
            self._words.add("\t" if name == "tab" else "\n")

    def end(self, name: str) -> None:
        if name == "t" or (self._bare and name in ("p", "h")):
            self._inside -= 1
        if name in ("p", "h"):
            self._words.add(" " if self._cells else "\n")
        elif name in ("tc", "table-cell"):
            self._cells -= 1
            self._words.add("| ")
        elif name in ("tr", "table-row"):
            self._words.add("\n")

    def text(self, text: str) -> None:
        if self._inside:
            self._words.add(text)

    def read(self, pieces: Iterator[bytes]) -> None:
        xml(pieces, self.start, self.end, self.text)


def slides(archive: Archive, words: Words) -> None:
    for number, member in enumerate(archive.matching(r"ppt/slides/slide\d+\.xml"), 1):
        words.add(f"## Slide {number}\n")
        Flow(words).read(archive.pieces(member))
        words.add("\n")
