"""Marks arguments of tool calls that cannot be read: the tool is not run, and its result tells the model why.

Without this, OpenAI's chat provider runs the tool with what it could read, and the others end the turn.
"""

import json
from typing import Any

from pydantic_core import from_json

from tasks.text import clean, cleaned

UNREADABLE = "unreadable_arguments"
"""The only argument of such a call; its value is the beginning of what the model wrote, so that it sees its mistake."""
_SHOWN = 1000
_WITHIN = "[" * 16 + "{}" + "]" * 16


def is_unreadable(arguments: Any) -> bool:
    """Whether a call's arguments are the mark that ``checked`` left."""
    return type(arguments) is dict and arguments.keys() == {UNREADABLE}


def checked(raw: Any) -> str:
    """A JSON object: the arguments as the model wrote them, or the mark. No arguments at all are an empty object."""
    if raw is None or (type(raw) is str and raw.strip() in {"", "null"}):
        return "{}"
    try:
        # Line ends within a text are what models forget to escape; nothing is unclear about them.
        read = json.loads(raw, strict=False) if type(raw) is str else raw
        whole = json.dumps(cleaned(read)) if type(read) is dict else None
        # The readers behind this one go less deep, and have it within a message.
        if whole is not None and from_json(_WITHIN.format(whole)):
            return whole
    except (ValueError, RecursionError):
        pass
    return json.dumps({UNREADABLE: clean(_written(raw)[:_SHOWN])})


def _written(raw: Any) -> str:
    try:
        return raw if type(raw) is str else str(raw)
    except RecursionError:
        return "nested too deep"


class Arguments:
    """Arguments in one stream's events, checked."""

    def __init__(self) -> None:
        self._blocks: dict[Any, list[str]] = {}

    def read(self, event: dict[str, Any]) -> tuple[dict[str, Any], ...]:
        """The events to pass on instead of this one.

        Anthropic's client reads a call's arguments from the start at every piece of them, and raises at the first that
        does not fit; so they are passed on whole.
        """
        match event.get("type"):
            case "content_block_delta" if _is_piece(event):
                self._blocks.setdefault(event.get("index"), []).append(event["delta"]["partial_json"])
                return ()
            case "content_block_stop" if event.get("index") in self._blocks:
                whole = checked("".join(self._blocks.pop(event["index"])))
                delta = {"type": "input_json_delta", "partial_json": whole}
                return {"type": "content_block_delta", "index": event["index"], "delta": delta}, event
            case "response.function_call_arguments.done":
                event["arguments"] = checked(event.get("arguments"))
            case "response.output_item.done":
                _check_item(event.get("item"))
            case "response.completed" | "response.incomplete":
                response: Any = event.get("response")
                output: Any = response.get("output") if type(response) is dict else None
                for item in output if type(output) is list else ():
                    _check_item(item)
            case _:
                _check_candidates(event.get("candidates"))
        return (event,)


def _is_piece(event: dict[str, Any]) -> bool:
    delta: Any = event.get("delta")
    return type(delta) is dict and type(delta.get("partial_json")) is str


def _check_item(item: Any) -> None:
    if type(item) is dict and item.get("type") == "function_call":
        item["arguments"] = checked(item.get("arguments"))


def _check_candidates(candidates: Any) -> None:
    """Google sends arguments as JSON, not as a text with JSON in it."""
    for candidate in candidates if type(candidates) is list else ():
        content: Any = candidate.get("content") if type(candidate) is dict else None
        parts: Any = content.get("parts") if type(content) is dict else None
        for part in parts if type(parts) is list else ():
            call: Any = part.get("functionCall") if type(part) is dict else None
            if type(call) is dict and "args" in call:
                call["args"] = json.loads(checked(call["args"]))
