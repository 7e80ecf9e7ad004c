"""Events of OpenAI's Responses API, made of those of servers that only speak like it (pure).

fast-agent takes what the last event holds for the answer, and a tool call that begins and has no end for a broken one.
Servers leave the last event empty, send the text or the arguments in it alone or in pieces alone, give two calls one id
or none, and count places as they like. Here each item is kept as it comes, and the last event holds all of them.
"""

from dataclasses import dataclass, field
from typing import Any

from tasks.text import is_digits
from workers.runtime.streams.output_items import (
    CALLS,
    listed,
    read_ids,
    read_item,
    read_response,
    said,
    text_of,
    text_part,
)

_ENDS = frozenset({"response.completed", "response.done", "response.incomplete"})
_BEGINS = frozenset({"response.created", "response.in_progress", "response.queued"})
_TEXT = "response.output_text."
_REFUSAL = "response.refusal."
_ARGUMENTS = "response.function_call_arguments."
_STEPS = ("response.web_search_call.", "response.tool_search_call.", "response.mcp_call.", "response.mcp_list_tools.")
_PARTS = ("response.content_part.", _TEXT, _REFUSAL, _ARGUMENTS, *_STEPS)
"""Events about an item."""
_SHOWN = CALLS | {"web_search_call", "tool_search_call", "mcp_call", "mcp_list_tools"}
"""Items that fast-agent waits for, once they began."""

_MESSAGE = frozenset({"message"})
_DIGITS = 6
_MOST = 1024
"""Items of one answer that are kept; each event looks for its own among them."""


@dataclass(slots=True)
class _Item:
    """An item as far as it has come."""

    item: dict[str, Any]
    place: int
    index: int | None
    """Its place in the server's words."""
    names: tuple[str, str]
    """Its id and its call's in the server's words."""
    pieces: list[str] = field(default_factory=list[str])
    """Of its text, or of its arguments."""
    whole: str = ""
    """The same in the event that ends them."""
    refusal: str = ""
    done: bool = False
    last: bool = False
    """The last event has it, too."""

    @property
    def text(self) -> str:
        return self.whole or "".join(self.pieces)


