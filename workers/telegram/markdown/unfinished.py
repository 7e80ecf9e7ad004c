"""What an answer that still grows most probably becomes, so that its marks are not seen while they are written (pure).

Without it a reader sees ``**Impor`` become **Important**, the dash of a list's first item make a heading of
the line above it, and a link's address run along. It concerns the last block only, so a frame costs no more.
"""

import re
from bisect import bisect_left

from workers.pictures import PICTURE_MARK
from workers.telegram.markdown.html.lists import ended
from workers.telegram.markdown.html.tables import unended, with_end
from workers.telegram.markdown.math import siunitx
from workers.telegram.markdown.math.formulas import is_not_math

_TAIL = 600
"""Characters at a text's end in which something that only begins is looked for."""
_LONGEST_CODE = 600
"""Characters of code or of a formula that is not ended."""
_LONGEST = 4_000
"""Characters of a paragraph that is still looked at as a whole."""
_HTTP = r"<?(?:h(?:t(?:t(?:ps?(?::\S*)?)?)?)?)?"
_FENCE = re.compile(r"[ \t>]*(?:[-*+][ \t]+|\d{1,3}[.)][ \t]+)?(?:`{3,}|~{3,})[^`]*")
_ONLY_BEGINS = re.compile(
    r"[ \t>]*(?:[-*+_=#~`|:]*|\d{1,4}[.)]?|[-*+][ \t]+(?:\[[ xX]?\]?|\d{1,3}[.)])|\[![A-Za-z]{0,9}\]?"
    r"|\\b[a-z]{0,4}(?:\{[A-Za-z*]{0,16}\}?)?"
    # Notes (``containers``).
    r"|(?::{2,}[ \t]*|:{3,}[ \t]*(?:\{\.?|\{?\.?[A-Za-z].*))|!{1,3}|\?{1,3}\+?"
    r"|(?:!!!|\?\?\?\+?)[ \t]+(?:[A-Za-z][\w-]{0,20}(?:[ \t]+\".*)?)?"
    rf"|\[[^\]^\n][^\]\n]{{0,80}}\]:[ \t]*(?:{_HTTP}|<?https?://\S+[ \t]+[\"'(].*))"
)
_ROW = re.compile(r"[ \t>]*\|(?!\|)")
_DELIMITERS = re.compile(r"[ \t>]*\|?[-:| \t]*")
_FORMATS = "b|strong|i|em|u|ins|s|del|mark|code|kbd|sub|sup|small|big|font|span|h[1-6]|blockquote"
_FRAMES = "p|div|center|section|article|figure|hr"
_MARKS = re.compile(
    # A formula between dollars is short, and raw it is unreadable.
    r"(?:(?<![^\s(\[{\"'*])\$(?=[A-Za-z\\({])[^$\n]{0,200}(?:\\|\^|_\{)[^$\n]{0,200}\Z)|"
    r"(?:[*_~|`]{1,10}|(?<![^\s(*_])==|!?\[|\\[(\[]?|\${1,2}|【\d[^【】\n]{0,40}"
    r"|<details(?:[ \t][^<>\n]{0,80})?>\s*(?:<summary>[^<\n]{0,200})?"
    # Habits of models (``habits``), and chemistry and units without dollars.
    r"|(?<=[^\W\d_])~[^\s~^]{1,5}|(?<=[\w)\]~])\^[^\s~^]{0,6}|(?<![\w:]):[a-z_+][a-z0-9_+-]{0,24}"
    r"|\[(?:ci?|cit[a-z_]{0,10}(?:\]|:[\d,; ]{0,80})?)"
    r"|\\(?:ce?|pu?|(?:S(?:I[a-z]{0,5})?|si?|q(?:ty?[a-z]{0,5})?|u(?:n(?:it?)?)?|n(?:um?[a-z]{0,5})?|a(?:ng?)?)"
    r"(?:\[[^\[\]\n]{0,80}\]?)?)"
    rf"|<(?:/?[A-Za-z]{{0,10}}[1-6]?[ \t]?/?|(?:{_FORMATS})(?:[ \t][^<>\n]{{0,99}})?>"
    rf"|(?:a|img|details|{_FRAMES}|{_FORMATS})[ \t][^<>\n]{{0,400}}))\Z"
)
_MOST = 20
"""Beginnings within each other that are taken away."""
_PART = re.compile(
    r"`+|\\[(\[]|\\.|\$\$|\*{2,3}|~~|==|\|\||!?\[|\]"
    rf"|<(?P<end>/?)(?P<tag>{_FORMATS})(?:[ \t][^<>]{{0,100}})?>"
)
_END = re.compile(r"`+|\\[)\]]|\$\$")
_NO_BEGINNING_BEHIND = frozenset("(=,")
_AROUND_WORDS = ("**", "***", "~~", "||", "==")
_FORMULAS = {"\\(": "\\)", "\\[": "\\]", "$$": "$$"}
_DISPLAYED = re.compile(r"^[ \t>]*(?:(?:[-*+]|\d{1,3}[.)])[ \t]+)?(\$\$|\\\[|\\begin\{([A-Za-z]+\*?)\})", re.MULTILINE)
"""What a formula in lines of its own begins with."""
_FENCES = re.compile(r"^[ \t>]*(?:(?:[-*+]|\d{1,3}[.)])[ \t]+)?(`{3,}|~{3,})", re.MULTILINE)
_COMMAND = re.compile(r"(?:\\begin\{[^{}\n]*\}?|\\end\{[^{}\n]*|\\[A-Za-z]*\{?|[_^]\{?)\Z")
"""A command of a formula that may go on; a name alone says nothing yet."""
_ADDRESS = re.compile(rf"\({_HTTP}\Z")


