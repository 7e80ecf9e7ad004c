"""Markdown as blocks of a rich message (Bot API 10.2, InputRichBlock), where they show more than entities (pure)."""

import logging
from collections.abc import Callable
from typing import Any

from markdown_it.token import Token

from workers.telegram.clean import clean
from workers.telegram.markdown import blocks
from workers.telegram.markdown.fenced_text import info, is_rule_below, preformatted
from workers.telegram.markdown.math.chemistry import spelled
from workers.telegram.markdown.math.siunitx import spelled_out
from workers.telegram.markdown.pieces import Inline
from workers.telegram.markdown.reading import Reading
from workers.telegram.markdown.spans import Span, nested
from workers.telegram.markdown.tables import Table

type Block = dict[str, Any]
type RichText = str | list[Any] | dict[str, Any]

log = logging.getLogger("cohort.telegram")

# Telegram's limits (Bot API, "Rich message formatting options"), with room for what is said about the turn.
_BLOCKS = 450
_CHARACTERS = 30_000
_DEPTH = 12
_COLUMNS = 20
_WORTH = frozenset({"table", "heading_open", "list_item_open", "formula", "hr"})
"""What entities cannot show. Some clients show no rich message at all, so an answer without any of these is none."""
_ALIGNS = {"l": "left", "r": "right", "c": "center"}
_DONE, _OPEN = "☑", "☐"


def rich_blocks(markdown: str) -> tuple[Block, ...]:
    """The blocks of a text; none where a rich message would show no more, or does not fit; never raises."""
    source = clean(markdown)
    try:
        tokens, references = blocks.parsed(source)
        if not any(token.type in _WORTH for token in tokens):
            return ()
        return _Builder(Reading(tokens, references, source)).built()
    except Exception as problem:  # noqa: BLE001 - the same text with entities reaches its reader
        log.warning("markdown.unreadable", extra={"problem": type(problem).__name__})
        return ()


def top_lines(source: str) -> list[int]:
    """The lines at which a text may be divided: where its outermost blocks begin, but for what follows a heading; none
    where links are defined apart.
    """
    tokens, references = blocks.parsed(source)
    if references:
        return []
    found: list[int] = []
    below_heading = False
    for token in tokens:
        if token.level == 0 and token.nesting >= 0 and token.map:
            if not below_heading:
                found.append(token.map[0])
            below_heading = token.type == "heading_open"
    return found


def rich_text(text: str, spans: list[Span]) -> RichText:
    """A text and its spans as a tree."""
    found = nested(text, spans)
    tree, _ = _tree(text, found, 0, 0, len(text))
    return tree


def _tree(text: str, spans: list[Span], at: int, start: int, end: int) -> tuple[RichText, int]:
    """What stands between two places, and the first span behind it."""
    pieces: list[Any] = []
    while at < len(spans) and spans[at].start < end:
        span = spans[at]
        if span.start > start:
            pieces.append(text[start : span.start])
        inner, at = _tree(text, spans, at + 1, span.start, span.end)
        pieces.append(_styled(span, inner))
        start = span.end
    if start < end:
        pieces.append(text[start:end])
    return (pieces[0] if len(pieces) == 1 else pieces or ""), at


def _styled(span: Span, inner: RichText) -> RichText:
    match span.kind:
        case "text_link":
            return {"type": "url", "text": inner, "url": span.detail}
        case "bold" | "italic" | "underline" | "strikethrough" | "spoiler" | "code":
            return {"type": span.kind, "text": inner}
        case "pre":
            return {"type": "code", "text": inner}
        case _:
            return inner


class _TooMuchError(Exception):
    """It does not fit into one rich message."""


