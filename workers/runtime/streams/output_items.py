"""Items and responses of OpenAI's Responses API, mended in place: fields of the types that fast-agent reads (pure)."""

from contextlib import suppress
from typing import Any
from uuid import uuid4

CALLS = frozenset({"function_call", "custom_tool_call"})
_COUNTS = {"input_tokens": "prompt_tokens", "output_tokens": "completion_tokens", "total_tokens": "total_tokens"}
"""A name of OpenAI's, and the one that servers of chat completions know."""
_WHOLE = frozenset({"completed", "failed", "cancelled", "incomplete"})


def said(value: Any) -> str:
    """A name or an id; empty where there is none."""
    if type(value) is str:
        return value.strip()
    return str(value) if type(value) is int else ""


def listed(value: Any) -> list[Any]:
    """What should be a list."""
    return value if type(value) is list else [] if value is None else [value]


def read_item(item: dict[str, Any]) -> None:
    """Mend one item of an output. Ids are ``read_ids``'s."""
    kind = item.get("type")
    if type(kind) is not str:
        kind = "message" if "content" in item else "function_call" if "arguments" in item else "reasoning"
        item["type"] = kind
    if kind == "message":
        item["role"] = "assistant"
        item["content"] = [part for one in listed(item.get("content")) if (part := _part(one)) is not None]
    elif kind == "reasoning":
        for name, of in (("summary", "summary_text"), ("content", "reasoning_text")):
            if name == "summary" or item.get(name) is not None:
                item[name] = [part for one in listed(item.get(name)) if (part := _thought(one, of)) is not None]
        if type(item.get("encrypted_content", "")) is not str:
            item["encrypted_content"] = None
    elif kind in CALLS and not said(item.get("name")):
        item["name"] = "tool"
    elif type(item.get("action", {})) is not dict:
        item["action"] = None


def read_ids(item: dict[str, Any], taken: set[str]) -> None:
    """Ids as texts. A call has one of its own: of two that share one, fast-agent would run the first."""
    for name in ("id", "call_id"):
        if name in item and type(item[name]) is not str:
            item[name] = said(item[name]) or None
    if item["type"] not in CALLS:
        return
    if not item.get("call_id") or item["call_id"] in taken:
        item["call_id"] = f"call_{uuid4().hex}"
    taken.add(item["call_id"])
    if not item.get("id") or item["id"] in taken:
        item["id"] = f"fc_{uuid4().hex}"
    taken.add(item["id"])


def text_of(item: dict[str, Any]) -> str:
    """What a message says."""
    return "".join(part["text"] for part in item["content"] if part["type"] == "output_text")


def text_part(text: str) -> dict[str, Any]:
    return {"type": "output_text", "text": text, "annotations": []}


def read_response(response: dict[str, Any], kind: str) -> None:
    """Mend all of a response but its output, by the event that it came with."""
    status = response.get("status")
    if type(status) is not str or status not in _WHOLE:
        response["status"] = "incomplete" if kind == "response.incomplete" else "completed"
    if response["status"] == "completed":
        response["error"] = None
    if type(response.get("incomplete_details")) is not dict:
        response["incomplete_details"] = None
    for name in ("id", "model"):
        if type(response.get(name)) is not str:
            response.pop(name, None)
    response["usage"] = _usage(response.get("usage"))


def _usage(usage: Any) -> dict[str, Any] | None:
    if type(usage) is not dict:
        return None
    for name, other in _COUNTS.items():
        count: Any = usage.get(name, usage.get(other))
        if type(count) is not int:
            usage[name] = 0
            with suppress(TypeError, ValueError, OverflowError):
                usage[name] = int(count)
    for name, part in (("input_tokens_details", "cached_tokens"), ("output_tokens_details", "reasoning_tokens")):
        details = usage.get(name)
        if type(details) is not dict or type(details.get(part, 0)) is not int:
            usage[name] = {part: 0}
    return usage


def _part(part: Any) -> dict[str, Any] | None:
    """A part of a message; None: it says nothing."""
    if type(part) is str:
        return text_part(part)
    if type(part) is not dict:
        return None
    kind = part.get("type")
    if type(kind) is not str or kind == "text":
        part["type"] = kind = "refusal" if "refusal" in part else "output_text"
    if kind == "output_text":
        if type(part.get("text")) is not str:
            return None
        notes = part.get("annotations")
        part["annotations"] = [note for note in listed(notes) if type(note) is dict and type(note.get("type")) is str]
    if kind == "refusal" and not said(part.get("refusal")):
        return None
    return part


def _thought(part: Any, kind: str) -> dict[str, Any] | None:
    text = part.get("text") if type(part) is dict else part
    if type(text) is not str:
        return None
    return part if type(part) is dict and part.get("type") == kind else {"type": kind, "text": text}
