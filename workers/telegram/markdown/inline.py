"""The text of a paragraph, a heading or a cell: Markdown -> text and spans (pure).

One pass from left to right: the first construct that begins wins, as in CommonMark. The source is not changed
beforehand, so that code is what stands between its backticks.
"""

import re
from collections.abc import Callable, Mapping
from html import unescape
from html.entities import html5

from markdown_it.common.utils import normalizeReference

from workers.telegram.clean import clean
from workers.telegram.markdown import addresses, habits
from workers.telegram.markdown.emphasis import flanks
from workers.telegram.markdown.html import lists as html_lists
from workers.telegram.markdown.html import tags
from workers.telegram.markdown.math import chemistry, formulas, siunitx
from workers.telegram.markdown.math.latex import to_unicode
from workers.telegram.markdown.names import is_dunder
from workers.telegram.markdown.openings import Bracket, OpenTag
from workers.telegram.markdown.pieces import Inline, Pieces

_SPECIAL = re.compile(r"[\\`*_~|<&$!\[\]\n]|:(?=//|\\)|\bwww\.|={2}|" + habits.BEGINS)
_TICKS = re.compile(r"`+")
_ESCAPABLE = frozenset("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")
_REFERENCE = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|([A-Za-z][A-Za-z0-9]{1,31}));")
_FOOTNOTE = re.compile(r"\[\^([^\]\s\[]{1,60})\]")
_DUNDER = re.compile(r"__([A-Za-z][A-Za-z0-9]*(?:_[A-Za-z0-9]+)*)__(?![A-Za-z0-9])")
_AFTER_BREAK = re.compile(r"[ \t]*\n?[ \t]*")
_LIKE_AN_ADDRESS = re.compile(r"[/.#:?@]")


def inline(source: str, references: Mapping[str, tuple[str, str]], *, one_line: bool = False) -> Inline:
    """Read inline Markdown. ``references`` maps a label to (address, title); ``one_line`` makes line breaks blanks."""
    source = html_lists.as_lines(source)
    if not _SPECIAL.search(source):
        return Inline(source, [], [])
    return _Reader(source, references, one_line=one_line).read()


