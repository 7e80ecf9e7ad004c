r"""LaTeX formulas as Unicode text: ``x_{ij}^2`` becomes ``xᵢⱼ²`` (pure).

What is not known stays as it was written.
"""

import re
import unicodedata
from collections.abc import Callable

from workers.telegram.markdown.math import symbols
from workers.telegram.markdown.math.chemistry import spelled
from workers.telegram.markdown.math.matrices import Matrices, Matrix, cleared
from workers.telegram.markdown.math.siunitx import spelled_out

_TOKEN = re.compile(r"\\[A-Za-z]+\*?|\\[\s\S]|[{}^_&~']|[^\\{}^_&~']+|\\")
_ATOM = re.compile(r"√?(?:\d[\d.,]*|[^\W\d_]+[⁰-₟ᵃ-ᵿ²³¹′!]*|.)")
_CELL, _ROW = "\x1f", "\x1e"
"""Between cells and rows of a matrix until it is whole."""
_DEEP = 40
"""Groups within groups that are still read; what is deeper stays as it was written."""


def raised(text: str) -> str | None:
    """``text`` in superscript characters; None where one is missing."""
    return _mapped(text, symbols.OVER)


def lowered(text: str) -> str | None:
    """The same in subscript characters."""
    return _mapped(text, symbols.UNDER)


def _mapped(text: str, table: dict[str, str]) -> str | None:
    characters = [table.get(character) for character in text if character != " "]
    return None if None in characters or not characters else "".join(filter(None, characters))


def to_unicode(formula: str, *, lines: bool = False) -> str:
    """Write a formula as text; an unknown command stays as it is.

    Args:
        formula: LaTeX.
        lines: Each row of a matrix or an alignment becomes a line.
    """
    matrices, formula = Matrices(), cleared(spelled(spelled_out(formula)))
    text = _Formula(formula, "\n" if lines else "; ", matrices).all()
    text = re.sub(r"[ \t]*\n\s*", "\n", re.sub(r"(?<=\S) {3,}", "  ", text)).strip()
    return (matrices.laid_out(text) if lines else matrices.in_a_line(text)) or formula.strip()


