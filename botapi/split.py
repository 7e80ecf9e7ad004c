"""Cutting a formatted text into messages that Telegram takes (pure).

Entities are Telegram's MessageEntity objects; their offsets and lengths count UTF-16 units.
"""

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

type EntityFields = dict[str, Any]

LIMIT = 4096
"""UTF-16 units of a message's text (Bot API, sendMessage)."""
MAX_ENTITIES = 100
"""Entities of a message that Telegram shows; it ignores further ones."""

# Best first; each gives the place where a message may end.
_BORDERS = (
    re.compile(r"\n[ \t]*\n"),
    re.compile(r"\n"),
    re.compile(r"(?<=[.!?…])[\"')\]»”’]*(?=\s)|(?<=[。！？])"),
    re.compile(r"\s"),
)
_LINE, _SENTENCE = _BORDERS[1:3]
# What loses most when it goes missing, first.
_WORTH = ("pre", "text_link", "blockquote", "expandable_blockquote", "spoiler", "code", "custom_emoji", "bold")
# A line of code that goes on with what stands before it.
_GOES_ON = re.compile(r"[)\]}>]|(?:else|elif|except|finally|catch|end|fi|done|esac|then|and|or)\b|[-+*/&|.,]")
_ZERO_WIDTH_JOINER = "\u200d"
_BMP = "\uffff"
_CLUSTER = 32
"""Characters looked back over to spare a grapheme; longer ones are not writing."""


@dataclass(frozen=True, slots=True)
class Part:
    """One message's text and entities."""

    text: str
    entities: tuple[EntityFields, ...] = ()


@dataclass(frozen=True, slots=True)
class _Span:
    """An entity by Python indices."""

    start: int
    end: int
    entity: EntityFields


def split(text: str, entities: Sequence[EntityFields] = (), limit: int = LIMIT) -> list[Part]:
    """Cut ``text`` into parts of at most ``limit`` UTF-16 units and 100 entities.

    It is cut between paragraphs, else lines, sentences, words, characters, in the latter half of what fits; code that
    fits into a message of its own stays whole where it can, and other code is cut where a block of statements begins.
    A heading goes with what stands below it. An entity that is cut goes on in the next part. Only white space is lost,
    where it stood at a cut or at an end. Each cut depends on the text before it and the two characters behind it.

    Returns:
        No part is empty or blank; blank text gives no part at all.
    """
    return _Splitter(text, entities, limit).parts()


def _units(text: str) -> Sequence[int]:
    """How many UTF-16 units stand before each character, and before the end."""
    if max(text, default="") <= _BMP:
        return range(len(text) + 1)
    return [0, *accumulate(2 if character > _BMP else 1 for character in text)]


