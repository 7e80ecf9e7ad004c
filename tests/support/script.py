"""What the mock model says and how it fails: faults, the journal's entries, and its answers (pure)."""

import json
import re
from base64 import b64decode
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import accumulate
from typing import Any, Literal

HOLD = re.compile(r"HOLD:([\w.-]+)(?:@(\d+))?")
CALL = re.compile(r"CALL:([\w.-]+)|\bTHEN\b")
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

    ``state``: running | answered | disconnected (the client left before the end) | faulted. ``asks``: the tools that
    the answer asks for, with their arguments. ``fault``: what went wrong on purpose.
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
    asks: list[dict[str, str]] = field(default_factory=list)
    fault: str = ""

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
        return "\n".join(part.get("text") or _named(part) for part in content)
    return content or ""


_PICTURE = "data:image/"
_HELD = re.compile(r"(<tg-file [^>]*[^/>])>\n(.*?)\n</tg-file>", re.DOTALL)


def with_marks(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Messages with ``seen=<digest>`` in place of the pictures and text files of people."""
    return [
        {**message, "content": _with_marks(message.get("content"))} if message["role"] == "user" else message
        for message in messages
    ]


def _with_marks(content: Any) -> Any:
    if isinstance(content, list):
        return [_with_mark(part) for part in content]
    return _HELD.sub(lambda found: f"{found[1]}/>\n{mark(found[2].encode())}", content) if content else content


def _with_mark(part: dict[str, Any]) -> dict[str, Any]:
    url = (part.get("image_url") or {}).get("url", "")
    if url.startswith(_PICTURE):
        return {"type": "text", "text": mark(b64decode(url.partition(",")[2]))}
    return {**part, "text": _with_marks(part["text"])} if part.get("text") else part


def mark(body: bytes) -> str:
    """What a file is called by its bytes."""
    return f"seen={sha256(body).hexdigest()[:16]}"


def _named(part: dict[str, Any]) -> str:
    """A part that is no text: its type, and of a sound what a server is told of it, with the beginning of its data."""
    sound = part.get("input_audio")
    return f"<{part.get('type')}>" if sound is None else f"<input_audio {sound['format']} {sound['data'][:40]}>"


def seen(messages: list[dict[str, Any]]) -> list[dict[str, str]]:
    """Role and text of each message; of one that asks for tools, for how many."""
    return [
        {"role": message["role"], "text": text_of(message.get("content"))}
        | ({"asks": str(len(calls))} if (calls := message.get("tool_calls")) else {})
        for message in messages
    ]


_INTRODUCTION = re.compile(r"\A<tg-user [^<>]*/>\n?")
"""Who writes is told once; the words are what is answered."""


def last_turn(messages: list[dict[str, Any]]) -> tuple[str, list[str]]:
    """The text of the last run of user messages, and the tool results after it."""
    results: list[str] = []
    texts: list[str] = []
    for message in reversed(messages):
        if message["role"] == "user":
            texts.append(_INTRODUCTION.sub("", text_of(message.get("content"))))
        elif texts:
            break
        elif message["role"] == "tool":
            results.append(text_of(message.get("content")))
    return "\n".join(reversed(texts)), results[::-1]


def _steps(last: str, tools: list[str]) -> list[list[dict[str, str]]]:
    """The calls that a text orders, step by step (``THEN`` parts two); each with the offered tool's name."""
    steps: list[list[dict[str, str]]] = [[]]
    read = 0
    for found in CALL.finditer(last):
        if found.start() < read:
            # Of the tool that a called agent is to call.
            continue
        if found[1] is None:
            steps.append([])
            continue
        named = next((tool for tool in tools if tool.endswith(found[1])), found[1])
        rest, arguments, read = last[found.end() :], "{}", found.end()
        if rest.startswith('{"'):
            arguments = rest[: json.JSONDecoder().raw_decode(rest)[1]]
            read += len(arguments)
        steps[-1].append({"name": named, "arguments": arguments})
    return steps


def _asked(last: str, tools: list[str], results: int) -> list[dict[str, str]]:
    """The calls to make now: those of the step whose turn it is, or as often as ``ROUNDS`` says, or once."""
    steps = _steps(last, tools)
    if len(steps) > 1:
        starts = accumulate((len(step) for step in steps), initial=0)
        return next((step for step, start in zip(steps, starts, strict=False) if step and start == results), [])
    rounds = ROUNDS.search(last)
    return steps[0] if not results or (rounds is not None and results < int(rounds[1])) else []


def answer(entry: Entry, fault: Fault, results: list[str], ident: str) -> Answer:
    """What the model says to the last user turn, given the results of the tools it called for it.

    ``ident``: the ids of calls begin so.
    """
    entry.fault = fault.mode or ("status" if fault.status else "")
    wanted: list[dict[str, str]] = []
    if fault.reply is None:
        again = fault.mode == "calls"
        wanted = _steps(entry.last, entry.tools)[0] if again else _asked(entry.last, entry.tools, len(results))
    entry.asks = wanted
    calls = [{"id": f"{ident}_{place}", "type": "function", "function": one} for place, one in enumerate(wanted)]
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
