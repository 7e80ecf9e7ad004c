"""The marks by which models tell what they think from what they say, where both come as one text (pure)."""

import re
from dataclasses import dataclass
from typing import Literal

_NAMES = frozenset(
    (
        *("think", "thinking", "thought", "thoughts", "reasoning", "reflection", "scratchpad"),
        *("antthinking", "seed:think", "reasoning_scratchpad", "chain_of_thought"),
    )
)
"""Of tags. Most models have ``think``; Claude ``thinking`` when it is told so; Gemini ``thought``."""
_ANSWERS = frozenset(("answer", "response", "output", "final", "final_answer"))
"""Of tags around an answer that comes behind thoughts: Hunyuan, Granite, Reflection."""
_PAIRS = {
    "[think]": "[/think]",
    "◁think▷": "◁/think▷",
    "<|start_thinking|>": "<|end_thinking|>",
    "<|begin_of_thought|>": "<|end_of_thought|>",
    "<|inner_prefix|>": "<|inner_suffix|>",
    "<|channel>": "<channel|>",
}
"""Magistral, Kimi, Command, Sky-T1, Apertus, Gemma."""
_ANSWER_PAIRS = {
    "<|start_response|>": "<|end_response|>",
    "<|start_text|>": "<|end_text|>",
    "<|begin_of_solution|>": "<|end_of_solution|>",
}
_CLOSING = frozenset(_PAIRS.values())
_ENDS = frozenset(
    (
        *("<|return|>", "<|end|>", "<|call|>", "<|im_end|>", "<|eot_id|>", "<|endoftext|>", "<|end_of_text|>"),
        *("<end_of_turn>", "<|end_of_turn|>", "<|eot|>", "<|end_response|>", "<|end_text|>"),
        "<｜end▁of▁sentence｜>",
    )
)
"""What ends an answer, from servers that do not take it off."""
HEADER = ("<|channel|>", "<|start|>")
"""What gpt-oss begins a message with."""
MESSAGE = "<|message|>"
"""What it ends the header with."""
LONGEST = 80
"""Characters of a mark, and of the header before ``MESSAGE``."""

_TAG = re.compile(r"<\s*\|?\s*(/?)\s*\|?\s*([\w:]+)(?:\s+\w+\s*=[^<>]*)?\s*\|?\s*>")
_MARK = re.compile(rf"<[^<>\n]{{0,{LONGEST}}}>|\[/?think\]|◁/?think▷", re.IGNORECASE)
_BEGUN = re.compile(
    rf"(?:<[^<>\n]{{0,{LONGEST}}}|\[/?(?:t(?:h(?:i(?:nk?)?)?)?)?|◁/?(?:t(?:h(?:i(?:nk?)?)?)?)?)\Z", re.IGNORECASE
)
BARE = re.compile(r"analysis(?=[A-Z])")
"""gpt-oss's marks without what tells that they are marks, from servers that drop that: at an answer's beginning."""
BARE_END = "assistantfinal"

type MarkKind = Literal["opens", "closes", "header", "wraps", "unwraps", "ends", ""]


@dataclass(frozen=True, slots=True)
class ThoughtMark:
    """What a mark does."""

    kind: MarkKind
    """What it is to the text around it.

    - ``opens``, ``closes``: thoughts.
    - ``wraps``, ``unwraps``: an answer.
    - ``ends``: all of it.
    - ``""``: it is text.
    """
    name: str = ""
    """Of what it opens or closes."""


def mark_at(text: str, at: int) -> re.Match[str] | None:
    """What stands there and may be a mark, whole."""
    return _MARK.match(text, at)


def begun_at(text: str, at: int) -> bool:
    """Whether what stands there may still become a mark."""
    return _BEGUN.match(text, at) is not None


def meaning(written: str) -> ThoughtMark:
    """What it does."""
    mark = written.lower()
    tag = _TAG.fullmatch(mark)
    if mark in HEADER:
        return ThoughtMark("header")
    if mark in _PAIRS:
        return ThoughtMark("opens", _PAIRS[mark])
    if mark in _CLOSING:
        return ThoughtMark("closes", mark)
    if mark in _ANSWER_PAIRS:
        return ThoughtMark("wraps", _ANSWER_PAIRS[mark])
    if mark in _ANSWER_PAIRS.values():
        return ThoughtMark("unwraps", mark)
    if mark in _ENDS:
        return ThoughtMark("ends")
    if tag is not None and tag[2] in _NAMES:
        return ThoughtMark("closes" if tag[1] else "opens", f"/{tag[2]}")
    if tag is not None and tag[2] in _ANSWERS:
        return ThoughtMark("unwraps" if tag[1] else "wraps", f"/{tag[2]}")
    return ThoughtMark("")


def is_end(written: str) -> bool:
    """Whether an answer may end in it."""
    return written.lower() in _ENDS


def may_stand_in(text: str) -> bool:
    """Whether a whole text has a mark that is more than text."""
    return any(meaning(found[0]).kind not in ("", "wraps", "unwraps") for found in _MARK.finditer(text)) or (
        BARE_END in text and BARE.match(text.lstrip()) is not None
    )


def opens_again(thoughts: str, closing: str) -> bool:
    """Whether a mark opens within its own thoughts."""
    return any(meaning(found[0]) == ThoughtMark("opens", closing) for found in _MARK.finditer(thoughts))


def without_openings(thoughts: str, closing: str) -> str:
    """Thoughts without the marks that opened them again: people read them."""
    again = ThoughtMark("opens", closing)
    return _MARK.sub(lambda found: "" if meaning(found[0]) == again else found[0], thoughts)


def lone_mark(text: str) -> int | None:
    """Where the closing mark begins that ends a text; None if none does."""
    kept = text.rstrip()
    place = max(kept.rfind(first) for first in "<[◁")
    found = mark_at(kept, place) if place >= 0 and kept[place - 1 : place] != "`" else None
    return place if found and found.end() == len(kept) and meaning(found[0]).kind == "closes" else None


def begins_at_end(text: str, mark: str) -> int:
    """How many characters at a text's end may be the beginning of a mark."""
    tail = text[-len(mark) + 1 :]
    return next((size for size in range(len(tail), 0, -1) if mark.startswith(tail[-size:])), 0)
