"""Entries of a turn's journal: what a step was and what it gave, as bytes and back (pure)."""

import json
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, Self

from fast_agent.types import PromptMessageExtended
from mcp_types import CallToolResult

from tasks.text import cleaned
from workers.runtime.conversation.history import PASSING_CHANNELS
from workers.usage import Usage

LARGEST = 256 * 1024
"""Bytes of a result that stands in the journal; a larger one stands in a file of the session's directory."""

WHOLE = 2 * 1024 * 1024
"""Bytes of a journal from which on results above ``SMALL`` stand in files: Redis holds one for each turn that runs."""
SMALL = 4 * 1024
FILES = 64 * 1024
"""Characters of files, as Base64, that stand in a journal; a result with more goes to a file."""
_BYTES = ("data", "blob")

_DEFLATED = b"z"
_DEFLATE_FROM = 2_048
_ASKED = {"role", "content", "tool_calls", "tool_results"}
"""Of a message, what a model is given of it."""


class Damaged(ValueError):  # noqa: N818 - a state
    """An entry that this release did not write."""


@dataclass(frozen=True, slots=True)
class Result:
    """What a tool call gave. ``result`` None: it ended, and what it gave stands in ``file`` (a digest) or nowhere."""

    result: CallToolResult | None
    file: str = ""


@dataclass(slots=True)
class Kept:
    """A journal, read: steps by their keys."""

    models: dict[str, PromptMessageExtended] = field(default_factory=dict[str, PromptMessageExtended])
    within: dict[str, str] = field(default_factory=dict[str, str])
    """A model call -> the keys of the tool calls that it ran inside of."""
    agents: dict[str, str] = field(default_factory=dict[str, str])
    """A model call -> the agent that made it."""
    steered: dict[int, list[str]] = field(default_factory=dict[int, list[str]])
    """A model call of the lead, by its number -> the messages that joined the turn before it, as JSON."""
    begun: Counter[str] = field(default_factory=Counter[str])
    """How often each call was begun."""
    results: dict[str, Result] = field(default_factory=dict[str, Result])
    files: int = 0
    """Characters of the files in them."""

    @classmethod
    def read(cls, entries: Iterable[bytes]) -> Self:
        """Read them.

        Raises:
            Damaged: this release did not write one of them.
        """
        kept = cls()
        try:
            for entry in entries:
                kept._take(json.loads(zlib.decompress(entry[1:]) if entry[:1] == _DEFLATED else entry))
        except (ValueError, KeyError, TypeError, zlib.error, RecursionError) as problem:
            raise Damaged(type(problem).__name__) from problem
        return kept

    def _take(self, entry: Mapping[str, Any]) -> None:
        key = entry["key"]
        match entry["k"]:
            case "model":
                self.models[key] = PromptMessageExtended.model_validate(entry["message"])
                self.within[key] = entry.get("within", "")
                self.agents[key] = entry.get("agent", "")
            case "steered":
                self.steered[int(key)] = [str(message) for message in entry["messages"]]
            case "begun":
                self.begun[key] += 1
            case "result":
                raw = entry.get("result")
                result = None if raw is None else CallToolResult.model_validate(raw)
                self.results[key] = Result(result, entry.get("file", ""))
                self.files += files_in(result) if result is not None else 0
            case kind:
                raise Damaged(str(kind))

    def takes(self, result: CallToolResult, raw: bytes, steps: Sequence[bytes]) -> bool:
        """Whether a result stands in the journal of these steps as it is; else it goes to a file."""
        room = WHOLE - sum(map(len, steps))
        files = files_in(result)
        if len(raw) > min(LARGEST, max(room, SMALL)) or self.files + files > FILES:
            return False
        self.files += files
        return True


def model_entry(key: str, agent: str, within: str, message: PromptMessageExtended, used: Usage) -> bytes:
    """A model call that ended. ``used`` is for people: what it cost was counted with it."""
    channels = {name: blocks for name, blocks in (message.channels or {}).items() if name not in PASSING_CHANNELS}
    slim = message.model_copy(update={"channels": channels or None})
    cost = [used.input_tokens, used.output_tokens, used.model]
    return _entry("model", key, {"agent": agent, "within": within, "used": cost, "message": _plain(slim)})


def steered_entry(number: int, messages: Sequence[str]) -> bytes:
    """Messages (JSON) that joined the turn before a model call."""
    return _entry("steered", str(number), {"messages": list(messages)})


def begun_entry(key: str, tool: str) -> bytes:
    """A tool call that is about to begin."""
    return _entry("begun", key, {"tool": tool})


def result_entry(key: str, seconds: float, result: Any = None, *, file: str = "") -> bytes:
    """A tool call that ended, with what ``plain_result`` gave, or where that stands."""
    what = {"file": file} if file else {} if result is None else {"result": result}
    return _entry("result", key, {"seconds": round(seconds, 3), **what})


def plain_result(result: CallToolResult) -> tuple[Any, bytes]:
    """A result as JSON takes it, and its bytes."""
    plain = _plain(result)
    return plain, _json(plain)


def files_in(result: CallToolResult) -> int:
    """Characters of the files in a result, also of those that stand in notes on attached files."""
    found = 0
    for block in result.content:
        for holder in (block, getattr(block, "resource", None)):
            found += sum(len(getattr(holder, name, None) or "") for name in _BYTES)
        notes = (note for note in (block.meta or {}).values() if isinstance(note, Mapping))
        found += sum(len(str(note.get("data") or "")) for note in notes)
    return found


def result_in(raw: bytes) -> CallToolResult:
    """The result in a file.

    Raises:
        ValueError: it is none.
    """
    return CallToolResult.model_validate_json(raw)


def digest(raw: bytes) -> str:
    """Of what is larger than a key should be."""
    return blake2b(raw, digest_size=16).hexdigest()


def digest_of(messages: Sequence[PromptMessageExtended], form: str) -> str:
    """Of what a model is asked: the conversation, and the form that its answer is to have.

    Not of the instruction, the tools and the model's name: a new day's date must not undo what was finished.
    """
    found = blake2b(form.encode(), digest_size=16)
    for message in messages:
        found.update(_json(_plain(message, _ASKED)))
        found.update(b"\0")
    return found.hexdigest()


def key_of(*parts: str) -> str:
    """The name of a step, made of what it is; no two lists of parts have the same one."""
    return blake2b(json.dumps(parts).encode(), digest_size=12).hexdigest()


def written(arguments: Mapping[str, Any] | None) -> str:
    """A call's arguments, in one way of writing."""
    return json.dumps(arguments or {}, sort_keys=True, default=str)


def _plain(value: Any, include: set[str] | None = None) -> Any:
    try:
        return value.model_dump(mode="json", by_alias=True, exclude_none=True, include=include)
    except (ValueError, TypeError):
        # Half of a pair, in what a tool gave.
        return cleaned(json.loads(json.dumps(value.model_dump(by_alias=True, exclude_none=True), default=str)))


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")


def _entry(kind: str, key: str, fields: Mapping[str, Any]) -> bytes:
    raw = _json({"k": kind, "key": key, **fields})
    # Speed matters more than the last percent.
    return raw if len(raw) < _DEFLATE_FROM else _DEFLATED + zlib.compress(raw, 1)
