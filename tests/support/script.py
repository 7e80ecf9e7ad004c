"""What the mock model says and how it fails: faults, the journal's entries, and its answers (pure)."""

import json
import re
from dataclasses import dataclass, field
from typing import Any, Literal

HOLD = re.compile(r"HOLD:([\w.-]+)(?:@(\d+))?")
CALL = re.compile(r"CALL:([\w.-]+)")
WORDS = re.compile(r"WORDS:(\d+)")
ROUNDS = re.compile(r"ROUNDS:(\d+)")
STALL = "stall"


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong with requests whose last user text contains ``match`` (all, when empty), ``times`` times.

    ``head``: only with those whose first message contains it.

    ``times`` None: for ever. ``status``: an HTTP error with ``code``, ``message``, ``retry_after`` (seconds).
    ``delay``: seconds before anything else. ``mode``: ``hangup`` (no response), ``hang`` (silence until released),
    ``drop`` (connection broken), ``stall`` (silence until ``POST /release/<name>``), ``truncate`` (clean end, nothing
    finished), ``malformed``: each after ``after`` tokens. ``empty``: no text. ``calls``: tools are called
    again and again. ``reply``: this text instead.
    ``finish``: the finish reason. ``usage``: this count of tokens.
    """

    match: str = ""
    head: str = ""
    times: int | None = 1
    status: int | None = None
    code: str = "mock_error"
    message: str = "mock fault"
    retry_after: float | None = None
    delay: float = 0.0
    mode: Literal["", "hangup", "hang", "drop", "stall", "truncate", "malformed", "empty", "calls"] = ""
    after: int = 1
    name: str = STALL
    reply: str | None = None
    finish: str = "stop"
    usage: dict[str, Any] | None = None


@dataclass(slots=True)
class Entry:
    """One model call as the journal tells it. ``messages``: role and text of each message the model saw.

    ``state``: running | answered | disconnected (the client left before the end) | faulted.
    """

    number: int
    at: float
    model: str
    stream: bool
    messages: list[dict[str, str]]
    tools: list[str]
    last: str
    state: str = "running"
    reply: str = ""
    until: float | None = None

    @property
    def disconnected(self) -> bool:
        return self.state == "disconnected"


@dataclass(slots=True)
class Answer:
    text: str
    calls: list[dict[str, Any]] = field(default_factory=list)
    usage: dict[str, int] = field(default_factory=dict)


def text_of(content: Any) -> str:
    """The text of a message's content: a string, or the text parts joined by newlines."""
    if isinstance(content, list):
        return "\n".join(part.get("text", f"<{part.get('type')}>") for part in content)
    return content or ""


def last_turn(messages: list[dict[str, Any]]) -> tuple[str, list[str]]:
    """The text of the last run of user messages, and the tool results after it."""
    results: list[str] = []
    texts: list[str] = []
    for message in reversed(messages):
        if message["role"] == "user":
            texts.append(text_of(message.get("content")))
        elif texts:
            break
        elif message["role"] == "tool":
            results.append(text_of(message.get("content")))
    return "\n".join(reversed(texts)), results[::-1]


def _asks(last: str, results: int) -> bool:
    """Whether tools are called once more: as often as ``ROUNDS`` says, or once."""
    rounds = ROUNDS.search(last)
    return not results or (rounds is not None and results < int(rounds[1]))


def answer(entry: Entry, fault: Fault, results: list[str]) -> Answer:
    """What the model says to the last user turn, given the results of the tools it called for it."""
    calls: list[dict[str, Any]] = []
    read = 0
    asks = fault.reply is None and (fault.mode == "calls" or _asks(entry.last, len(results)))
    for found in CALL.finditer(entry.last) if asks else ():
        if found.start() < read:
            # Of the tool that a called agent is to call.
            continue
        named = next((tool for tool in entry.tools if tool.endswith(found[1])), found[1])
        rest, arguments, read = entry.last[found.end() :], "{}", found.end()
        if rest.startswith('{"'):
            arguments = rest[: json.JSONDecoder().raw_decode(rest)[1]]
            read += len(arguments)
        function = {"name": named, "arguments": arguments}
        calls.append({"id": f"call_{entry.number}_{len(calls)}", "type": "function", "function": function})
    asked = sum(message["role"] == "user" for message in entry.messages)
    text = f"echo: {entry.last} [n={asked}]" + "".join(f" tool={result}" for result in results)
    more = WORDS.search(entry.last)
    text += "".join(f" word{place}" for place in range(int(more[1]) if more else 0))
    if fault.reply is not None:
        text = fault.reply
    if calls or fault.mode == "empty":
        text = ""
    entry.reply = text
    spent = sum(len(message["text"].split()) for message in entry.messages), len(text.split()) + len(calls)
    usage = {"prompt_tokens": spent[0], "completion_tokens": spent[1], "total_tokens": sum(spent)}
    return Answer(text, calls, usage if fault.usage is None else fault.usage)
