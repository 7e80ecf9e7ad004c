"""Google's events, made of those of servers that only speak like it (pure).

Its client refuses an event as a whole for one field that is not as it should be: a note on safety costs the answer.
"""

import re
from typing import Any

_NOTES = {
    "safetyRatings": list,
    "groundingMetadata": dict,
    "citationMetadata": dict,
    "urlContextMetadata": dict,
    "logprobsResult": dict,
    "avgLogprobs": float,
    "tokenCount": int,
    "index": int,
    "finishMessage": str,
}
"""What a candidate has beside its words, and what that is where it can be read."""

_BASE64 = re.compile(r"(?:[A-Za-z0-9+/_-]{4})*(?:[A-Za-z0-9+/_-]{2}==|[A-Za-z0-9+/_-]{3}=)?")


class Candidates:
    """One stream's events."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def read(self, data: dict[str, Any]) -> None:
        """Mend an event in place; one that is as it should be costs a look."""
        if "candidates" in data:
            data["candidates"] = candidates = _objects(data["candidates"])
            for candidate in candidates:
                _read_candidate(candidate)
                for part in (candidate.get("content") or {}).get("parts") or ():
                    if part.get("functionCall") is not None:
                        self._read_call(part, part["functionCall"])
        if "usageMetadata" in data:
            _read_counts(data, data["usageMetadata"])

    def _read_call(self, part: dict[str, Any], call: Any) -> None:
        if type(call) is not dict:
            del part["functionCall"]
            return
        if call.get("name") is not None:
            call["name"] = str(call["name"])
        if call.get("id") is None:
            return
        call["id"] = str(call["id"])
        # A piece of a call that goes on has no name.
        if call.get("name") and call["id"] in self._taken:
            # fast-agent keeps one call an id, and gives one to a call that has none.
            del call["id"]
        else:
            self._taken.add(call["id"])


def _read_counts(data: dict[str, Any], counts: Any) -> None:
    if type(counts) is not dict:
        del data["usageMetadata"]
        return
    for name in [name for name in counts if name.endswith("TokenCount") and type(counts[name]) is not int]:
        value = counts.pop(name)
        if type(value) is float and value.is_integer():
            counts[name] = int(value)


def _objects(value: Any) -> list[Any]:
    given = value if type(value) is list else [value]
    return [one for one in given if type(one) is dict]


def _read_candidate(candidate: dict[str, Any]) -> None:
    for name, of in _NOTES.items():
        value = candidate.get(name)
        if value is not None and type(value) is not of and not (of is float and type(value) is int):
            del candidate[name]
    if type(candidate.get("safetyRatings")) is list:
        candidate["safetyRatings"] = _objects(candidate["safetyRatings"])
    reason = candidate.get("finishReason")
    if reason is not None and type(reason) is not str:
        # It ended, and why cannot be read.
        candidate["finishReason"] = "STOP" if reason else None
    content = candidate.get("content")
    if type(content) is str:
        candidate["content"] = content = {"parts": [content]}
    elif content is not None and type(content) is not dict:
        candidate["content"] = content = None
    if content and content.get("parts") is not None:
        _read_parts(content)


def _read_parts(content: dict[str, Any]) -> None:
    given = content["parts"]
    given = given if type(given) is list else [given]
    content["parts"] = parts = _objects([{"text": part} if type(part) is str else part for part in given])
    for part in parts:
        text = part.get("text")
        if text is not None and type(text) is not str:
            part["text"] = str(text) if type(text) in (int, float) else ""
        if part.get("thought") is not None and type(part["thought"]) is not bool:
            del part["thought"]
        if part.get("thoughtSignature") is not None and not _is_base64(part["thoughtSignature"]):
            del part["thoughtSignature"]


def _is_base64(value: Any) -> bool:
    return type(value) is str and _BASE64.fullmatch(value) is not None
