"""Tells what a model thinks from what it says where both come as one text, as ``<think>`` and the like (pure).

A mark counts where a line begins, or behind the end of a sentence, outside of code: a text about such marks has them
within a sentence or as code. Some models begin to think without a mark; the closing one alone then says that all before
it was thought. Which marks there are, ``thought_marks`` knows.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from workers.runtime.streams import thought_marks as marks
from workers.runtime.streams.thought_marks import HEADER, MESSAGE, ThoughtMark, begun_at, mark_at, meaning

_FENCES = ("```", "~~~")
_FENCE = re.compile(r"^[ \t]*(```|~~~)", re.MULTILINE)
_BLANK = re.compile(r"\s*")
_SPECIAL = re.compile(r"[<\[◁]")
_SENTENCE = re.compile(r"[.!?…。！？]\s*\Z")
_CHANNEL = "<|channel|>"
_TAIL = 2 * marks.LONGEST

type Piece = tuple[Literal["said", "thought", "recall"], str]
"""``recall``: everything said so far was thought."""


@dataclass(slots=True)
class ThoughtFilter:
    """Reads one model call's text, however it is cut into pieces."""

    _held: str = ""
    """Text that may become a mark."""
    _opened: str = ""
    """What closes the thoughts that are read."""
    _from_start: bool = False
    """Nothing was said before that mark."""
    _inner: list[str] = field(default_factory=list[str])
    """The mark, and what was thought behind it."""
    _line_begins: bool = True
    _fence: str = ""
    _tail: str = ""
    """The end of the line so far."""
    _in_code: bool = False
    """Within the line."""
    _said: bool = False
    _marked: bool = False
    """A mark was found, so a closing one alone means nothing."""
    _ends_alone: bool = False
    """The line before ends in a closing mark."""
    _channels: bool = False
    """gpt-oss's marks were found, which then count wherever they stand."""
    _doubtful: str = ""
    """Closed the thoughts, but may have been thought itself: a mark was opened twice, or code was not ended."""
    _wrapper: str = ""
    """Closes the answer."""
    _end_mark: str = ""
    """What ended the text, and blanks behind it."""

    def feed(self, text: str) -> list[Piece]:
        """What a further piece says."""
        text, self._held = self._held + text, ""
        at, told = 0, list[Piece]()
        while at < len(text) and not self._held:
            at, pieces = self._in_thought(text, at) if self._opened else self._in_text(text, at)
            told += self._told(pieces)
        return told

    def end(self) -> Iterator[Piece]:
        """What is left when the call has ended."""
        rest, self._held = self._held, ""
        if self._opened and self._may_be_text:
            # Never closed: it was a text about such a mark.
            yield "said", "".join(self._inner) + rest
        elif self._opened:
            yield "thought", rest
        elif rest and not (self._channels and rest.startswith("<|")):
            yield from self._told([("said", rest)])

    def _told(self, pieces: list[Piece]) -> list[Piece]:
        """As they are; what ends an answer is text if more is said behind it."""
        told: list[Piece] = []
        for kind, text in pieces:
            before = self._end_mark if kind == "said" else ""
            if kind != "thought":
                self._end_mark = ""
            if before and not text.strip():
                self._end_mark = before + text
            else:
                told.append((kind, before + text))
        return told

    # -- thoughts

    def _in_thought(self, text: str, at: int) -> tuple[int, list[Piece]]:
        if self._opened == marks.BARE_END:
            return self._in_bare_thought(text, at)
        end, closed = at, None
        for special in _SPECIAL.finditer(text, at):
            end = special.start()
            found = mark_at(text, end)
            if found is not None and self._closes(meaning(found[0]), found[0]):
                closed = found
                break
            if found is None and begun_at(text, end):
                self._held = text[end:]
                break
        else:
            end = len(text)
        pieces = self._thought(text[at:end], closed=closed is not None)
        if closed is None:
            return len(text), pieces
        self._close()
        return (end if closed[0].lower() in HEADER else closed.end()), pieces

    def _in_bare_thought(self, text: str, at: int) -> tuple[int, list[Piece]]:
        end = text.find(marks.BARE_END, at)
        if end < 0:
            end = len(text) - marks.begins_at_end(text[at:], marks.BARE_END)
            self._held = text[end:]
            return len(text), self._thought(text[at:end], closed=False)
        pieces = self._thought(text[at:end], closed=True)
        self._close()
        return end + len(marks.BARE_END), pieces

    def _closes(self, mark: ThoughtMark, written: str) -> bool:
        if self._opened == _CHANNEL:
            return mark.kind == "header" or written.lower() in ("<|end|>", "<|return|>", "<|call|>")
        return mark == ThoughtMark("closes", self._opened)

    def _thought(self, thought: str, *, closed: bool) -> list[Piece]:
        self._inner.append(thought)
        if self._may_be_text:
            # It is told when the mark is closed, or at the end as what is said: once in either case.
            thought = "".join(self._inner[1:]) if closed else ""
        return [("thought", kept)] if (kept := marks.without_openings(thought, self._opened)) else []

    def _close(self) -> None:
        inner = "".join(self._inner[1:])
        self._fence = ""
        for fence in _FENCE.findall(inner):
            self._toggle(fence)
        doubted = self._from_start and (self._fence or marks.opens_again(inner, self._opened))
        self._doubtful = self._opened if doubted else ""
        self._opened = ""
        self._new_line()
        self._inner.clear()

    def _new_line(self) -> None:
        self._line_begins, self._tail, self._in_code = True, "", False

    def _toggle(self, fence: str) -> None:
        if self._fence in ("", fence):
            self._fence = "" if self._fence else fence

    @property
    def _may_be_text(self) -> bool:
        """Whether the open mark, if it is never closed, is said, too."""
        return self._opened == marks.BARE_END or (self._said and not self._from_start and self._opened != _CHANNEL)

    # -- text

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
            if (begun := self._beginning(text, at)) is not None:
                return begun
            self._begin_line(text, at)
            return self._within_line(text, at, begins=True)
        return self._within_line(text, at, begins=False)

    def _beginning(self, text: str, at: int) -> tuple[int, list[Piece]] | None:
        """What only counts where a line begins; None where text begins."""
        if not self._fence and not self._said and not self._marked:
            if marks.BARE.match(text, at):
                return at + len("analysis"), self._open(ThoughtMark("opens", marks.BARE_END), "analysis")
            if "analysis".startswith(text[at:]):
                return self._hold(text, at)
        if any(len(text) - at < len(fence) and fence.startswith(text[at:]) for fence in _FENCES):
            return self._hold(text, at)
        if self._fence:
            return None
        return self._mark(text, at, begins=True)

    def _within_line(self, text: str, at: int, *, begins: bool) -> tuple[int, list[Piece]]:
        end = text.find("\n", at) + 1 or len(text)
        code, seen = self._in_code, at
        for special in () if self._fence else _SPECIAL.finditer(text, at + begins, end):
            here = special.start()
            code, seen = code ^ (text.count("`", seen, here) % 2 == 1), here
            if code or not (mark_at(text, here) or begun_at(text, here)):
                continue
            if here > at:
                end = here
                break
            if (done := self._mark(text, at, begins=False)) is not None:
                return done
        line = text[at:end]
        self._in_code ^= line.count("`") % 2 == 1
        self._tail = (self._tail + line)[-_TAIL:]
        self._said = True
        if line.endswith("\n"):
            self._ends_alone = not self._marked and not self._fence and marks.lone_mark(self._tail) is not None
            self._new_line()
        return end, [("said", line)]

    def _mark(self, text: str, at: int, *, begins: bool) -> tuple[int, list[Piece]] | None:
        """What follows from the mark that stands there; None if it is text."""
        found = mark_at(text, at)
        if found is None:
            return self._hold(text, at) if begun_at(text, at) else None
        mark = meaning(found[0])
        match mark.kind:
            case "header" if begins or self._channels:
                return self._header(text, at)
            case "opens" if begins or _SENTENCE.search(self._tail):
                return found.end(), self._open(mark, found[0])
            case "closes" if begins or mark.name == self._doubtful:
                alone = not self._marked or mark.name == self._doubtful
                self._marked, self._doubtful = True, ""
                self._new_line()
                return found.end(), [("recall", "")] if alone and self._said else []
            case "wraps" if begins and self._marked and not self._said:
                self._wrapper = mark.name
                return found.end(), []
            case "unwraps" if mark.name == self._wrapper:
                self._wrapper = ""
                return found.end(), []
            case "ends" | "unwraps" if marks.is_end(found[0]):
                self._end_mark += "" if self._channels else found[0]
                self._line_begins = False
                return found.end(), []
            case _:
                return None

    def _header(self, text: str, at: int) -> tuple[int, list[Piece]] | None:
        """``<|start|>assistant<|channel|>analysis<|message|>``: what comes behind is thought, or meant for a tool."""
        end = text.find(MESSAGE, at)
        header = text[at : end if end >= 0 else None]
        if "\n" in header or len(header) > marks.LONGEST + (end < 0) * (len(MESSAGE) - 1):
            return None
        if end < 0:
            return self._hold(text, at)
        channel = header.rpartition(_CHANNEL)[2] if _CHANNEL in header else ""
        self._channels = self._marked = True
        self._new_line()
        behind = end + len(MESSAGE)
        if channel.startswith("analysis") or " to=" in header:
            return behind, self._open(ThoughtMark("opens", _CHANNEL), text[at:behind])
        # What it says before it calls a tool, and then its answer.
        return behind, [("said", "\n\n")] if self._said else []

    def _open(self, mark: ThoughtMark, written: str) -> list[Piece]:
        self._opened, self._from_start = mark.name, not self._said
        self._marked, self._doubtful = True, ""
        self._inner = [written]
        return []

    def _hold(self, text: str, at: int) -> tuple[int, list[Piece]]:
        self._held = text[at:]
        return len(text), []

    def _blank_line(self, blank: str) -> list[Piece]:
        """A closing mark at the end of a line counts when a blank line comes behind it."""
        if not self._ends_alone or "\n" not in blank:
            return []
        self._ends_alone, self._marked = False, True
        return [("recall", "")]

    def _begin_line(self, text: str, at: int) -> None:
        self._line_begins = False
        if text.startswith(_FENCES, at):
            self._toggle(text[at : at + len(_FENCES[0])])


def parted(text: str) -> tuple[str, str]:
    """What a whole text says, and what was thought."""
    said, thought = list[str](), list[str]()
    reader = ThoughtFilter()
    for kind, piece in (*reader.feed(text), *reader.end()):
        if kind == "recall":
            before = "".join(said)
            place = marks.lone_mark(before)
            thought += [before if place is None else before[:place]]
            said.clear()
        else:
            (said if kind == "said" else thought).append(piece)
    return "".join(said), "".join(thought)


def may_hold_thoughts(text: str) -> bool:
    """Whether it is worth reading."""
    return marks.may_stand_in(text)
