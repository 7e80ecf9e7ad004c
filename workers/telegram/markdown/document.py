"""Markdown as models write it -> text and Telegram entities (pure).

Blocks are markdown-it's (``blocks``), what stands in them is read by ``inline``; here both become one text. Nothing is
lost but marks: what cannot be shown as what it is, is shown as it was written.
"""

import logging
from collections.abc import Callable

from markdown_it.token import Token

from botapi.split import EntityFields
from workers.telegram.clean import clean
from workers.telegram.markdown import blocks
from workers.telegram.markdown.fenced_text import info, is_rule_below, preformatted
from workers.telegram.markdown.foreign_blocks import plain_blocks
from workers.telegram.markdown.math.latex import to_unicode
from workers.telegram.markdown.page import Begun, PageWriter
from workers.telegram.markdown.reading import Reading, stripped
from workers.telegram.markdown.spans import entities
from workers.telegram.markdown.unfinished import with_formula_ended, with_table_ended, without_beginnings

type Converter = Callable[[str], tuple[str, list[EntityFields]]]

log = logging.getLogger("cohort.telegram")

_RULE = "———"
_UNDERLINED = ("h1", "h2")


def to_entities(
    markdown: str, converter: Converter | None = None, *, grows: bool = False
) -> tuple[str, list[EntityFields]]:
    """Text and entities of a Markdown text, complete or still growing; never raises: what fails is plain text.

    ``grows``: what is not ended is read as what it becomes (``unfinished``).
    """
    source = clean(markdown)
    if grows and not (source := with_table_ended(with_formula_ended(without_beginnings(source)))).strip():
        return "", []
    try:
        text, found = converter(source) if converter else _converted(plain_blocks(source, grows=grows), grows=grows)
    except Exception as problem:  # noqa: BLE001 - any text must reach its reader, if need be as it is
        log.warning("markdown.unreadable", extra={"problem": type(problem).__name__})
        return source, []
    # Of an empty code block nothing would be left to read. Of what only begins nothing is.
    return (text, found) if text.strip() or grows else (source, [])


def _converted(source: str, *, grows: bool) -> tuple[str, list[EntityFields]]:
    page = _Writer(Reading(*blocks.parsed(source), source, grows=grows)).written()
    return page.text, entities(page.text, page.spans)


