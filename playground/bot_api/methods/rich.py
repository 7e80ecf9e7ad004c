"""Rich messages as blocks (Bot API 10.2): what is accepted of them, and sendRichMessage."""

from typing import Any

from playground import Json
from playground.bot_api.call import ApiCall
from playground.bot_api.methods.sending import send
from playground.errors import ApiError, bad_request

# Bot API, "Rich message formatting options".
_CHARACTERS, _BLOCKS, _DEPTH, _COLUMNS = 32_768, 500, 16, 20
_TEXTS = {
    "paragraph": "text",
    "heading": "text",
    "pre": "text",
    "expandable_blockquote": "text",
    "mathematical_expression": "expression",
}
_STYLES = ("bold", "italic", "underline", "strikethrough", "spoiler", "code", "url")


def rich_content(call: ApiCall) -> Json:
    """The field of a message that ``rich_message`` becomes.

    Raises:
        ApiError: it is no rich message, or it is beyond a limit.
    """
    given = call.params.get("rich_message")
    if not isinstance(given, dict) or sum(name in given for name in ("html", "markdown", "blocks")) != 1:
        raise bad_request("rich message must be non-empty")
    if "blocks" not in given:
        raise bad_request("rich message must be given as blocks: the playground parses no text")
    blocks = given["blocks"]
    if not isinstance(blocks, list) or not blocks:
        raise bad_request("rich message must be non-empty")
    measured = _Measured()
    measured.blocks(blocks, 1)
    return {"rich_message": {"blocks": blocks}}


def send_rich_message(call: ApiCall) -> Json:
    """https://core.telegram.org/bots/api#sendrichmessage"""
    content = rich_content(call)
    return send(call, call.chat(), content)


class _Measured:
    """Counts while it looks at each block."""

    def __init__(self) -> None:
        self._characters = self._count = 0

    def blocks(self, blocks: Any, depth: int) -> None:
        for block in _objects(blocks):
            self._block(block, depth)

    def _block(self, block: Json, depth: int) -> None:
        self._counted(1, 0, depth)
        kind = block.get("type")
        if kind in _TEXTS:
            self._text(block.get(_TEXTS[kind]), depth)
        elif kind == "list":
            for item in _objects(block.get("items")):
                self._counted(1, 0, depth + 1)
                self.blocks(item.get("blocks"), depth + 2)
        elif kind == "blockquote":
            self.blocks(block.get("blocks"), depth + 1)
        elif kind == "table":
            self._table(block, depth)
        elif kind != "divider":
            raise _bad(f"unknown block {kind}")

    def _table(self, block: Json, depth: int) -> None:
        rows = block.get("cells")
        if not isinstance(rows, list) or not rows:
            raise _bad("table without rows")
        for row in rows:
            cells = _objects(row)
            self._counted(1, 0, depth)
            if len(cells) > _COLUMNS:
                raise _bad("too many columns")
            for cell in cells:
                if cell.get("align") not in ("left", "center", "right") or cell.get("valign") not in (
                    "top",
                    "middle",
                    "bottom",
                ):
                    raise _bad("alignment of a cell")
                self._text(cell.get("text", ""), depth, empty=True)

    def _text(self, text: Any, depth: int, *, empty: bool = False) -> None:
        if isinstance(text, str):
            if not text and not empty:
                raise _bad("empty text")
            self._counted(0, len(text), depth)
        elif isinstance(text, list) and text:
            for part in text:
                self._text(part, depth)
        elif isinstance(text, dict) and text.get("type") in _STYLES:
            if text["type"] == "url" and not isinstance(text.get("url"), str):
                raise _bad("a link without an address")
            self._text(text.get("text"), depth + 1)
        else:
            raise _bad("a text that is none")

    def _counted(self, blocks: int, characters: int, depth: int) -> None:
        self._count += blocks
        self._characters += characters
        if self._count > _BLOCKS or self._characters > _CHARACTERS or depth > _DEPTH:
            raise _bad("too long, too many blocks or too deep")


def _objects(value: Any) -> list[Json]:
    if not isinstance(value, list) or not value or not all(isinstance(one, dict) for one in value):
        raise _bad("blocks that are none")
    return value


def _bad(what: str) -> ApiError:
    return bad_request(f"can't parse rich message: {what}")
