"""What has to be known of a text before it is written: items' numbers, used addresses, closed folds (pure)."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markdown_it.token import Token

from workers.telegram.markdown import definitions
from workers.telegram.markdown.inline import inline
from workers.telegram.markdown.notes import title
from workers.telegram.markdown.pieces import Inline
from workers.telegram.markdown.spans import Span
from workers.telegram.markdown.tables import Table
from workers.telegram.markdown.unfinished import closed

_TASK = re.compile(r"\[([ xX])\](?:[ \t]+|\Z)")
_NOTE = re.compile(r"\[!([A-Za-z]{2,20})\][+-]?[ \t]*([^\n]*)(?:\n|\Z)")
_BLANK = "\x1f"
"""A blank of an indentation while its text is read; no text has this character."""
_BULLETS = {"+": "+"}
_DONE, _OPEN = "☑", "☐"
_CONTAINERS = ("blockquote", "list_item")
_WHOLE = 3
"""Tags: a ``<details>``, its summary, and the end of that."""


class _References(dict[str, tuple[str, str]]):
    """Remembers which of them were asked for."""

    def __init__(self, references: Mapping[str, tuple[str, str]]) -> None:
        super().__init__(references)
        self.used: set[str] = set()

    def get(self, key: str, default: tuple[str, str] | None = None) -> tuple[str, str] | None:  # type: ignore[override]
        self.used.add(key)
        return super().get(key, default)


@dataclass(frozen=True, slots=True)
class _Fold:
    place: int
    start: int
    end: int
    name: str
    closing: bool
    container: int


@dataclass(slots=True)
class _List:
    """Its items' places; and those of the numbers that it is part of."""

    items: list[int]
    part_of: list[int] | None = None