class _Splitter:
    def __init__(self, text: str, entities: Sequence[EntityFields], limit: int) -> None:
        self._text = text
        self._limit = limit
        self._units = _units(text)
        spans = [span for entity in entities if (span := self._span(entity)) is not None]
        self._spans = sorted(spans, key=lambda span: span.start)
        self._pres = [span for span in self._spans if span.entity["type"] == "pre"]
        self._code_from = [pre.start for pre in self._pres]
        self._bold = dict[int, int]()
        """Where what is bold ends, and from where on it is."""
        for span in self._spans:
            if span.entity["type"] == "bold":
                self._bold.setdefault(span.end, span.start)

    def _span(self, entity: EntityFields) -> _Span | None:
        start = bisect_left(self._units, entity["offset"])
        end = min(bisect_left(self._units, entity["offset"] + entity["length"]), len(self._text))
        return _Span(start, end, entity) if start < end else None

    def parts(self) -> list[Part]:
        parts: list[Part] = []
        start, size = 0, len(self._text)
        while (start := self._skip_blank(start)) < size:
            self._spans = [span for span in self._spans if span.end > start]
            fit = bisect_right(self._units, self._units[start] + self._limit) - 1
            fit = min(fit, self._entities_fit(start))
            end = size if fit >= size else self._border(start, max(fit, start + 1))
            part = self._cut(start, end)
            if part.text:
                parts.append(part)
            start = end
        return parts

    def _entities_fit(self, start: int) -> int:
        """Where the entity begins that would be one too many for a part from ``start``."""
        begins = self._spans[MAX_ENTITIES].start if len(self._spans) > MAX_ENTITIES else start
        # So many that cover one place have to be fewer (``worthiest``).
        return begins if begins > start else len(self._text)

    def _inside(self, at: int) -> _Span | None:
        """The code block that a cut at ``at`` would divide."""
        return self._code(bisect_left(self._code_from, at), at)

    def _code(self, behind: int, at: int) -> _Span | None:
        """The code block before the one of that number, if it reaches over ``at``."""
        return self._pres[behind - 1] if behind and at < self._pres[behind - 1].end else None

    def _skip_blank(self, at: int) -> int:
        while at < len(self._text) and self._text[at].isspace():
            pre = self._code(bisect_right(self._code_from, at), at)
            # A line's indentation is part of the code, the line breaks before it are not missed.
            if pre is not None and self._text[at] not in "\r\n":
                break
            at += 1
        return at

    def _border(self, start: int, fit: int) -> int:
        low = start + (fit - start) // 2
        for border in _BORDERS:
            for cut in self._cuts(border, low, fit):
                if self._inside(cut) is None:
                    return self._above_heading(start, cut)
        code = self._inside(fit)
        if code is not None and code.start > start + (fit - start) // 4 and not self._too_long(code):
            return self._above_heading(start, code.start)
        lines = self._cuts(_LINE, low, fit)
        if lines and code is not None:
            return max(lines, key=lambda cut: self._worth(cut, fit))
        return next(iter(lines), self._whole(start, fit))

    def _worth(self, cut: int, fit: int) -> tuple[bool, int, bool]:
        """How good a place within code is to end a message: before an outer statement, best at a blank line."""
        behind = self._text[cut : fit + 2]
        line = behind.lstrip("\r\n").split("\n")[0]
        code = line.lstrip()
        begins = bool(code) and _GOES_ON.match(code) is None
        return begins, len(code) - len(line), _BORDERS[0].match(behind) is not None

    def _above_heading(self, start: int, cut: int) -> int:
        """``cut``, or the place above headings that would be the last lines before it, if it is not far above."""
        above, least = cut, start + (cut - start) // 4
        while True:
            end = start + len(self._text[start:above].rstrip())
            line = self._text.rfind("\n", start, end) + 1
            if not self._is_heading(line, end):
                return above
            if line <= least:
                return cut
            above = line

    def _is_heading(self, start: int, end: int) -> bool:
        return any(self._bold.get(at, start + 1) <= start for at in (end, end + 1))

    def _cuts(self, border: re.Pattern[str], low: int, fit: int) -> list[int]:
        """Where the text may be cut above ``low``, the last place first."""
        found = border.finditer(self._text, low, min(fit + 2, len(self._text)))
        cuts = [match.end() if border is _SENTENCE else match.start() for match in found]
        return [cut for cut in reversed(cuts) if low < cut <= fit]

    def _too_long(self, span: _Span) -> bool:
        return self._units[span.end] - self._units[span.start] > self._limit

    def _whole(self, start: int, fit: int) -> int:
        """The last place up to ``fit`` between two graphemes; ``fit`` itself where there is none nearby."""
        for cut in range(fit, max(start, fit - _CLUSTER), -1):
            if not self._joined(cut):
                return cut
        return fit

    def _joined(self, at: int) -> bool:
        before, after = self._text[at - 1], self._text[at]
        if _ZERO_WIDTH_JOINER in (before, after) or before + after == "\r\n":
            return True
        # Marks, variation selectors and the tag characters of flags; then skin tones.
        if unicodedata.category(after) in ("Mn", "Mc", "Me") or "\U0001f3fb" <= after <= "\U0001f3ff":
            return True
        if "\U000e0020" <= after <= "\U000e007f":
            return True
        run = 0
        while run < at and "\U0001f1e6" <= self._text[at - 1 - run] <= "\U0001f1ff":
            run += 1
        # Two regional indicators make one flag.
        return run % 2 == 1 and "\U0001f1e6" <= after <= "\U0001f1ff"

    def _cut(self, start: int, end: int) -> Part:
        end = start + len(self._text[start:end].rstrip())
        kept: list[EntityFields] = []
        for span in self._spans[: bisect_left(self._spans, end, key=lambda span: span.start)]:
            first, last = max(span.start, start), min(span.end, end)
            if first < last:
                offset = self._units[first] - self._units[start]
                kept.append({**span.entity, "offset": offset, "length": self._units[last] - self._units[first]})
        return Part(self._text[start:end], tuple(worthiest(kept)))


def worthiest(entities: Sequence[EntityFields]) -> list[EntityFields]:
    """At most 100 entities, in the order of the text."""
    if len(entities) > MAX_ENTITIES:
        rank = {kind: place for place, kind in enumerate(_WORTH)}
        by_worth = sorted(entities, key=lambda entity: (rank.get(entity["type"], len(_WORTH)), entity["offset"]))
        entities = by_worth[:MAX_ENTITIES]
    return sorted(entities, key=lambda entity: (entity["offset"], -entity["length"]))