def without_beginnings(source: str) -> str:
    """A text without what stands at its end and only begins something: marks, a fence, a table's head."""
    at = max(0, len(source) - _TAIL)
    tail = source[at:].rstrip()
    for _ in range(_MOST):
        lines = tail.split("\n")
        if _FENCE.fullmatch(lines[-1]) or _ONLY_BEGINS.fullmatch(lines[-1]):
            if at and len(lines) == 1:
                break
            kept = "\n".join(lines[:-1])
        elif held := _rows_of_no_table_yet(lines):
            kept = "\n".join(lines[:-held])
        elif marks := _MARKS.search(tail):
            kept = tail[: marks.start()]
        elif (begun := _chemistry(lines[-1])) is not None or (begun := siunitx.begun(lines[-1])) is not None:
            kept = "\n".join((*lines[:-1], lines[-1][:begun]))
        else:
            break
        tail = kept.rstrip()
    return source[:at] + tail


def with_formula_ended(source: str) -> str:
    """A text whose last formula in lines of its own is not ended, with an end: its form stays when that comes."""
    start = source.rfind("\n\n") + 1
    paragraph = source[start:]
    at = 0
    while len(paragraph) <= _LONGEST and (found := _DISPLAYED.search(paragraph, at)):
        closing = f"\\end{{{found[2]}}}" if found[2] else _FORMULAS[found[1]]
        end = paragraph.find(closing, found.end())
        if end >= 0:
            at = end + len(closing)
            continue
        formula = _COMMAND.sub("", paragraph[found.end() :].rstrip()).rstrip()
        formula += "}" * (formula.count("{") - formula.count("}"))
        if is_not_math(formula) or _in_code(source[: start + found.start()]):
            break
        begun = source[: start + found.start()]
        return f"{source[: start + found.end()]}{formula}{closing}" if formula.strip() else begun.rstrip()
    return source


def _chemistry(line: str) -> int | None:
    r"""Where a ``\ce{`` begins that has no end yet."""
    start = max(line.rfind("\\ce{"), line.rfind("\\pu{"))
    return start if start >= 0 and line.count("{", start) > line.count("}", start) else None


def with_table_ended(source: str) -> str:
    """A text whose last table in HTML is not ended, with its whole rows, and an end."""
    start = unended(source)
    if start is None or _in_code(source[:start]):
        return source
    return with_end(source, start)


def _in_code(source: str) -> bool:
    fence = ""
    for found in _FENCES.finditer(source):
        fence = found[1] if not fence else "" if found[1].startswith(fence) else fence
    return bool(fence)