class Outputs:
    """One stream's events."""

    def __init__(self) -> None:
        self._kept: list[_Item] = []
        self._ids: set[str] = set()
        self._ended = False
        self._streamed = 0
        """Characters of text that were passed on."""

    def read(self, data: dict[str, Any], kind: str) -> tuple[dict[str, Any], ...]:
        """The events to pass on instead of this one, which is mended in place."""
        if self._ended:
            return ()
        if kind in _ENDS:
            self._ended = True
            return self._end(data, kind)
        if len(self._kept) >= _MOST:
            return ()
        if kind == "response.output_item.added":
            return self._added(data)
        if kind == "response.output_item.done":
            return self._done(data)
        if kind.startswith(_PARTS):
            return self._part_of(data, kind)
        if kind in _BEGINS:
            return (data,) if type(data.get("response")) is dict else ()
        if "delta" in data and not (type(data["delta"]) is str and data["delta"]):
            return ()
        return (data,)

    def _part_of(self, data: dict[str, Any], kind: str) -> tuple[dict[str, Any], ...]:
        if kind.startswith("response.content_part."):
            return self._content_part(data, kind)
        if kind.startswith((_TEXT, _REFUSAL)):
            return self._text(data, kind)
        if kind.startswith(_ARGUMENTS):
            return self._arguments(data, kind)
        kept = self._find(data, None, _SHOWN)
        return () if kept is None else (_placed(data, kept),)

    # -- items

    def _added(self, data: dict[str, Any]) -> tuple[dict[str, Any], ...]:
        item = data.get("item")
        if type(item) is not dict:
            return ()
        index, names = _index(data), _names(item)
        if any(kept.index == index and kept.names == names for kept in self._kept if index is not None or any(names)):
            return ()
        return (_placed(data, self._keep(item, index)),)

    def _keep(self, item: dict[str, Any], index: int | None = None) -> _Item:
        names = _names(item)
        read_item(item)
        read_ids(item, self._ids)
        places = {kept.place for kept in self._kept}
        place = index if index is not None and index not in places else max(places, default=-1) + 1
        kept = _Item(item, place, index, names)
        self._kept.append(kept)
        return kept

    def _done(self, data: dict[str, Any]) -> tuple[dict[str, Any], ...]:
        item = data.get("item")
        if type(item) is not dict:
            return ()
        kept = self._find(data, item, None)
        if kept is None:
            index, names = _index(data), _names(item)
            if any(one.done and one.index == index and one.names == names for one in self._kept):
                return ()
            kept = self._keep(item, index)
        else:
            self._replace(kept, item)
        kept.done = True
        return (_placed(data, kept),)

    def _replace(self, kept: _Item, item: dict[str, Any]) -> None:
        """What came before stays where this has nothing."""
        read_item(item)
        if item["type"] in CALLS:
            for name in ("id", "call_id"):
                item[name] = kept.item[name]
            if not item.get("arguments"):
                item["arguments"] = kept.item.get("arguments") or kept.text
        else:
            read_ids(item, self._ids)
        kept.item = item

    def _find(self, data: dict[str, Any], item: dict[str, Any] | None, kinds: frozenset[str] | None) -> _Item | None:
        """The open item that an event is about."""
        index = _index(data)
        ident, call = (said(data.get("item_id")), "") if item is None else _names(item)
        wanted = kinds if item is None else frozenset({item.get("type")})
        open_ones = [one for one in self._kept if not one.done and (wanted is None or one.item["type"] in wanted)]
        for one in open_ones:
            if index is not None and one.index == index and (ident in one.names or not ident):
                return one
        for one in reversed(open_ones):
            if (index is not None and one.index == index) or (ident and one.names[0] == ident):
                return one
            if index is None and call and one.names[1] == call:
                return one
        return open_ones[-1] if index is None and not ident and not call and open_ones else None

    # -- what they say

    def _text(self, data: dict[str, Any], kind: str) -> tuple[dict[str, Any], ...]:
        name = "delta" if kind.endswith(".delta") else "refusal" if kind.startswith(_REFUSAL) else "text"
        text = data.get(name)
        if type(text) is not str or not text:
            return ()
        kept = self._message(data)
        if kind.startswith(_REFUSAL):
            kept.refusal = text if name == "refusal" else kept.refusal + text
        elif name == "delta":
            kept.pieces.append(text)
            self._streamed += len(text)
        else:
            kept.whole = text
        return (_placed(data, kept),)

    def _message(self, data: dict[str, Any]) -> _Item:
        return self._find(data, None, _MESSAGE) or self._keep({"type": "message", "content": []}, _index(data))

    def _content_part(self, data: dict[str, Any], kind: str) -> tuple[dict[str, Any], ...]:
        part = data.get("part")
        if type(part) is not dict:
            return ()
        if part.get("type") not in {"output_text", "refusal"}:
            return (data,)
        kept = self._message(data)
        if kind.endswith(".done") and type(part.get("text")) is str and not kept.text:
            kept.whole = part["text"]
        return (_placed(data, kept),)

    def _arguments(self, data: dict[str, Any], kind: str) -> tuple[dict[str, Any], ...]:
        kept = self._find(data, None, CALLS)
        if kept is None:
            return ()
        if not kind.endswith(".delta"):
            kept.item["arguments"] = data.get("arguments")
        elif type(data.get("delta")) is str and data["delta"]:
            kept.pieces.append(data["delta"])
        else:
            return ()
        return (_placed(data, kept),)

    # -- the end

    def _end(self, data: dict[str, Any], kind: str) -> tuple[dict[str, Any], ...]:
        response = data.get("response")
        if type(response) is not dict:
            # The response itself, without what it should stand in.
            response = {name: value for name, value in data.items() if name not in {"type", "sequence_number"}}
            data = {"type": kind, "response": response}
        read_response(response, kind)
        last = [item for item in listed(response.get("output")) if type(item) is dict]
        output = [self._last(item) for item in last]
        if response["status"] in {"completed", "incomplete"}:
            self._add_missing(output, empty=not last)
        response["output"] = output
        if response["status"] != "completed":
            return (data,)
        begun = [kept for kept in self._kept if not kept.done and kept.item["type"] in _SHOWN]
        ends = [_placed({"type": "response.output_item.done", "item": kept.item}, kept) for kept in begun]
        return (*ends, *self._unheard(output), data)

    def _last(self, item: dict[str, Any]) -> dict[str, Any]:
        """An item of the last event, with what came before in the place of what it lacks."""
        names, kind = _names(item), item.get("type")
        same = [kept for kept in self._kept if kept.item["type"] == kind and not kept.last]
        kept = (
            next((one for one in same if one.names == names and any(names)), None)
            or next((one for one in same if any(a and a == b for a, b in zip(one.names, names, strict=True))), None)
            or (next(iter(same), None) if not any(names) or kind in CALLS else None)
        )
        if kept is None:
            read_item(item)
            read_ids(item, self._ids)
            return item
        kept.last = True
        self._replace(kept, item)
        return item

    def _add_missing(self, output: list[dict[str, Any]], *, empty: bool) -> None:
        """Items that came, and are not in the last event."""
        for kept in self._kept:
            if kept.last:
                continue
            kind = kept.item["type"]
            if kind in CALLS:
                kept.item["arguments"] = kept.item.get("arguments") or kept.text
                missing = kept.done or bool(kept.item["arguments"])
            elif kind == "message":
                _tell(kept)
                missing = not any(one["type"] == "message" and one["content"] for one in output)
            else:
                missing = empty and kept.done
            if missing and kept.item.get("content", True):
                output.append(kept.item)

    def _unheard(self, output: list[dict[str, Any]]) -> tuple[dict[str, Any], ...]:
        """Text that only the last event has, as a piece: it is shown and counted as other text."""
        text = "".join(text_of(item) for item in output if item["type"] == "message")
        if len(text) <= self._streamed:
            return ()
        place = {"item_id": "message", "output_index": 0, "content_index": 0, "logprobs": []}
        return ({"type": f"{_TEXT}delta", **place, "delta": text[self._streamed :]},)


def _tell(kept: _Item) -> None:
    """Put what came in pieces into their message."""
    content = kept.item["content"]
    if not text_of(kept.item) and kept.text:
        content.append(text_part(kept.text))
    if kept.refusal and not any(part["type"] == "refusal" for part in content):
        content.append({"type": "refusal", "refusal": kept.refusal})


def _index(data: dict[str, Any]) -> int | None:
    value = data.get("output_index")
    if type(value) is str and is_digits(value) and len(value) <= _DIGITS:
        return int(value)
    return value if type(value) is int else None


def _names(item: dict[str, Any]) -> tuple[str, str]:
    return said(item.get("id")), said(item.get("call_id"))


def _placed(data: dict[str, Any], kept: _Item) -> dict[str, Any]:
    """An event about an item, with its place and its id."""
    data["output_index"] = kept.place
    if "item_id" in data or "item" not in data:
        data["item_id"] = kept.item.get("id") or f"item_{kept.place}"
    return data