class _Builder:
    """Goes through the blocks once; ``_open`` are the lists of blocks that are not ended yet, the innermost last."""

    def __init__(self, read: Reading) -> None:
        self._read = read
        self._whole: list[Block] = []
        self._open: list[list[Any]] = [self._whole]
        self._count = self._characters = 0

    def built(self) -> tuple[Block, ...]:
        if self._read.folds:
            return ()
        try:
            for place, token in enumerate(self._read.tokens):
                step = _STEPS.get(token.type)
                if step is not None:
                    step(self, token, place)
        except _TooMuchError:
            return ()
        return tuple(self._whole)

    def _took(self, count: int, characters: int) -> None:
        self._count += count
        self._characters += characters
        if self._count > _BLOCKS or self._characters > _CHARACTERS or len(self._open) > _DEPTH:
            raise _TooMuchError

    def _put(self, block: Block, characters: int = 0) -> None:
        self._took(1, characters)
        self._open[-1].append(block)

    def _text(self, whole: Inline) -> RichText:
        return rich_text(whole.text, whole.spans)

    # -- containers

    def list_begins(self, token: Token, place: int) -> None:  # noqa: ARG002 - as all steps
        items: list[Any] = []
        self._put({"type": "list", "items": items})
        self._open.append(items)

    def item_begins(self, token: Token, place: int) -> None:
        within: list[Any] = []
        item: Block = {"blocks": within}
        label = self._read.labels[place]
        if token.info:
            number = label.rstrip(f"{_DONE}{_OPEN} ").rstrip(".)")
            item |= {"value": min(int(number), 2**31 - 1), "type": "1"}
        if label.endswith((_DONE, _OPEN)):
            item |= {"has_checkbox": True, "is_checked": label.endswith(_DONE)}
        self._put(item)
        self._open.append(within)

    def quote_begins(self, token: Token, place: int) -> None:  # noqa: ARG002 - as all steps
        within: list[Any] = []
        self._put({"type": "blockquote", "blocks": within})
        self._open.append(within)

    def ends(self, token: Token, place: int) -> None:  # noqa: ARG002 - as all steps
        ended = self._open.pop()
        if not ended and token.type != "ordered_list_close":
            # Telegram refuses what is empty.
            ended.append({"type": "paragraph", "text": " "})

    # -- blocks

    def paragraph(self, token: Token, place: int) -> None:  # noqa: ARG002 - as all steps
        whole = self._read.inlines[place]
        if self._read.tokens[place - 1].type == "paragraph_open" and whole.text.strip():
            self._put({"type": "paragraph", "text": self._text(whole)}, len(whole.text))

    def heading(self, token: Token, place: int) -> None:
        whole = self._read.inlines[place + 1]
        if is_rule_below(token, self._read.tokens[place + 1].content):
            self._put({"type": "paragraph", "text": self._text(whole)}, len(whole.text))
            self._put({"type": "divider"})
        elif whole.text.strip():
            self._put({"type": "heading", "text": self._text(whole), "size": int(token.tag[1])}, len(whole.text))

    def code(self, token: Token, place: int) -> None:  # noqa: ARG002 - as all steps
        language, said = info(token.info)
        text = token.content.removesuffix("\n")
        if not text.strip():
            said, text = f"{token.markup}{token.info}".strip(), ""
        if said:
            self._put({"type": "paragraph", "text": clean(said)}, len(said))
        self._pre(text, language)

    def pre(self, token: Token, place: int) -> None:  # noqa: ARG002 - as all steps
        text, language = preformatted(token.content)
        if text.strip():
            self._pre(text, language)
        else:
            self._put({"type": "paragraph", "text": token.content}, len(token.content))

    def _pre(self, text: str, language: str) -> None:
        if text:
            named = {"language": language} if language else {}
            self._put({"type": "pre", "text": text, **named}, len(text))

    def formula(self, token: Token, place: int) -> None:  # noqa: ARG002 - as all steps
        if expression := spelled(spelled_out(token.content)).strip():
            self._put({"type": "mathematical_expression", "expression": expression}, len(expression))

    def table(self, token: Token, place: int) -> None:  # noqa: ARG002 - as all steps
        table = self._read.tables[place]
        columns = max(len(row) for row in table.rows)
        if columns > _COLUMNS:
            raise _TooMuchError
        cells = [
            [self._cell(table, row, column, header=number == 0) for column in range(columns)]
            for number, row in enumerate(table.rows)
        ]
        self._took(len(cells), 0)
        self._put({"type": "table", "cells": cells, "is_bordered": True})

    def _cell(self, table: Table, row: Any, column: int, *, header: bool) -> Block:
        whole = row[column] if column < len(row) else Inline("", [], [])
        self._took(0, len(whole.text))
        align = _ALIGNS.get(table.aligns[column], "left") if column < len(table.aligns) else "left"
        whole = Inline(whole.text.replace("\n", " "), whole.spans, [])
        cell: Block = {"text": self._text(whole), "align": align, "valign": "middle"}
        return cell | ({"is_header": True} if header else {})

    def rule(self, token: Token, place: int) -> None:  # noqa: ARG002 - as all steps
        self._put({"type": "divider"})

    def definition(self, token: Token, place: int) -> None:
        if place in self._read.unused:
            text = f"[{token.meta['label']}]: {token.meta['url']}"
            self._put({"type": "paragraph", "text": text}, len(text))


_STEPS: dict[str, Callable[[_Builder, Token, int], None]] = {
    "bullet_list_open": _Builder.list_begins,
    "ordered_list_open": _Builder.list_begins,
    "list_item_open": _Builder.item_begins,
    "blockquote_open": _Builder.quote_begins,
    "bullet_list_close": _Builder.ends,
    "ordered_list_close": _Builder.ends,
    "list_item_close": _Builder.ends,
    "blockquote_close": _Builder.ends,
    "inline": _Builder.paragraph,
    "heading_open": _Builder.heading,
    "fence": _Builder.code,
    "code_block": _Builder.code,
    "formula": _Builder.formula,
    "pre": _Builder.pre,
    "table": _Builder.table,
    "hr": _Builder.rule,
    "definition": _Builder.definition,
}