def _rows_of_no_table_yet(lines: list[str]) -> int:
    """How many of the last lines begin a table whose line below the head is not whole."""
    *before, last = ("", "", *lines)
    if not _ROW.match(last):
        return 0
    if not _ROW.match(before[-1]):
        return 1
    begins = not _ROW.match(before[-2]) and _DELIMITERS.fullmatch(last)
    return 2 if begins and last.count("|") < before[-1].count("|") else 0


def closed(text: str) -> str:
    """A paragraph whose bold text, code, formula or link is not ended yet, with an end."""
    return _Ending(ended(text)).closed() if len(text) <= _LONGEST else text


class _Ending:
    def __init__(self, text: str) -> None:
        self._text = text
        self._open: list[str] = []
        self._brackets: list[re.Match[str]] = []
        self._ends: dict[str, list[int]] = {}
        for found in _END.finditer(text):
            self._ends.setdefault(found[0], []).append(found.start())

    def closed(self) -> str:
        text, at = self._text, 0
        while found := _PART.search(text, at):
            mark, at = found[0], found.end()
            if mark[0] == "`" or mark in _FORMULAS:
                closing = _FORMULAS.get(mark, mark)
                end = self._end(closing, at)
                if end is not None:
                    at = end
                elif _begins(mark, text, found.start(), at):
                    return self._with_ends((_COMMAND.sub("", text) if mark in _FORMULAS else text) + closing)
            elif mark in _AROUND_WORDS:
                self._around_words(mark, found.start(), at)
            elif mark.endswith("["):
                self._brackets.append(found)
            elif mark[0] == "<":
                self._tag(found)
            elif mark == "]" and self._brackets:
                bracket = self._brackets.pop()
                if _ADDRESS.match(text, at) and not _has_end(text, at):
                    return self._with_ends(_labelled(text, bracket, found.start()))
        return self._with_ends(text)

    def _with_ends(self, text: str) -> str:
        return "".join((text, *reversed(self._open)))

    def _end(self, closing: str, at: int) -> int | None:
        places = self._ends.get(closing, [])
        place = bisect_left(places, at)
        return places[place] + len(closing) if place < len(places) else None

    def _tag(self, found: re.Match[str]) -> None:
        """Take a tag for the end of what it began, or for a beginning where a word follows."""
        end = f"</{found['tag']}>"
        if not found["end"] and self._text[found.end() : found.end() + 1].strip():
            self._open.append(end)
        elif found["end"] and end in self._open:
            del self._open[self._open.index(end) :]

    def _around_words(self, mark: str, start: int, end: int) -> None:
        """Take a mark for the end of what it began, or for a beginning where a word follows."""
        before, after = self._text[max(0, start - 1) : start], self._text[end : end + 1]
        if mark in self._open and before.strip():
            del self._open[self._open.index(mark) :]
        elif after.strip() and not before.isalnum() and before not in _NO_BEGINNING_BEHIND:
            self._open.append(mark)


def _begins(mark: str, text: str, start: int, end: int) -> bool:
    """Whether code or a formula begins here: not a lone backtick, nor ``$$`` for what is dear."""
    before, behind = text[max(0, start - 1) : start], text[end : end + _LONGEST_CODE]
    if mark == "$$":
        words = bool(behind.strip()) and not behind[0].isspace() and not behind[0].isdigit()
        return (before in ("", "\n") and bool(behind.strip())) or (before == " " and words)
    return not before.isalnum() and bool(behind.strip()) and "\n\n" not in behind and len(text) - end < _LONGEST_CODE


def _has_end(text: str, at: int) -> bool:
    """Whether the parenthesis at a place has its counterpart."""
    depth = 0
    for character in text[at:]:
        depth += {"(": 1, ")": -1}.get(character, 0)
        if not depth:
            return True
    return False


def _labelled(text: str, bracket: re.Match[str], end: int) -> str:
    """A link whose address is still being written, as its words."""
    picture = PICTURE_MARK if bracket[0][0] == "!" else ""
    return f"{text[: bracket.start()]}{picture}{text[bracket.end() : end]}"
