"""Anthropic's events, made of those of servers that only speak like it (pure).

Its client puts each block where its index says, and adds piece to piece: an index with a gap, a block or a message that
was never begun, or a null in the place of a text raises there, and the turn is tried again for nothing.
"""

import json
from typing import Any

_TEXTS = {"text_delta": "text", "thinking_delta": "thinking", "signature_delta": "signature"}
_PIECES = {**_TEXTS, "input_json_delta": "partial_json"}
_OTHERS = frozenset({"citations_delta", "compaction_delta"})
_BEGINS = {"text_delta": "text", "thinking_delta": "thinking", "signature_delta": "thinking"}
NAMES = ("message_start", "message_delta", "content_block_start", "content_block_delta", "content_block_stop")


class Messages:
    """One stream's events."""

    def __init__(self) -> None:
        self._begun = False
        self._blocks = 0
        self._place: dict[Any, int] = {}
        """The index that a server gives an open block -> its place in the message."""
        self._ids: set[str] = set()

    def read(self, data: dict[str, Any], kind: str) -> tuple[dict[str, Any], ...]:
        """The events to pass on instead of this one, which is mended in place."""
        if kind == "message_start":
            if type(data.get("message")) is not dict:
                data["message"] = {}
            _read_start(data["message"])
            self._begun, self._blocks = True, 0
            self._place.clear()
            return (data,)
        if kind == "message_delta":
            if type(data.get("usage")) is not dict:
                data["usage"] = {"output_tokens": 0}
            if type(data.get("delta")) is not dict:
                data["delta"] = {"stop_reason": None, "stop_sequence": None}
            return (*self._head(), data)
        return (*self._head(), *self._block(data, kind))

    def _head(self) -> tuple[dict[str, Any], ...]:
        if self._begun:
            return ()
        return self.read({"type": "message_start"}, "message_start")

    def _block(self, data: dict[str, Any], kind: str) -> tuple[dict[str, Any], ...]:
        said = data.get("index") if isinstance(data.get("index"), int | str) else None
        if kind == "content_block_start":
            block = data.get("content_block")
            data["content_block"] = block = block if type(block) is dict else {"type": "text"}
            self._read_block(block)
            data["index"] = self._open(said)
            return (data,)
        if kind == "content_block_delta":
            delta = data.get("delta")
            name = _read_piece(delta) if type(delta) is dict else None
            if name is None:
                return ()
            if said in self._place:
                data["index"] = self._place[said]
                return (data,)
            if name not in _BEGINS:
                return ()
            block = {"type": _BEGINS[name]}
            self._read_block(block)
            data["index"] = self._open(said)
            return {"type": "content_block_start", "index": data["index"], "content_block": block}, data
        if said not in self._place:
            return ()
        data["index"] = self._place.pop(said)
        return (data,)

    def _open(self, said: Any) -> int:
        self._place[said] = place = self._blocks
        self._blocks += 1
        return place

    def _read_block(self, block: dict[str, Any]) -> None:
        kind = block.get("type")
        for name in {"text": ("text",), "thinking": ("thinking", "signature")}.get(
            kind if type(kind) is str else "", ()
        ):
            # A signature replaces what is there; a block without one stays so.
            if type(block.get(name)) is not str and (name != "signature" or name in block):
                block[name] = ""
        if kind == "tool_use":
            ident = "" if block.get("id") is None else str(block["id"])
            if not ident or ident in self._ids:
                # fast-agent keeps one call an id, and of two that share one it would run one.
                ident = f"toolu_{self._blocks:05}"
            self._ids.add(ident)
            block["id"] = ident


def _read_start(message: dict[str, Any]) -> None:
    """What Anthropic's client adds to."""
    for name, usual in (("id", "msg"), ("model", "unknown")):
        if type(message.get(name)) is not str:
            message[name] = usual
    message["type"], message["role"] = "message", "assistant"
    if type(message.get("usage")) is not dict:
        message["usage"] = {"input_tokens": 0, "output_tokens": 0}
    if type(message.get("content")) is not list:
        message["content"] = []
    message.setdefault("stop_reason", None)
    message.setdefault("stop_sequence", None)


def _read_piece(delta: dict[str, Any]) -> str | None:
    """The kind of a piece, with its text as a text; None: it has nothing that the client reads."""
    kind = delta.get("type")
    if kind is None:
        kind = next((kind for kind, name in _PIECES.items() if name in delta), None)
        delta["type"] = kind
    if type(kind) is not str:
        return None
    if kind in _OTHERS:
        return kind
    name = _PIECES.get(kind)
    value = None if name is None else delta.get(name)
    if name is None or value is None:
        return None
    if type(value) is not str:
        delta[name] = json.dumps(value)
    return kind