class Reading:
    """The blocks, and by a block's place: the text in it, an item's label, a table; ``unused`` definitions; ``folds``
    (place, start) that are markup, and of them those without a summary.
    """

    def __init__(
        self, tokens: Sequence[Token], references: Mapping[str, tuple[str, str]], source: str, *, grows: bool = False
    ) -> None:
        self.tokens = tokens
        if grows:
            _close_last(tokens)
        definitions.read(tokens, _BLANK)
        self.deeper: set[int] = set()
        self.inlines: dict[int, Inline] = {}
        self.tables: dict[int, Table] = {}
        self.labels: dict[int, str] = {}
        self._references = _References(references)
        self._lines = source.split("\n")
        self._number(self._lines)
        for place, token in enumerate(tokens):
            if token.type == "inline":
                one_line = tokens[place - 1].type == "heading_open"
                content = self._indented(place) if token.level == 1 and not one_line else self._without_mark(place)
                self.inlines[place] = _with_blanks(inline(content, self._references, one_line=one_line))
            elif token.type == "table":
                rows = [
                    [inline(cell, self._references, one_line=not below) for cell in row]
                    for below, row in enumerate(token.meta["rows"])
                ]
                self.tables[place] = Table(rows, token.meta["aligns"])
        self.unused = self._unused()
        folds = any(read.folds for read in self.inlines.values())
        self.folds, self.bare_folds = self._closed_folds() if folds else (set[tuple[int, int]](),) * 2

    def _number(self, lines: Sequence[str]) -> None:
        """Items keep their written numbers; where all are the same (1. 1. 1.) they are counted.

        Bullets that stand a little to the right below a number are part of it, though CommonMark asks for more blanks:
        they do not end the numbers' list.
        """
        lists: list[_List] = []
        numbers: list[list[int]] = []
        goes_on: list[int] | None = None
        before = ""
        for place, token in enumerate(self.tokens):
            if token.type == "ordered_list_open":
                if goes_on is None or before != "bullet_list_close":
                    numbers.append([])
                lists.append(_List(numbers[-1] if goes_on is None else goes_on))
            elif token.type == "bullet_list_open":
                indented = not token.level and token.map is not None and lines[token.map[0]].startswith(" ")
                lists.append(_List([], goes_on if indented and before == "ordered_list_close" else None))
            elif token.type == "list_item_open":
                self._label(place, lists[-1])
            if token.type == "ordered_list_close":
                goes_on = lists.pop().items
            elif token.type == "bullet_list_close":
                goes_on = lists.pop().part_of
            elif token.type not in ("bullet_list_open", "ordered_list_open"):
                goes_on = None
            before = token.type
        for items in numbers:
            self._count(items)

    def _label(self, place: int, around: "_List") -> None:
        token = self.tokens[place]
        self.labels[place] = f"{token.info}{token.markup}" if token.info else _BULLETS.get(token.markup, "•")
        around.items.append(place)
        if around.part_of is not None:
            self.deeper.add(place)

    def _count(self, items: Sequence[int]) -> None:
        written = {self.tokens[item].info for item in items}
        if len(items) > 1 and len(written) == 1:
            for number, item in enumerate(items, int(written.pop())):
                self.labels[item] = f"{number}{self.tokens[item].markup}"

    def _indented(self, place: int) -> str:
        """A paragraph with its lines' indentation, as a call stack has it, and steps with letters."""
        token = self.tokens[place]
        if "\n " not in token.content or token.map is None:
            return token.content
        lines = self._lines[token.map[0] : token.map[1]]
        first = len(lines[0]) - len(lines[0].lstrip())
        return re.sub(r"(?<=\n) {1,32}", lambda found: _BLANK * max(0, len(found[0]) - first), token.content)

    def _without_mark(self, place: int) -> str:
        """An item's box becomes its mark, and the kind of a note (``> [!NOTE]``) its title."""
        content = self.tokens[place].content
        around = self.tokens[place - 2].type if place > 1 else ""
        if around == "blockquote_open" and (note := _NOTE.match(content)):
            return f"**{title(*note.groups())}**\n{content[note.end() :]}".rstrip()
        if around != "list_item_open":
            return content
        box = _TASK.match(content)
        if box is None:
            return content
        mark = _OPEN if box[1] == " " else _DONE
        item = place - 2
        self.labels[item] = f"{self.labels[item]} {mark}" if self.tokens[item].info else mark
        return content[box.end() :]

    def _unused(self) -> set[int]:
        unused: set[int] = set()
        seen: set[str] = set()
        for place, token in enumerate(self.tokens):
            if token.type == "definition":
                label = token.meta["id"]
                if label in seen or label not in self._references.used:
                    unused.add(place)
                seen.add(label)
        return unused

    def _closed_folds(self) -> tuple[set[tuple[int, int]], set[tuple[int, int]]]:
        """The tags of ``<details>`` that end in the same quote or item, or not yet; and those that have no summary."""
        accepted: set[tuple[int, int]] = set()
        bare: set[tuple[int, int]] = set()
        open_: list[list[_Fold]] = []
        for fold in self._all_folds():
            if fold.name == "details" and not fold.closing:
                open_.append([fold])
            elif not open_:
                continue
            elif fold.name == "summary":
                _note_summary(open_[-1], fold)
            else:
                begun = open_.pop()
                if begun[0].container == fold.container and (len(begun) == _WHOLE or self._begins_a_line(begun)):
                    accepted |= {(part.place, part.start) for part in (*begun, fold)}
                    bare |= {(part.place, part.start) for part in begun if len(begun) == 1}
        for begun in open_:
            if begun[0].container == 0 and (len(begun) == _WHOLE or self._begins_a_line(begun, alone=True)):
                accepted |= {(part.place, part.start) for part in begun}
                bare |= {(part.place, part.start) for part in begun if len(begun) == 1}
        return accepted, bare

    def _begins_a_line(self, begun: list[_Fold], *, alone: bool = False) -> bool:
        """Whether these are a ``<details>`` without a summary, and no words about one."""
        text = self.inlines[begun[0].place].text
        before, behind = text[: begun[0].start].rstrip(" "), text[begun[0].end :]
        return len(begun) == 1 and before[-1:] in ("", "\n") and not (alone and behind[:1].strip("\n"))

    def _all_folds(self) -> list[_Fold]:
        folds: list[_Fold] = []
        containers = [0]
        for place, token in enumerate(self.tokens):
            if token.type.startswith(_CONTAINERS):
                if token.nesting > 0:
                    containers.append(place)
                else:
                    containers.pop()
            elif token.type == "inline":
                folds += [
                    _Fold(place, start, end, name, closing, containers[-1])
                    for start, end, name, closing in self.inlines[place].folds
                ]
        return folds


def _close_last(tokens: Sequence[Token]) -> None:
    """Give what is written just now an end."""
    last = next((token for token in reversed(tokens) if not token.type.endswith("_close")), None)
    if last is not None and last.type == "inline":
        last.content = closed(last.content)
    elif last is not None and last.type == "table":
        row = last.meta["rows"][-1]
        row[-1:] = map(closed, row[-1:])


def _with_blanks(read: Inline) -> Inline:
    return Inline(read.text.replace(_BLANK, " "), read.spans, read.folds) if _BLANK in read.text else read


def _note_summary(begun: list[_Fold], fold: _Fold) -> None:
    """Take a summary's tag if it is the next one of its ``<details>``."""
    apart = fold.closing and begun[-1].place != fold.place
    if len(begun) == (2 if fold.closing else 1) and begun[-1].container == fold.container and not apart:
        begun.append(fold)


def stripped(whole: Inline, start: int, end: int) -> Inline:
    """A part of a text without the white space at its ends."""
    part = whole.text[start:end]
    start += len(part) - len(part.lstrip())
    text = part.strip()
    spans = [
        Span(max(span.start - start, 0), min(span.end - start, len(text)), span.kind, span.detail)
        for span in whole.spans
        if span.end > start and span.start < start + len(text)
    ]
    return Inline(text, spans, [])
