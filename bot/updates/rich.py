"""A rich message (Bot API 10.1) as Markdown, and its files (pure)."""

from collections.abc import Iterator
from typing import Annotated, Any, cast

from pydantic import PlainValidator

from bot.updates.forms import PAIRS, around_block, around_code, around_link, around_moment
from bot.updates.objects import File, Location
from bot.updates.values import Flag, Hint, HintNumber, Maybe, Object, Objects, clean

_CHARACTERS = 32_768
"""The Bot API's own limit for a rich message."""

_DEPTH = 32
"""Nesting that is followed; apps allow much less."""

_LEVELS = 6
_FILES = ("animation", "audio", "document", "video", "voice_note")


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
        if isinstance(button := of.get("button"), dict):
            return _words({**button, "type": "url"}, depth + 1)
        inner = next((of[name] for name in ("text", "expression", "alternative_text") if name in of), "")
        words = _words(inner, depth + 1)
        bare = words.strip()
        if not bare:
            return words
        before, behind = _around(of, bare)
        # Markdown has no form that begins or ends with a blank.
        return words.replace(bare, f"{before}{bare}{behind}", 1)
    return ""


def _around(node: dict[str, Any], inner: str) -> tuple[str, str]:
    match node.get("type"):
        case "code":
            return around_code(inner)
        case "url":
            address = node.get("url")
            return around_link(address if isinstance(address, str) else None, inner)
        case "date_time":
            at = node.get("unix_time")
            return around_moment(at if type(at) is int else None)
        case "mathematical_expression":
            return "$", "$"
        case str() as kind:
            return PAIRS.get(kind, ""), PAIRS.get(kind, "")
        case _:
            return "", ""


def _rows(cells: Any) -> tuple[str, ...]:
    return tuple(_words(row, between=" | ") for row in cast("list[Any]", cells)) if isinstance(cells, list) else ()


def _buttons(found: Any) -> tuple[str, ...]:
    given = cast("list[Any]", found) if isinstance(found, list) else []
    return tuple(_words({"button": button}) for button in given)


def _caption(found: Any) -> str:
    """``RichBlockCaption``, or the text of a table's."""
    credit = cast("dict[str, Any]", found).get("credit") if isinstance(found, dict) else None
    return "\n".join(filter(None, (_words(found), _words(credit))))


type RichWords = Annotated[str, PlainValidator(_words)]


class RichBlock(Object):
    """``RichBlock``: any of its kinds. A list's item is one, too."""

    type: Hint = None
    summary: RichWords = ""
    text: RichWords = ""
    expression: RichWords = ""
    size: HintNumber = None
    """Of a heading."""
    language: Hint = None
    label: Hint = None
    """Of a list's item: its number or bullet."""
    has_checkbox: Flag = False
    is_checked: Flag = False
    cells: Annotated[tuple[str, ...], PlainValidator(_rows)] = ()
    """A table's rows."""
    items: Objects[Maybe["RichBlock"]] = ()
    blocks: Objects[Maybe["RichBlock"]] = ()
    buttons: Annotated[tuple[str, ...], PlainValidator(_buttons)] = ()
    caption: Annotated[str, PlainValidator(_caption)] = ""
    credit: RichWords = ""
    location: Maybe[Location] = None
    photo: Objects[Maybe[File]] = ()
    animation: Maybe[File] = None
    audio: Maybe[File] = None
    document: Maybe[File] = None
    video: Maybe[File] = None
    voice_note: Maybe[File] = None


class RichMessage(Object):
    """``RichMessage``."""

    blocks: Objects[Maybe[RichBlock]] = ()


def plain(message: RichMessage) -> str:
    """Its words as Markdown: a line for each line of a block, a table row's cells in one."""
    return clean("\n".join(_lines(message.blocks, 0)))[:_CHARACTERS]


def files(message: RichMessage) -> Iterator[tuple[str, File]]:
    """Its files in order, each with its kind; of a photo the largest size."""
    yield from _files(message.blocks, 0)


def _files(blocks: tuple[RichBlock | None, ...], depth: int) -> Iterator[tuple[str, File]]:
    for block in blocks if depth <= _DEPTH else ():
        if block is None:
            continue
        sizes = [size for size in block.photo if size is not None]
        if sizes:
            yield "photo", max(sizes, key=lambda size: (size.width or 0) * (size.height or 0))
        for kind in _FILES:
            if (file := getattr(block, kind)) is not None:
                yield kind.removesuffix("_note"), file
        yield from _files((*block.items, *block.blocks), depth + 1)


def _lines(blocks: tuple[RichBlock | None, ...], depth: int) -> Iterator[str]:
    for block in blocks if depth <= _DEPTH else ():
        if block is None:
            continue
        inner = [line for text in _own(block) for line in text.split("\n")]
        inner += _lines((*block.items, *block.blocks), depth + 1)
        inner += filter(None, (block.caption, block.credit))
        if block.type in ("blockquote", "pullquote", "expandable_blockquote"):
            yield from (f"> {line}" for line in inner)
        elif block.label is not None or block.has_checkbox:
            mark = f"{'-' if block.label in (None, '', '•') else block.label} "
            mark += "[x] " if block.is_checked else "[ ] " if block.has_checkbox else ""
            yield from ((mark if number == 0 else "  ") + line for number, line in enumerate(inner))
        else:
            yield from inner


def _own(block: RichBlock) -> Iterator[str]:
    """What stands in the block itself."""
    if block.type == "heading" and block.text:
        yield f"{'#' * min(max(block.size or 1, 1), _LEVELS)} {block.text}"
    elif block.type == "pre" and block.text:
        before, behind = around_block(block.text, block.language)
        yield f"{before}{block.text}{behind}"
    else:
        yield from filter(None, (block.summary, block.text))
    yield from filter(None, (block.expression and f"$${block.expression}$$", *block.cells, *block.buttons))
    if block.location is not None:
        yield f"[location: {block.location.latitude}, {block.location.longitude}]"
    if block.type == "divider":
        yield "---"
    yield from (f"[{kind.replace('_', ' ')}]" for kind in ("photo", *_FILES) if getattr(block, kind))
