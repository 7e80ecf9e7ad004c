"""A rich message (Bot API 10.1) as plain text: its words in order, without their form (pure)."""

from collections.abc import Iterator
from typing import Any, cast

from bot.updates.raw import Json, clean

_CHARACTERS = 32_768
"""The Bot API's own limit for a rich message."""

_DEPTH = 32
"""Nesting that is followed; apps allow much less."""


def plain(message: Json) -> str:
    """The words of a ``RichMessage``: one line a block, a table row's cells in one line."""
    return clean("\n".join(_lines(message.get("blocks"), 0)))[:_CHARACTERS]


def _lines(blocks: Any, depth: int) -> Iterator[str]:
    if not isinstance(blocks, list) or depth > _DEPTH:
        return
    for block in cast("list[Any]", blocks):
        if not isinstance(block, dict):
            continue
        of = cast("Json", block)
        for name in ("summary", "text", "expression"):
            if words := _inline(of.get(name), depth):
                yield words
        cells = of.get("cells")
        for row in cast("list[Any]", cells) if isinstance(cells, list) else []:
            if words := _inline(row, depth, " | "):
                yield words
        yield from _lines(of.get("items"), depth + 1)
        yield from _lines(of.get("blocks"), depth + 1)
        for name in ("caption", "credit"):
            if words := _inline(of.get(name), depth):
                yield words


def _inline(node: Any, depth: int, between: str = "") -> str:
    """Formatted text: a string, a list of such, or an object around one."""
    if depth > _DEPTH:
        return ""
    if isinstance(node, str):
        return node
    if isinstance(node, list):
        return between.join(_inline(item, depth + 1) for item in cast("list[Any]", node))
    if isinstance(node, dict):
        of = cast("Json", node)
        inner = next((of[name] for name in ("text", "expression", "alternative_text") if name in of), "")
        return _inline(inner, depth + 1)
    return ""
