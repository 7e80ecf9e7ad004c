"""How much a model may say in one turn: an answer without end would fill a worker and hold up its other chats.

The text, the reasoning, and the arguments of tool calls are counted apart, over all model calls of a turn. The call
that goes over its allowance is ended at its stream; what it said until then stays.
"""

from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

TEXT, REASONING, ARGUMENTS = "text", "reasoning", "arguments"

CALLS_KEPT = 256
"""Tool calls of one answer that are read; the model is told of those. Providers send a few dozen at most."""

ANSWER_MAX = 200_000
"""Characters, where no setting says otherwise."""
CHARACTERS_A_TOKEN = 4
"""By which a call that was cut is charged: its provider tells no count."""


_ESCAPED = 12
"""Bytes of JSON that one character may take: two escaped surrogates."""
_DEEPEST = 200
_ENVELOPE = 8 * 2**20
"""Bytes of one event, or of a body, that may be something else than the answer."""


class AnswerCut(BaseException):
    """The answer reached its allowance. No ``Exception``: clients and fast-agent would take it for a fault."""


def allowance(characters: int | None = None) -> dict[str, int]:
    """What one turn may say of each kind."""
    return dict.fromkeys((TEXT, REASONING, ARGUMENTS), characters or limits["answer"])


limits = {"answer": ANSWER_MAX}
"""``answer``: set by ``instances.install``, from the settings."""


def longest() -> int:
    """Bytes of an event, or of a body, that an answer within its allowance can have."""
    return limits["answer"] * _ESCAPED + _ENVELOPE


@dataclass(slots=True)
class Meter:
    """Takes one model call's events from the turn's allowance."""

    left: dict[str, int]
    """Characters of each kind that the turn may still have."""
    said: list[str] = field(default_factory=list[str])
    """The text so far."""
    over: bool = False
    """The allowance is used up."""
    taken: int = 0
    """Characters of every kind: a call that was cut states no count of tokens, and is charged by these."""
    wait: float = 0.0
    """Seconds until the server wants to be asked again, where it refused."""
    status: int | None = None
    """The HTTP status that an error within a stream stands for."""
    pictures: int = 0
    """Pictures that were taken of the stream."""
    uncounted: tuple[int, int] = (0, 0)
    """Tokens in and out that the provider's count of the call leaves out (``streams.pictures``)."""
    skipped: set[Any] = field(default_factory=set[Any])
    calls: int = 0

    def take(self, event: dict[str, Any]) -> bool:
        """Count an event of a stream, and shorten it where it exceeds the allowance.

        Returns:
            Whether to pass the event on.
        """
        if "choices" in event:
            # Most events are of this kind, a word each.
            choices = event["choices"]
            for choice in choices if type(choices) is list else ():
                if type(choice) is dict and type(delta := choice.get("delta")) is dict:
                    self._delta(delta)
            return True
        if self._beyond(event):
            self._spend(ARGUMENTS, 1)
            return False
        for holder, name, kind in _texts(event):
            self._one(holder, name, kind)
        return True

    def _delta(self, delta: dict[str, Any]) -> None:
        """A piece of a chat completion."""
        if (given := delta.get("tool_calls")) is not None and (calls := _list(given)):
            kept = [call for call in calls if _place(call.get("index")) < CALLS_KEPT]
            self._spend(ARGUMENTS, len(calls) - len(kept))
            delta["tool_calls"] = kept[:CALLS_KEPT]
        for name, value in delta.items():
            if name == "content" and type(value) is str:
                if len(value) > self.left[TEXT]:
                    self._one(delta, name, TEXT)
                else:
                    # Most pieces are such a word: no call for each.
                    self.taken += len(value)
                    self.left[TEXT] -= len(value)
                    self.said.append(value)
            elif value is not None:
                for holder, part, kind in _chat_texts(delta, name, value):
                    self._one(holder, part, kind)

    def text(self, text: str) -> str:
        """Count a text that no stream brought, and shorten it."""
        holder = [text]
        self._one(holder, 0, TEXT)
        return holder[0]

    def _one(self, holder: Any, name: Any, kind: str) -> None:
        text: str = holder[name]
        fits = self.left[kind]
        if len(text) > fits:
            text = holder[name] = text[:fits]
            self.over = True
        self._spend(kind, len(text))
        if kind == TEXT:
            self.said.append(text)

    def _spend(self, kind: str, count: int) -> None:
        self.taken += count
        self.left[kind] -= count
        self.over = self.over or self.left[kind] < 0

    def _beyond(self, event: dict[str, Any]) -> bool:
        """Whether an event belongs to a tool call beyond those that are read; a list of calls loses the rest."""
        for candidate in _list(event.get("candidates")):
            content = _dict(candidate.get("content"))
            if len(_list(content.get("parts"))) > CALLS_KEPT:
                del content["parts"][CALLS_KEPT:]
        response = _dict(event.get("response"))
        if len(_list(response.get("output"))) > CALLS_KEPT:
            del response["output"][CALLS_KEPT:]
        return self._is_skipped(event)

    def _is_skipped(self, event: dict[str, Any]) -> bool:
        kind = event.get("type")
        if kind == "content_block_start":
            self.calls += _dict(event.get("content_block")).get("type") == "tool_use"
            # Clients count blocks: one that is left out takes all after it along.
            if self.calls > CALLS_KEPT:
                self.skipped.add(event.get("index"))
        elif kind == "response.output_item.added":
            self.calls += _dict(event.get("item")).get("type") in {"function_call", "custom_tool_call"}
            if self.calls > CALLS_KEPT:
                self.skipped.add(event.get("output_index"))
        place = event.get("index", event.get("output_index"))
        return bool(self.skipped) and place in self.skipped


