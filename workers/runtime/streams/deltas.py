"""Events of a stream as OpenAI sends them, made of those of servers that only speak like them (pure).

Mistral's reasoning models send a list of parts as content. Google's server for OpenAI's protocol gives calls of tools
no index, others give each of them index 0, and ids or arguments that are no text. Some have a role of their own, a null
among the choices, or the one call of the older protocol (``function_call``). Unread, these fail a turn or lose the
calls.
"""

import json
from typing import Any

_THOUGHTS = frozenset({"thinking", "reasoning"})
_THOUGHTS_IN = (("reasoning_content", (str, list)), ("reasoning", (str, list, dict)))
"""Where servers send them, and the types that fast-agent reads there."""


class Deltas:
    """One stream's events."""

    def __init__(self) -> None:
        self._place: dict[Any, int] = {}
        self._ids: dict[int, str] = {}
        self._given: dict[int, str] = {}
        self._taken: set[str] = set()
        self._next = 0

    def read(self, data: dict[str, Any]) -> None:
        """Mend an event in place; one that is as it should be costs a look."""
        choices = data.get("choices")
        if type(choices) is list and len(choices) == 1 and type(choices[0]) is dict and "delta" in choices[0]:
            delta = choices[0]["delta"]
        else:
            delta = None
        if type(delta) is not dict and (delta := _delta(data)) is None:
            return
        if delta.get("role") not in (None, "assistant"):
            # Google's word is "model", and OpenAI's own for a delta is always this.
            delta["role"] = "assistant"
        if "function_call" in delta:
            _read_function_call(delta)
        content = delta.get("content")
        if content is not None and type(content) is not str:
            _read_content(delta, content)
        for name, known in _THOUGHTS_IN:
            if (thought := delta.get(name)) is not None and type(thought) not in known:
                delta[name] = _text(thought)
        if delta.get("tool_calls") is not None:
            self._read_calls(delta)

    def _read_calls(self, delta: dict[str, Any]) -> None:
        given = delta["tool_calls"]
        calls = [call for call in (given if type(given) is list else [given]) if type(call) is dict]
        for call in calls:
            if call.get("id") is not None:
                call["id"] = str(call["id"])
            function: Any = call.get("function")
            if type(function) is dict:
                arguments = function.get("arguments")
                if arguments is not None and type(arguments) is not str:
                    function["arguments"] = json.dumps(arguments)
            call["index"] = self._index(call, function)
        delta["tool_calls"] = calls or None

    def _index(self, call: dict[str, Any], function: Any) -> int:
        """Which call a piece belongs to: one with a name and another id begins a call, whatever index it says."""
        said = call.get("index") if isinstance(call.get("index"), int | str) else None
        number = self._place.get(said)
        ident = call.get("id") or ""
        named = type(function) is dict and bool(function.get("name"))
        known = "" if number is None else self._ids[number]
        if number is None or (named and ident and known and ident != known):
            number = said if type(said) is int and said not in self._ids else self._next
            self._next = max(self._next, number + 1)
            self._place[said], known = number, ""
            if named:
                self._begin(call, number, ident)
        self._ids[number] = known or ident
        if ident:
            call["id"] = self._given.setdefault(number, ident)
        return number

    def _begin(self, call: dict[str, Any], number: int, ident: str) -> None:
        """Give a call an id of its own: fast-agent keeps one call an id, and of two that share one it would run one."""
        given = ident if ident and ident not in self._taken else f"call{number:05}"
        self._given[number] = call["id"] = given
        self._taken.add(given)


def _delta(data: dict[str, Any]) -> dict[str, Any] | None:
    """The first choice's delta; what is no choice is left out."""
    choices = data.get("choices")
    if not choices:
        return None
    if type(choices) is not list:
        choices = [choices]
    if data["choices"] is not choices or any(type(choice) is not dict for choice in choices):
        data["choices"] = choices = [choice for choice in choices if type(choice) is dict]
        if not choices:
            return None
    choice = choices[0]
    delta = choice.get("delta")
    if delta is None and type(choice.get("message")) is dict:
        delta = choice["delta"] = choice.pop("message")
    elif delta is not None and type(delta) is not dict:
        delta = choice["delta"] = {"content": delta}
    return delta


def _read_function_call(delta: dict[str, Any]) -> None:
    """The one call that OpenAI's protocol had before there were several, as one of several."""
    call = delta.pop("function_call")
    if type(call) is dict and call and delta.get("tool_calls") is None:
        delta["tool_calls"] = [{"index": "function_call", "type": "function", "function": call}]


def _read_content(delta: dict[str, Any], content: Any) -> None:
    """Parts as one text, and what the model thought as a reasoning model's thoughts."""
    said, thought = "", ""
    for part in content if type(content) is list else [content]:
        if type(part) is dict and part.get("type") in _THOUGHTS:
            thought += _text(part.get(part["type"]) or part.get("text"))
        else:
            said += _text(part)
    delta["content"] = said
    if thought and not delta.get("reasoning_content"):
        delta["reasoning_content"] = thought


def _text(part: Any) -> str:
    if type(part) is str:
        return part
    if type(part) is list:
        return "".join(map(_text, part))
    if type(part) is dict:
        text = part.get("text")
        return text if type(text) is str else ""
    return str(part) if type(part) in (int, float) else ""
