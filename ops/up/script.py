"""What the scripted stand-in says: a short play for the card `concierge` (pure). No model is asked, and it says so."""

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

ELSEWHERE = (
    "I'm a script, not a model, and I know one play: choose /agent concierge and ask for a table to see how an agent "
    "asks you."
)
HELP = (
    "I'm a script, not a model. Ask me to book a table: I'll ask for how many and when, and I'll book it only if you "
    "allow that."
)
NOTHING = "All right, I haven't booked anything."
ASK, LOOK, BOOK = "ask_user", "free_tables", "book_table"
_WANTED = re.compile(r"\b(table|book|reserv|dinner|tisch|mesa|столик)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Line:
    """What the stand-in answers: ``text``, or the call of a tool."""

    text: str = ""
    tool: str = ""
    arguments: Mapping[str, Any] = field(default_factory=dict[str, Any])


def next_line(messages: Sequence[Mapping[str, Any]], tools: Collection[str]) -> Line:
    """The play's next line.

    Args:
        messages: The conversation, as OpenAI's protocol has it.
        tools: Names of the tools that the agent has.
    """
    if not {ASK, LOOK, BOOK} <= set(tools):
        return Line(ELSEWHERE)
    asked = max((place for place, message in enumerate(messages) if message.get("role") == "user"), default=-1)
    results = [_text(message) for message in messages[asked + 1 :] if message.get("role") == "tool"]
    if not results and not _WANTED.search(_text(messages[asked]) if asked >= 0 else ""):
        return Line(HELP)
    return _play(results)


def _play(results: Sequence[str]) -> Line:
    """``results``: what the tools have given since the person's last message."""
    match results:
        case []:
            return _question("For how many people?", ["2", "4", "6"])
        case [people] if _number(people):
            return Line(tool=LOOK, arguments={"people": _number(people)})
        case [_, times] if re.fullmatch(r"\d\d:\d\d(, \d\d:\d\d)*", times):
            return _question("At what time?", times.split(", "))
        case [people, times, time] if time in times.split(", "):
            return Line(tool=BOOK, arguments={"people": _number(people), "time": time})
        case [_, _, _, booked] if booked.startswith("Booked"):
            return Line(booked)
        case [_, problem] if problem.startswith("No table"):
            return Line(problem)
        case _:
            return Line(NOTHING)


def _number(words: str) -> int:
    found = re.search(r"\d{1,2}", words)
    return int(found[0]) if found else 0


def _question(question: str, choices: list[str]) -> Line:
    return Line(tool=ASK, arguments={"question": question, "choices": choices})


def _text(message: Mapping[str, Any]) -> str:
    content = message.get("content")
    if isinstance(content, list):
        return "\n".join(str(part.get("text", "")) for part in content if isinstance(part, Mapping)).strip()
    return str(content or "").strip()


def chunks(line: Line, ident: str) -> list[str]:
    """The events of a streamed answer in OpenAI's protocol, one for each word."""
    deltas: list[dict[str, Any]] = [{"content": word} for word in re.findall(r"\S+\s*", line.text)]
    if line.tool:
        call = {"name": line.tool, "arguments": json.dumps(line.arguments)}
        deltas = [{"tool_calls": [{"index": 0, "id": ident, "type": "function", "function": call}]}]
    deltas[0] = {"role": "assistant", **deltas[0]}
    ended = "tool_calls" if line.tool else "stop"
    choices: list[dict[str, Any]] = [{"index": 0, "delta": delta, "finish_reason": None} for delta in deltas]
    choices.append({"index": 0, "delta": {}, "finish_reason": ended})
    events: list[dict[str, Any]] = [{"choices": [choice]} for choice in choices]
    # Nothing is counted, because nothing was computed.
    events.append({"choices": [], "usage": {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}})
    common = {"id": ident, "object": "chat.completion.chunk", "created": 0, "model": "script"}
    return [f"data: {json.dumps(common | event)}\n\n" for event in events] + ["data: [DONE]\n\n"]