class _Reader:
    def __init__(self, source: str, references: Mapping[str, tuple[str, str]], *, one_line: bool) -> None:
        self._source = source
        self._references = references
        self._line = " " if one_line else "\n"
        self._pieces = Pieces()
        self._brackets: list[Bracket] = []
        self._open: dict[str, list[OpenTag]] = {}
        self._missing: set[str] = set()
        self._ticks: dict[int, list[int]] | None = None

    def read(self) -> Inline:
        source, at = self._source, 0
        while found := _SPECIAL.search(source, at):
            start = found.start()
            if start > at:
                self._pieces.put(source[at:start])
            at = _STEPS[source[start]](self, start)
        self._pieces.put(source[at:])
        return self._pieces.whole()

    def _put(self, text: str, end: int) -> int:
        self._pieces.put(text)
        return end

    def _code(self, text: str, end: int) -> int:
        self._pieces.code(text)
        return end

    # -- one step for each character that may begin something; each returns where it ends

    def backslash(self, at: int) -> int:
        source = self._source
        for opening, closing in (("\\(", "\\)"), ("\\[", "\\]")):
            if source.startswith(opening, at) and (found := formulas.delimited(source, at, opening, closing)):
                return self._code(to_unicode(found[0]), found[1])
        if found := chemistry.bare(source, at) or siunitx.bare(source, at):
            return self._code(to_unicode(found[0]), found[1])
        following = source[at + 1 : at + 2]
        if following == "\n":
            return self.newline(at + 1)
        if (
            following == "\\"
            and not source[at - 1 : at].strip()
            and (end := addresses.network_path_end(source, at)) > at
        ):
            return self._put(source[at:end], end)
        return self._put(following, at + 2) if following in _ESCAPABLE and following else self._put("\\", at + 1)

    def backticks(self, at: int) -> int:
        if self._ticks is None:
            self._ticks = {}
            for run in _TICKS.finditer(self._source):
                self._ticks.setdefault(len(run[0]), []).append(run.start())
            for places in self._ticks.values():
                places.reverse()
        found = _TICKS.match(self._source, at)
        length = len(found[0]) if found else 1
        places = self._ticks.get(length, [])
        while places and places[-1] <= at:
            places.pop()
        if not places:
            return self._put("`" * length, at + length)
        code = self._source[at + length : places[-1]].replace("\n", " ")
        if code[0] == code[-1] == " " and code.strip(" "):
            code = code[1:-1]
        return self._code(code, places[-1] + length)

    def run(self, at: int) -> int:
        source, mark = self._source, self._source[at]
        if mark == "~" and (small := habits.script(source, at)):
            return self._put(*small)
        end = at
        while source.startswith(mark, end):
            end += 1
        if mark == "_" and (found := _DUNDER.match(source, at)) and is_dunder(found[1]):
            return self._put(found[0], found.end())
        around = source[max(at - 2, 0) : at], source[end : end + 1], source[end + 1 : end + 2]
        opens, closes = flanks(mark, end - at, *around)
        if not opens and not closes:
            return self._put(source[at:end], end)
        self._pieces.run(source[at:end], opens=opens, closes=closes)
        return end

    def dollar(self, at: int) -> int:
        source = self._source
        if source.startswith("$$", at):
            found = formulas.delimited(source, at, "$$", "$$")
            return self._code(to_unicode(found[0]), found[1]) if found else self._put("$$", at + 2)
        found = formulas.in_dollars(source, at)
        return self._code(to_unicode(found[0]), found[1]) if found else self._put("$", at + 1)

    def ampersand(self, at: int) -> int:
        found = _REFERENCE.match(self._source, at)
        if found is None or (found[1] and f"{found[1]};" not in html5):
            return self._put("&", at + 1)
        return self._put(clean(unescape(found[0])), found.end())

    def newline(self, at: int) -> int:
        source = self._source
        if at and source[at - 1] in " \t":
            self._pieces.trim()
        end = at + 1
        while source.startswith((" ", "\t"), end):
            end += 1
        return self._put(self._line, end)

    def caret(self, at: int) -> int:
        small = habits.script(self._source, at)
        return self._put(*small) if small else self._put("^", at + 1)

    def colon(self, at: int) -> int:
        if emoji := habits.shortcode(self._source, at):
            return self._put(*emoji)
        end = addresses.after_scheme(self._source, at)
        return self._put(self._source[at:end], end) if end > at else self._put(":", at + 1)

    def www(self, at: int) -> int:
        end = max(addresses.address_end(self._source, at), at + 4)
        return self._put(self._source[at:end], end)

    # -- links

    def bang(self, at: int) -> int:
        if not self._source.startswith("![", at):
            return self._put("!", at + 1)
        return self._bracket(at, 2)

    def bracket(self, at: int) -> int:
        if cited := habits.citation(self._source, at):
            if not cited[0]:
                self._pieces.trim()
            return self._put(*cited)
        found = _FOOTNOTE.match(self._source, at)
        if found and not self._source.startswith("(", found.end()):
            return self._put(f"[{found[1].rstrip('^') or found[1]}]", found.end())
        return self._bracket(at, 1)

    def _bracket(self, at: int, length: int) -> int:
        image = length > 1
        self._brackets.append(Bracket(len(self._pieces), at + length, image, self._pieces.runs, self._pieces.links))
        return self._put(self._source[at : at + length], at + length)

    def closing_bracket(self, at: int) -> int:
        if not self._brackets:
            return self._put("]", at + 1)
        bracket = self._brackets.pop()
        found = None
        if self._source.startswith("(", at + 1):
            found = addresses.destination(self._source, at + 1)
        if found is None and self._references:
            found = self._referred(bracket, at)
        if found is None or not (bracket.image or _LIKE_AN_ADDRESS.search(found[0])):
            # dp[i](j) is no link.
            return self._put("]", at + 1)
        address, title, end = found
        self._pieces.pair(bracket.runs)
        nested = self._pieces.links > bracket.links
        self._pieces.link(bracket.node, address, title, image=bracket.image, nested=nested)
        return end

    def _referred(self, bracket: Bracket, at: int) -> tuple[str, str, int] | None:
        label, end = self._source[bracket.at : at], at + 1
        if self._source.startswith("[", end):
            close = self._source.find("]", end, end + 1000)
            if close > 0:
                label, end = self._source[end + 1 : close] or label, close + 1
        if len(label) > 999:  # noqa: PLR2004 - CommonMark's limit
            return None
        found = self._references.get(normalizeReference(label))
        return (*found, end) if found else None

    # -- HTML

    def angle(self, at: int) -> int:
        source = self._source
        if found := addresses.angled(source, at):
            return self._put(*found)
        if source.startswith("<!--", at) and (end := self._find("-->", at)) > 0 and "`" not in source[at:end]:
            return self._put(source[at : end + 3], end + 3)
        tag = tags.TAG.match(source, at)
        if tag is None:
            return self._put("<", at + 1)
        return self._tag(tag, tag[2].lower())

    def _tag(self, tag: re.Match[str], name: str) -> int:
        """What is not known as formatting is text: it may well be ``List<String>``."""
        end, closing = tag.end(), bool(tag[1])
        if name == "br":
            broken = _AFTER_BREAK.match(self._source, end)
            return self._put(self._line, broken.end() if broken else end)
        if name in tags.FOLDS:
            self._pieces.fold(tag[0], name, closing=closing)
            return end
        if closing and self._close(name, tag.start()):
            return end
        if not closing and name in tags.CODE and (behind := self._tagged_code(name, end)):
            return behind
        if name == "img" and (address := tags.attribute(tag[3], "src")):
            return self._picture(clean(address), clean(tags.attribute(tag[3], "alt")), end)
        if not closing and (kind := tags.styled(name, tag[3])) and self._source[end : end + 1].strip():
            address = addresses.as_url(clean(tags.attribute(tag[3], "href"))) if name == "a" else ""
            self._open.setdefault(name, []).append(OpenTag(len(self._pieces), kind, address, self._pieces.links))
        return self._put(tag[0], end)

    def _tagged_code(self, name: str, start: int) -> int:
        """Take what stands between ``<code>`` and ``</code>``; where that ends, 0 where there is none."""
        end = self._find(f"</{name}>", start)
        code = clean(unescape(self._source[start:end])) if end > 0 else ""
        readable = code.strip() and "`" not in code
        return self._code(code.replace("\n", self._line), end + len(name) + 3) if readable else 0

    def _find(self, what: str, start: int) -> int:
        """Where it is; what is missing once is not looked for again."""
        if what in self._missing:
            return -1
        place = self._source.find(what, start)
        if place < 0:
            self._missing.add(what)
        return place

    def _picture(self, address: str, alt: str, end: int) -> int:
        node = len(self._pieces)
        self._pieces.put("")
        self._pieces.put(alt)
        self._pieces.link(node, addresses.as_url(address), "", image=True, nested=False)
        return end

    def _close(self, name: str, at: int) -> bool:
        """Whether a closing tag has an opening one; what stands between them is formatted."""
        opened = self._open.get(name)
        if not opened or not self._source[at - 1 : at].strip():
            return False
        tag = opened.pop()
        if tag.kind in ("sub", "sup"):
            self._pieces.script(tag.node, below=tag.kind == "sub")
        elif tag.kind == "text_link":
            self._pieces.link(tag.node, tag.address, "", image=False, nested=self._pieces.links > tag.links)
        else:
            self._pieces.style(tag.node, tag.kind)
        return True


_STEPS: dict[str, Callable[[_Reader, int], int]] = {
    "\\": _Reader.backslash,
    "`": _Reader.backticks,
    **dict.fromkeys("*_~|=", _Reader.run),
    "$": _Reader.dollar,
    "&": _Reader.ampersand,
    "\n": _Reader.newline,
    "^": _Reader.caret,
    ":": _Reader.colon,
    "w": _Reader.www,
    "!": _Reader.bang,
    "[": _Reader.bracket,
    "]": _Reader.closing_bracket,
    "<": _Reader.angle,
}