class _Formula:
    """A formula and the place up to which it is read."""

    def __init__(self, formula: str, row: str, matrices: Matrices) -> None:
        self._tokens = _TOKEN.findall(formula)
        self._at = 0
        self._row = row
        self._column = "  "
        self._matrices = matrices
        self._depth = 0

    def all(self) -> str:
        parts: list[str] = []
        while self._at < len(self._tokens):
            parts.append(self._until(frozenset()))
            if self._at < len(self._tokens):
                parts.append(self._take())
        return "".join(parts)

    def _take(self) -> str:
        sign = self._tokens[self._at]
        self._at += 1
        return sign

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _until(self, ends: frozenset[str]) -> str:
        """All up to a closing brace, or to one of the ``ends``."""
        parts: list[str] = []
        while (sign := self._peek()) and sign != "}" and sign not in ends:
            parts.append(self._one(self._take(), parts))
        return "".join(parts)

    def _one(self, sign: str, before: list[str]) -> str:
        if sign == "{":
            return self._group()
        if sign in ("^", "_"):
            return self._script(sign)
        if sign == "&":
            return self._column
        if sign == "~":
            return " "
        if sign == "'":
            return "′"
        if sign == "\\\\":
            if self._peek().startswith("[") and "]" in self._peek():
                self._tokens[self._at] = self._peek().partition("]")[2]
            return self._row
        if not sign.startswith("\\") or len(sign) == 1:
            return sign
        name = sign[1:].rstrip("*")
        if not name or not name[0].isalpha():
            return symbols.ESCAPES.get(sign[1:], sign[1:])
        return self._command(sign, name, before)

    def _group(self) -> str:
        """What stands up to the closing brace, which is taken."""
        if self._depth >= _DEEP:
            return "{"
        self._depth += 1
        inside = self._until(frozenset())
        self._depth -= 1
        if self._peek() == "}":
            self._take()
        return inside

    def _argument(self) -> str:
        """The next group, command or character."""
        sign = self._peek()
        if sign.isspace():
            self._take()
            sign = self._peek()
        if not sign or sign in ("}", "&", "\\\\", "\\end"):
            return ""
        self._take()
        if sign != "{" and not sign.startswith("\\") and len(sign) > 1:
            stripped = sign.lstrip()
            self._at -= 1
            self._tokens[self._at] = stripped[1:]
            return stripped[:1]
        if self._depth >= _DEEP:
            return sign
        self._depth += 1
        argument = self._one(sign, [])
        self._depth -= 1
        return argument

    def _option(self) -> str:
        """An optional argument in brackets."""
        sign = self._peek()
        if not sign.startswith("[") or "]" not in sign:
            return ""
        option, _, rest = sign[1:].partition("]")
        if rest:
            self._tokens[self._at] = rest
        else:
            self._take()
        return option

    def _script(self, mark: str) -> str:
        text = self._argument().strip()
        mapped = raised(text) if mark == "^" else lowered(text)
        if mapped is not None:
            return mapped
        return f"{mark}{text}" if len(text) <= 1 else f"{mark}({text})"

    def _command(self, sign: str, name: str, before: list[str]) -> str:
        if name in _READERS:
            return _READERS[name](self)
        if name in symbols.DROPPED:
            return self._delimiter()
        if name in symbols.PLAIN_ARGUMENT:
            return self._argument()
        if name in symbols.FONTS:
            return "".join(_styled(character, symbols.FONTS[name]) for character in self._argument())
        if name in symbols.ACCENTS:
            return _accented(name, self._argument())
        if name in symbols.FUNCTIONS:
            return self._spaced(name, before)
        symbol = symbols.symbol(name)
        if symbol is None:
            # With the braces of its arguments, so that it can be read as what it is.
            return f"{sign}{{{self._braced()}}}" if self._peek() == "{" else sign
        tight = "".join(before[-1:])[-1:].strip() and unicodedata.category(symbol[0]) == "Sm"
        if tight and self._peek().startswith(" "):
            # A blank that only ends the command's name.
            self._tokens[self._at] = self._peek()[1:]
        return symbol

    def _braced(self) -> str:
        self._take()
        return self._group()

    def _delimiter(self) -> str:
        r"""After ``\left`` a point is no delimiter."""
        if self._peek().startswith(".") and self._tokens[self._at - 1] in ("\\left", "\\right"):
            self._tokens[self._at] = self._peek()[1:]
        return ""

    def _spaced(self, name: str, before: list[str]) -> str:
        """A function's name apart from letters beside it."""
        following = self._peek()
        lead = " " if before and before[-1][-1:].isalnum() else ""
        trail = " " if following[:1].isalnum() or (following.startswith("\\") and following[1:2].isalpha()) else ""
        return f"{lead}{name}{trail}"

    def fraction(self) -> str:
        over, under = self._argument(), self._argument()
        # Of one that is still being written the upper part is there first.
        return f"{_whole(over)}/{_whole(under)}" if under.strip() else over

    def root(self) -> str:
        degree = self._option()
        sign = {"": "√", "2": "√", "3": "∛", "4": "∜"}.get(degree) or f"{raised(degree) or f'({degree})'}√"
        under = self._argument()
        return f"{sign}{_whole(under)}" if under.strip() else sign

    def binomial(self) -> str:
        return f"C({self._argument()}, {self._argument()})"

    def above(self) -> str:
        over, base = self._argument(), self._argument()
        return f"{base}{raised(over) or f'^({over})'}"

    def below(self) -> str:
        under, base = self._argument(), self._argument()
        return f"{base}{lowered(under) or f'_({under})'}"

    def arrow(self) -> str:
        said = self._argument()
        return f"—{said}→" if said else "→"

    def negated(self) -> str:
        return unicodedata.normalize("NFC", f"{self._argument()}\u0338")

    def modulo(self) -> str:
        return f" (mod {self._argument()})"

    def tag(self) -> str:
        return f"  ({self._argument()})"

    def environment(self) -> str:
        name = self._argument()
        if name.rstrip("*") in ("array", "tabular", "alignedat", "alignat"):
            self._argument()
        if self._depth >= _DEEP:
            return name
        self._depth += 1
        around, flows = (self._column, self._row), name.startswith(symbols.ALIGNED)
        if flows:
            self._column = ""
        else:
            self._column, self._row = _CELL, _ROW
        inside = self._until(frozenset({"\\end"}))
        row = self._row
        self._column, self._row = around
        self._depth -= 1
        if self._peek() == "\\end":
            self._take()
            self._argument()
        rows = [line for line in inside.split(row) if line.strip()]
        if flows:
            return row.join(map(str.strip, rows))
        left, right = symbols.BRACKETS.get(name.rstrip("*"), "  ")
        cells = tuple(tuple(map(str.strip, line.split(_CELL))) for line in rows)
        return self._matrices.put(Matrix(cells, left.strip(), right.strip()))


_READERS: dict[str, Callable[[_Formula], str]] = {
    **dict.fromkeys(("frac", "dfrac", "tfrac", "cfrac"), _Formula.fraction),
    "sqrt": _Formula.root,
    **dict.fromkeys(("binom", "dbinom", "tbinom"), _Formula.binomial),
    **dict.fromkeys(("overset", "stackrel"), _Formula.above),
    "underset": _Formula.below,
    "xrightarrow": _Formula.arrow,
    "not": _Formula.negated,
    **dict.fromkeys(("pmod", "mod"), _Formula.modulo),
    "tag": _Formula.tag,
    "begin": _Formula.environment,
}


def _whole(text: str) -> str:
    """In parentheses unless it is one thing."""
    text = text.strip()
    return text if _ATOM.fullmatch(text) else f"({text})"


def _accented(name: str, text: str) -> str:
    if len(text) == 1 or (name == "overline" and text.isalnum()):
        return "".join(unicodedata.normalize("NFC", f"{character}{symbols.ACCENTS[name]}") for character in text)
    return f"{name}({text})"


def _styled(character: str, fonts: tuple[str, str]) -> str:
    kind = "DIGIT" if character.isdigit() else "CAPITAL" if character.isupper() else "SMALL"
    name = unicodedata.name(character, "").rpartition(" ")[2]
    for font in fonts:
        try:
            return unicodedata.lookup(f"{font} {kind} {name}")
        except KeyError:
            continue
    return character
