"""HTML that only arranges what stands in it, ``<div align="center">``: its tags say nothing in a chat (pure)."""

import re

from workers.telegram.markdown.code_lines import told_apart

_NAMES = "p|div|center|section|article|header|footer|main|aside|nav|figure|figcaption|html|body"
_BEGIN = re.compile(rf"[ \t]*<({_NAMES})(?:[ \t][^<>]*)?>", re.IGNORECASE)
_ENDS = re.compile(rf"(?:</(?:{_NAMES})\s{{0,4}}>[ \t]{{0,4}})+\Z", re.IGNORECASE)
_END = re.compile(rf"</({_NAMES})\s*>", re.IGNORECASE)
_BETWEEN = re.compile(rf"(</(?:{_NAMES})\s*>)[ \t]*(?=<(?:{_NAMES})\b)", re.IGNORECASE)
_RULE = re.compile(r"[ \t]*<hr(?:[ \t][^<>]*)?/?>[ \t]*", re.IGNORECASE)
_LOOKS_LIKE = re.compile(rf"<(?:hr|{_NAMES})\b", re.IGNORECASE)
_CODE = "    "
_MOST = 12
"""Tags at one end of a line, and within each other, that are read."""
_TAIL = 200
"""Characters at a line's end that hold its closing tags."""


def without_frames(source: str, *, grows: bool = False) -> str:
    """A text without such tags at the beginnings and ends of lines. Before words, one without an end stays."""
    if not _LOOKS_LIKE.search(source):
        return source
    return _Frames(_BETWEEN.sub("\\1\n", source), grows=grows).taken_away()


class _Frames:
    def __init__(self, source: str, *, grows: bool) -> None:
        self._lines = list(told_apart(source.split("\n")))
        self._grows = grows
        self._opened: list[tuple[str, int]] = []
        self._begun: dict[int, int] = {}
        """By line: how many opening tags at its beginning have an end."""
        self._ended: dict[int, int] = {}
        """By line: how many closing tags at its end have a beginning."""
        self._closed: dict[int, int] = {}
        """By line: how many beginnings end with them."""

    def taken_away(self) -> str:
        self._match()
        made: list[str] = []
        margins: list[str | None] = []
        for place, (line, code) in enumerate(self._lines):
            begun, ended = self._begun.get(place, 0), self._ended.get(place, 0)
            if not code and _RULE.fullmatch(line):
                made += ["", "***", ""]
                continue
            if margins and margins[-1] is None and line.strip() and not begun:
                margins[-1] = line[: len(line) - len(line.lstrip())]
            if not begun and not ended:
                made.append(line.removeprefix((margins[-1] or "") if margins else ""))
                continue
            text = line
            for _ in range(begun):
                text = _BEGIN.sub("", text, count=1)
            for _ in range(ended):
                text = text[: text.rindex("</")]
            margins += [None] * begun
            del margins[len(margins) - self._closed.get(place, 0) :]
            made += [*([""] * bool(begun)), text.strip(), *([""] * bool(ended))]
        return "\n".join(made)

    def _match(self) -> None:
        for place, (line, code) in enumerate(self._lines):
            if code or (not self._opened and line.startswith(_CODE)):
                continue
            at = 0
            for _ in range(_MOST):
                if (found := _BEGIN.match(line, at)) is None:
                    break
                self._opened.append((found[1].lower(), place))
                at = found.end()
            ends = _ENDS.search(line, max(at, len(line) - _TAIL)) if line.rstrip().endswith(">") else None
            for end in _END.finditer(ends[0]) if ends else ():
                self._end(end[1].lower(), place)
        last = len(self._lines)
        while self._grows and last and self._lines[last - 1][0].strip():
            last -= 1
        for _, place in self._opened:
            # A tag that is a line alone says nothing, with an end or without. One in the last paragraph may yet end.
            if not _BEGIN.sub("", self._lines[place][0]).strip() or (self._grows and place >= last):
                self._begins(place)

    def _end(self, name: str, place: int) -> None:
        """What stands open within ends with it, as HTML has it for ``<p>``."""
        names = [opened for opened, _ in self._opened[-_MOST:]]
        if name in names:
            last = len(self._opened) - 1 - names[::-1].index(name)
            for _, begun in self._opened[last:]:
                self._begins(begun)
            self._closed[place] = self._closed.get(place, 0) + len(self._opened) - last
            del self._opened[last:]
            self._ended[place] = self._ended.get(place, 0) + 1

    def _begins(self, place: int) -> None:
        self._begun[place] = self._begun.get(place, 0) + 1
