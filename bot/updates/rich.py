"""A rich message (Bot API 10.1) as plain text: its words in order, without their form (pure)."""

from collections.abc import Iterator
from typing import Annotated, Any, cast

from pydantic import PlainValidator

from bot.updates.values import Maybe, Object, Objects, clean

_CHARACTERS = 32_768
"""The Bot API's own limit for a rich message."""

_DEPTH = 32
"""Nesting that is followed; apps allow much less."""


def _words(node: Any, depth: int = 0, between: str = "") -> str:
    """``RichText``: a string, a list of such, or an object around one."""
    if depth > _DEPTH:
        return ""
    if isinstance(node, str):
        return node
    if isinstance(node, list):
        return between.join(_words(item, depth + 1) for item in cast("list[Any]", node))
    if isinstance(node, dict):
        of = cast("dict[str, Any]", node)
        inner = next((of[name] for name in ("text", "expression", "alternative_text") if name in of), "")
        return _words(inner, depth + 1)
    return ""


def _rows(cells: Any) -> tuple[str, ...]:
    return tuple(_words(row, between=" | ") for row in cast("list[Any]", cells)) if isinstance(cells, list) else ()


type RichText = Annotated[str, PlainValidator(_words)]


class RichBlock(Object):
    """``RichBlock``: any of its kinds. A list's item is one, too."""

    summary: RichText = ""
    text: RichText = ""
    expression: RichText = ""
    cells: Annotated[tuple[str, ...], PlainValidator(_rows)] = ()
    """A table's rows."""
    items: Objects[Maybe["RichBlock"]] = ()
    blocks: Objects[Maybe["RichBlock"]] = ()
    caption: RichText = ""
    credit: RichText = ""


class RichMessage(Object):
    """``RichMessage``."""

    blocks: Objects[Maybe[RichBlock]] = ()


def plain(message: RichMessage) -> str:
    """Its words: one line a block, a table row's cells in one line."""
    return clean("\n".join(_lines(message.blocks, 0)))[:_CHARACTERS]


def _lines(blocks: tuple[RichBlock | None, ...], depth: int) -> Iterator[str]:
    if depth > _DEPTH:
        return
    for block in blocks:
        if block is not None:
            yield from filter(None, (block.summary, block.text, block.expression, *block.cells))
            yield from _lines((*block.items, *block.blocks), depth + 1)
            yield from filter(None, (block.caption, block.credit))
