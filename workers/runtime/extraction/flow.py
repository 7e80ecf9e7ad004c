"""Documents and slides: paragraphs, headings, tables and notes in order."""

import re
from collections.abc import Iterator

from workers.runtime.extraction.archive import Archive, Words, count, listed, related, xml

_HEADING = re.compile(r"heading\s*([1-6])", re.IGNORECASE)
_NOTES = 20_000
"""Characters of a slide's notes."""
_SPACES = 1_000
_MARKS = {"footnote": "", "endnote": "e", "comment": "c"}
"""Notes of Word, and what their numbers begin with in the text."""
_PASSED_OVER = frozenset({"fld", "note-citation", "Fallback", "moveFrom", "tracked-changes", "page-number"})
"""A slide's number or date; the number of a note that follows; what older programs show instead of what stands
before it; where words were that are elsewhere now, or deleted."""
_LISTED = re.compile(r"List\s?(?:Bullet|Number)\s?([1-9]?)$")
"""The styles of Word's own lists, with their levels."""
_LEVELS = 8
_APART = ("word/footnotes.xml", "word/endnotes.xml", "word/comments.xml")


class Flow:
    """Paragraphs, headings and tables of Word, PowerPoint and OpenDocument, whose names do not collide."""

    def __init__(self, words: Words, *, bare: bool = False) -> None:
        """``bare``: OpenDocument, whose words stand in the paragraphs themselves."""
        self._words = words
        self._bare = bare
        self._cells = self._inside = self._passed_over = self._slides = 0
        self._before = ""
        self._headed = False
        self._level: int | None = None
        """Of the paragraph in its list; None outside of one."""

    def start(self, name: str, given: dict[str, str]) -> None:
        if name in ("tc", "table-cell"):
            self._cells += 1
        elif name == "t" or (self._bare and name in ("p", "h")):
            self._inside += 1
            if name == "h":
                self._words.add("# ")
        elif name == "pStyle" and (found := _HEADING.match(given.get("val", ""))):
            self._words.add("#" * int(found[1]) + " ")
            self._headed = True
        elif name in ("tab", "line-break", "br", "noBreakHyphen"):
            self._space(name)
        elif self._is_passed_over(name):
            self._passed_over += 1
        elif self._bare:
            self._start_bare(name, given)
        else:
            self._list(name, given)
            self._mark(name, given)

    def _space(self, name: str) -> None:
        if not self._passed_over:
            self._words.add({"tab": "\t", "noBreakHyphen": "\u2011"}.get(name, "\n"))

    def _is_passed_over(self, name: str) -> bool:
        return name in _PASSED_OVER or (self._bare and name == "date")

    def _list(self, name: str, given: dict[str, str]) -> None:
        said = given.get("val", "")
        if name == "pStyle" and (found := _LISTED.match(said)):
            self._level = int(found[1] or 1) - 1
        elif name == "numPr" and not self._headed:
            self._level = self._level or 0
        elif name == "ilvl" and said.isdigit() and self._level is not None:
            self._level = min(int(said), _LEVELS)
        elif name == "numId" and said == "0":
            self._level = None

    def _start_bare(self, name: str, given: dict[str, str]) -> None:
        if name == "s":
            self._words.add(" " * min(count(given.get("c")), _SPACES))
        elif name in ("note-body", "annotation"):
            self._cells += 1
            self._words.add(" [")
        elif name == "page":
            self._slides += 1
            self._words.add(f"## Slide {self._slides}\n")
        elif name == "notes":
            self._before = "Notes: "

    def _mark(self, name: str, given: dict[str, str]) -> None:
        kind = name.removesuffix("Reference")
        if kind not in _MARKS or "type" in given:
            return
        author = f"{given['author']}: " if name == "comment" and given.get("author") else ""
        self._words.add(f"[^{_MARKS[kind]}{given.get('id', '')}]{': ' if name == kind else ''}{author}")

    def end(self, name: str) -> None:
        self._inside -= name == "t" or (self._bare and name in ("p", "h"))
        if name in ("p", "h"):
            self._words.add("" if self._passed_over else " " if self._cells else "\n")
        elif name in ("tc", "table-cell"):
            self._cells -= 1
            self._words.add("| ")
        elif name in ("tr", "table-row"):
            self._words.add("\n")
        elif self._is_passed_over(name):
            self._passed_over -= 1
        elif name == "pPr":
            self._words.add("" if self._level is None else "  " * self._level + "- ")
            self._level, self._headed = None, False
        elif self._bare:
            self._end_bare(name)

    def _end_bare(self, name: str) -> None:
        if name == "creator" and self._cells:
            self._words.add(": ")
        elif name in ("note-body", "annotation"):
            self._cells -= 1
            self._words.add("]")
        elif name == "notes":
            self._before = ""

    def text(self, text: str) -> None:
        if self._inside and not self._passed_over:
            self._words.add(self._before + text)
            self._before = ""

    def read(self, pieces: Iterator[bytes]) -> None:
        xml(pieces, self.start, self.end, self.text)


def document(archive: Archive, words: Words) -> None:
    """A document of Word; its notes and comments stand at the end, as in Markdown."""
    Flow(words).read(archive.pieces("word/document.xml"))
    words.add("\n")
    for member in _APART:
        Flow(words).read(archive.pieces(member))


def slides(archive: Archive, words: Words) -> None:
    """Slides in the order in which they are shown, each with what its speaker notes."""
    order = [member for member, _ in listed(archive, "ppt/presentation.xml", "sldId")]
    for number, member in enumerate(order or archive.matching(r"ppt/slides/slide\d+\.xml"), 1):
        words.add(f"## Slide {number}\n")
        Flow(words).read(archive.pieces(member))
        for notes in related(archive, member).values():
            if notes.startswith("ppt/notesSlides/"):
                said = Words(_NOTES)
                Flow(said).read(archive.pieces(notes))
                noted = "".join(said.pieces).strip()
                words.add(f"Notes: {noted}\n" if noted else "")
        words.add("\n")
