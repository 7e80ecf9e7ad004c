"""Tells what a model thinks from what it says where both come as one text, as ``<think>`` and the like (pure).

A mark counts where a line begins, outside of a block of code: a text about such marks has them within a line or as
code. Some models begin to think without a mark; the closing one alone then says that all before it was thought.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

_CLOSES = {
    "<think>": "</think>",
    "<thinking>": "</thinking>",
    "<thought>": "</thought>",
    "<seed:think>": "</seed:think>",
    "[think]": "[/think]",
    "◁think▷": "◁/think▷",
    "<|channel|>analysis<|message|>": "<|end|>",
}
"""DeepSeek, Qwen and most others; Claude's when it is told so; Gemini's; Seed; Magistral; Kimi; gpt-oss."""
_ALONE = ("</think>", "</thinking>", "[/think]")
"""Closing marks that come without an opening one."""
_SKIPPED = ("<|start|>assistant<|channel|>final<|message|>", "<|channel|>final<|message|>")
"""Between gpt-oss's thoughts and its answer."""
_FENCES = ("```", "~~~")

_MARKS = (*_CLOSES, *_ALONE, *_SKIPPED)
_LONGEST = max(map(len, _MARKS))
_MARK = re.compile("|".join(re.escape(mark) for mark in sorted(_MARKS, key=len, reverse=True)), re.IGNORECASE)
_FOUND = {opened: re.compile(re.escape(closed), re.IGNORECASE) for opened, closed in _CLOSES.items()}
_LAST = re.compile(f"(?<!`)(?:{'|'.join(map(re.escape, _ALONE))})\\s*\\Z", re.IGNORECASE)
_BLANK = re.compile(r"\s*")

type Piece = tuple[Literal["said", "thought", "recall"], str]
"""``recall``: everything said so far was thought."""


@dataclass(slots=True)
class ThoughtFilter:
    """Reads one model call's text, however it is cut into pieces."""

    _held: str = ""
    """Text that may become a mark."""
    _opened: str = ""
    """The mark whose thoughts are read."""
    _from_start: bool = False
    """Nothing was said before that mark."""
    _inner: list[str] = field(default_factory=list[str])
    _line_begins: bool = True
    _fence: str = ""
    _said: bool = False
    _marked: bool = False
    """A mark was found, so a closing one alone means nothing."""
    _tail: str = ""
    """The end of the line so far."""
    _ends_alone: bool = False
    """The line before ends in a closing mark."""

    def feed(self, text: str) -> Iterator[Piece]:
        """What a further piece says."""
        text, self._held = self._held + text, ""
        at = 0
        while at < len(text):
            at, pieces = self._in_thought(text, at) if self._opened else self._in_text(text, at)
            yield from pieces
            if self._held:
                return

    def end(self) -> Iterator[Piece]:
        """What is left when the call has ended."""
        rest, self._held = self._held, ""
        if self._opened and self._may_be_text:
            # Never closed: it was a text about such a mark.
            yield "said", "".join(self._inner) + rest
        elif rest:
            yield ("thought" if self._opened else "said"), rest

    def _in_thought(self, text: str, at: int) -> tuple[int, list[Piece]]:
        found = _FOUND[self._opened].search(text, at)
        if found is None:
            keep = _begun(text[at:], _CLOSES[self._opened])
            self._held = text[len(text) - keep :] if keep else ""
            end = len(text) - keep
        else:
            end = found.start()
        thought = text[at:end]
        if self._may_be_text:
            # It is told when the mark is closed, or at the end as what is said: once in either case.
            self._inner.append(thought)
            thought = "" if found is None else "".join(self._inner[1:])
        if found is not None:
            self._opened, self._line_begins = "", True
            self._inner.clear()
        return (len(text) if found is None else found.end()), [("thought", thought)] if thought else []

    @property
    def _may_be_text(self) -> bool:
        """Whether the open mark stands behind something that was said: if it is never closed, it is said, too."""
        return self._said and not self._from_start

    def _in_text(self, text: str, at: int) -> tuple[int, list[Piece]]:
        if self._line_begins:
            blank = _BLANK.match(text, at)
            begins = at if blank is None else blank.end()
            if begins > at:
                if self._ends_alone:
                    # As far as it decides: what comes behind is not thought, however the text is cut.
                    begins = text.find("\n", at, begins) + 1 or begins
                return begins, [("said", text[at:begins]), *self._blank_line(text[at:begins])]
            self._ends_alone = False
            found = None if self._fence else _MARK.match(text, at)
            if found is not None:
                return found.end(), self._mark(found[0])
            if self._may_become_mark(text[at : at + _LONGEST], whole=len(text) - at <= _LONGEST):
                self._held = text[at:]
                return len(text), []
            self._begin_line(text, at)
        end = text.find("\n", at) + 1 or len(text)
        line = text[at:end]
        self._tail = (self._tail + line)[-_LONGEST:]
        self._said = True
        pieces: list[Piece] = [("said", line)]
        if line.endswith("\n"):
            self._ends_alone = not self._marked and not self._fence and _LAST.search(self._tail) is not None
            self._line_begins, self._tail = True, ""
        return end, pieces

    def _blank_line(self, blank: str) -> list[Piece]:
        """A closing mark at the end of a line counts when a blank line comes behind it."""
        if not self._ends_alone or "\n" not in blank:
            return []
        self._ends_alone, self._marked = False, True
        return [("recall", "")]

    def _begin_line(self, text: str, at: int) -> None:
        self._line_begins = False
        fence = next((mark for mark in _FENCES if text.startswith(mark, at)), "")
        if fence and self._fence in ("", fence):
            self._fence = "" if self._fence else fence

    def _may_become_mark(self, rest: str, *, whole: bool) -> bool:
        if not whole:
            return False
        small = rest.lower()
        marks = _FENCES if self._fence else (*_MARKS, *_FENCES)
        return any(len(small) < len(mark) and mark.startswith(small) for mark in marks)

    def _mark(self, written: str) -> list[Piece]:
        mark = written.lower()
        alone, self._marked = mark in _ALONE and not self._marked, True
        if mark in _CLOSES:
            self._opened, self._from_start = mark, not self._said
            self._inner = [written]
        return [("recall", "")] if alone and self._said else []


def _begun(text: str, mark: str) -> int:
    """How many characters at the end of a text may be the beginning of a mark."""
    tail = text[-len(mark) + 1 :].lower()
    return next((size for size in range(len(tail), 0, -1) if mark.startswith(tail[-size:])), 0)


def parted(text: str) -> tuple[str, str]:
    """What a whole text says, and what was thought."""
    said: list[str] = []
    thought: list[str] = []
    reader = ThoughtFilter()
    for kind, piece in (*reader.feed(text), *reader.end()):
        if kind == "recall":
            thought += [_LAST.sub("", "".join(said))]
            said.clear()
        else:
            (said if kind == "said" else thought).append(piece)
    return "".join(said), "".join(thought)


def may_hold_thoughts(text: str) -> bool:
    """Whether it is worth reading."""
    return _MARK.search(text) is not None