metering: ContextVar[Meter | None] = ContextVar("metering", default=None)
"""Set around one model call of a turn."""


def _dict(value: Any) -> dict[str, Any]:
    return value if type(value) is dict else {}


def _place(value: Any) -> int:
    """An index, which some servers write as a text."""
    return int(value) if type(value) is int or (type(value) is str and value.isdecimal()) else 0


def _list(value: Any) -> list[Any]:
    """The objects of a list that has nothing else in it."""
    if type(value) is not list:
        return []
    for item in value:
        if type(item) is not dict:
            return []
    return value


def _texts(event: dict[str, Any]) -> Iterator[tuple[Any, Any, str]]:
    """Where an event of any provider holds what its model says: the holder, the place in it, and the kind."""
    if "candidates" in event:
        for candidate in _list(event["candidates"]):
            for part in _list(_dict(candidate.get("content")).get("parts")):
                if type(part.get("text")) is str:
                    yield part, "text", REASONING if part.get("thought") else TEXT
                yield from _leaves(_dict(part.get("functionCall")), "args", ARGUMENTS)
    elif type(event.get("type")) is str:
        yield from _typed_texts(event, event["type"])


def _chat_texts(delta: Any, name: str, value: Any) -> Iterator[tuple[Any, Any, str]]:
    """OpenAI's chat completions and whatever is like them."""
    if name in {"tool_calls", "function_call"}:
        for call in _list(value) or [_dict(value)]:
            function = _dict(call.get("function")) or call
            for holder, part in ((function, "arguments"), (function, "name"), (call, "id")):
                if type(holder.get(part)) is str:
                    yield holder, part, ARGUMENTS
    elif name in {"content", "refusal"}:
        yield from _leaves(delta, name, TEXT)
    elif name.startswith(("reasoning", "thinking")):
        yield from _leaves(delta, name, REASONING)


def _typed_texts(event: dict[str, Any], kind: str) -> Iterator[tuple[Any, Any, str]]:
    """Anthropic's events and those of OpenAI's responses."""
    delta = event.get("delta")
    if kind == "content_block_start":
        block = _dict(event.get("content_block"))
        for name, of in (("text", TEXT), ("thinking", REASONING)):
            if type(block.get(name)) is str:
                yield block, name, of
    elif kind == "content_block_delta":
        names = (("text", TEXT), ("thinking", REASONING), ("signature", REASONING), ("partial_json", ARGUMENTS))
        for name, of in names:
            if type(_dict(delta).get(name)) is str:
                yield delta, name, of
    elif type(delta) is str:
        of = ARGUMENTS if "arguments" in kind or "input" in kind else REASONING if "reasoning" in kind else TEXT
        yield event, "delta", of


def _leaves(holder: Any, name: Any, kind: str, depth: int = 0) -> Iterator[tuple[Any, Any, str]]:
    """Every text of a value; what is nested too deep for its client is that one's to refuse."""
    if depth > _DEEPEST:
        return
    value = holder[name] if type(holder) is list else holder.get(name)
    if type(value) is str:
        yield holder, name, kind
    elif type(value) is list:
        for place in range(len(value)):
            yield from _leaves(value, place, kind, depth + 1)
    elif type(value) is dict:
        for key in value.keys() - {"type", "id"}:
            yield from _leaves(value, key, kind, depth + 1)