class _Writer:
    """Goes through the blocks once, when ``Reading`` has read what stands in them."""

    def __init__(self, read: Reading) -> None:
        self._read = read
        self._page = PageWriter()
        self._items: list[str] = []
        self._bullet = ""
        self._begun_at = 0
        self._below = 0
        self._quotes: list[Begun | None] = []
        self._margins: list[int] = []

    def written(self) -> PageWriter:
        for place, token in enumerate(self._read.tokens):
            step = _STEPS.get(token.type)
            if step is not None:
                step(self, token, place)
        while self._quotes:
            self._unquote()
        return self._page

    # -- containers

    def item(self, token: Token, place: int) -> None:
        self._lone_bullet()
        self._items += [""] * (place in self._read.deeper)
        self._items.append(self._read.labels[place])
        self._bullet = self._items[-1]
        self._begun_at = token.map[0] if token.map else self._below

    def item_end(self, token: Token, place: int) -> None:  # noqa: ARG002 - as all steps
        self._lone_bullet()
        self._items.pop()
        if self._items and not self._items[-1]:
            self._items.pop()

    def quote(self, token: Token, place: int) -> None:  # noqa: ARG002 - as all steps
        self._lone_bullet()
        self._quote("blockquote")

    def quote_end(self, token: Token, place: int) -> None:  # noqa: ARG002 - as all steps
        self._unquote()

    def _quote(self, kind: str) -> None:
        self._quotes.append(None if any(self._quotes) else self._page.begin(kind))
        self._margins.append(len(self._items))

    def _unquote(self) -> None:
        begun = self._quotes.pop() if self._quotes else None
        del self._margins[len(self._quotes) :]
        if begun is not None:
            self._page.end(begun)

    def _apart(self, token: Token) -> None:
        """Below what came before: a line, or two where a blank line stands between them."""
        first, last = token.map or (self._below, self._below)
        self._page.gap(2 if first > self._below else 1)
        self._below = max(last, self._below)

    def _lone_bullet(self) -> None:
        """The mark of an item that does not begin with text."""
        if self._bullet:
            self._page.gap(2 if self._begun_at > self._below else 1)
            self._page.write(f"{self._indent(1)}{self._bullet}")
            self._below = max(self._below, self._begun_at + 1)
            self._bullet = ""

    def _indent(self, out: int = 0) -> str:
        within = self._margins[-1] if self._margins else 0
        return "  " * (len(self._items) - within - out)

    def _begin_text(self, token: Token) -> None:
        self._apart(token)
        if self._bullet:
            self._page.write(f"{self._indent(1)}{self._bullet} ")
            self._bullet = ""
        elif self._items:
            self._page.write(self._indent())

    # -- blocks

    def paragraph(self, token: Token, place: int) -> None:
        if self._read.tokens[place - 1].type == "paragraph_open":
            self._begin_text(token)
            self._inline(place)

    def heading(self, token: Token, place: int) -> None:
        """Also what only looks like one: a paragraph, and a rule right below it."""
        content = self._read.tokens[place + 1].content
        self._begin_text(token)
        if is_rule_below(token, content):
            self._inline(place + 1)
            self._page.gap(1)
            self._page.write(_RULE)
            return
        begun = [self._page.begin(kind) for kind in (("bold", "underline") if token.tag in _UNDERLINED else ("bold",))]
        self._inline(place + 1)
        for entity in begun:
            self._page.end(entity)

    def _inline(self, place: int) -> None:
        whole, at = self._read.inlines[place], 0
        indent = self._indent()
        for start, end, name, closing in whole.folds:
            if (place, start) not in self._read.folds:
                continue
            self._page.inline(stripped(whole, at, start), indent)
            self._fold(name, closing=closing, first=start == 0)
            if (place, start) in self._read.bare_folds:
                self._quote("expandable_blockquote")
            at = end
        self._page.inline(stripped(whole, at, len(whole.text)) if at else whole, indent)

    def _fold(self, name: str, *, closing: bool, first: bool) -> None:
        """``<details>``: its summary in bold, the rest as a quote that opens."""
        if name == "details":
            if closing:
                self._unquote()
            if not first:
                self._page.gap(1)
        elif closing:
            if self._summary is not None:
                self._page.end(self._summary)
            self._page.gap(1)
            self._quote("expandable_blockquote")
        else:
            self._summary = self._page.begin("bold")

    _summary: Begun | None = None

    def code(self, token: Token, place: int) -> None:  # noqa: ARG002 - as all steps
        text = token.content.removesuffix("\n")
        language, said = info(token.info)
        if not text.strip():
            # Nothing but the fence is there to be shown.
            said, text, language = token.info.strip() and f"{token.markup}{token.info}".strip(), "", ""
        self._lone_bullet()
        self._apart(token)
        if said:
            self._page.write(clean(said))
            self._page.gap(1)
        if text:
            self._page.code(text, language)

    def formula(self, token: Token, place: int) -> None:  # noqa: ARG002 - as all steps
        self._lone_bullet()
        self._apart(token)
        self._page.code(to_unicode(token.content, lines=True))

    def pre(self, token: Token, place: int) -> None:  # noqa: ARG002 - as all steps
        text, language = preformatted(token.content)
        self._lone_bullet()
        self._apart(token)
        if text.strip():
            self._page.code(text, language)
        else:
            self._page.write(token.content)

    def table(self, token: Token, place: int) -> None:
        table = self._read.tables[place]
        self._lone_bullet()
        self._apart(token)
        if not table.is_wide():
            self._page.code(table.as_text())
            return
        blank = False
        for line in table.as_list():
            self._page.gap(2 if blank else 1)
            blank = not line.text
            self._page.inline(line, "  ")

    def rule(self, token: Token, place: int) -> None:  # noqa: ARG002 - as all steps
        self._begin_text(token)
        self._page.write(_RULE)

    def definition(self, token: Token, place: int) -> None:
        """The address of links: where no link leads to it, it is to be seen."""
        if place in self._read.unused:
            self._begin_text(token)
            title = f' "{token.meta["title"]}"' if token.meta["title"] else ""
            self._page.write(f"[{token.meta['label']}]: {token.meta['url']}{title}")


_STEPS: dict[str, Callable[[_Writer, Token, int], None]] = {
    "list_item_open": _Writer.item,
    "list_item_close": _Writer.item_end,
    "blockquote_open": _Writer.quote,
    "blockquote_close": _Writer.quote_end,
    "inline": _Writer.paragraph,
    "heading_open": _Writer.heading,
    "fence": _Writer.code,
    "code_block": _Writer.code,
    "formula": _Writer.formula,
    "pre": _Writer.pre,
    "table": _Writer.table,
    "hr": _Writer.rule,
    "definition": _Writer.definition,
}
