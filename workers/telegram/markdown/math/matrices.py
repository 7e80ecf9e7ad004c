"""Matrices of a formula, laid out in monospace: each row is a line, with brackets as high as they are (pure)."""

import re
import unicodedata
from dataclasses import dataclass

_TALL = {
    "(": "⎛⎜⎝",
    ")": "⎞⎟⎠",
    "[": "⎡⎢⎣",
    "]": "⎤⎥⎦",
    "{": "⎧⎨⎩",
    "}": "⎫⎬⎭",
    "|": "│││",
    "‖": "‖‖‖",
}
"""Upper end, middle and lower end."""
_FIRST = 0xE000
_MOST = 64
"""Matrices of one formula that stand for themselves."""
_STANDS_FOR = re.compile(f"[{chr(_FIRST)}-{chr(_FIRST + _MOST - 1)}]")
_BARE = re.compile(f"([([{{|‖])[ ]?({_STANDS_FOR.pattern})[ ]?([)\\]}}|‖])")
_AROUND = (("(", ")"), ("[", "]"), ("{", "}"), ("|", "|"), ("‖", "‖"))
WIDEST = 32
"""Columns that a phone shows in monospace; a wider line would break within the brackets."""


@dataclass(frozen=True, slots=True)
class Matrix:
    """Its rows of cells, and what stands around them."""

    rows: tuple[tuple[str, ...], ...]
    left: str = ""
    right: str = ""

    def in_a_line(self) -> str:
        rows = "; ".join("  ".join(row) for row in self.rows)
        return f"{self.left}{rows}{self.right}".strip()

    def lines(self) -> list[str]:
        wide = max(map(len, self.rows))
        cells = [[*row, *[""] * (wide - len(row))] for row in self.rows]
        widths = [max(_width(row[column]) for row in cells) for column in range(wide)]
        last = len(cells) - 1
        return [
            _bracket(self.left, place, last)
            + "  ".join(_filled(cell, width) for cell, width in zip(row, widths, strict=True))
            + _bracket(self.right, place, last)
            for place, row in enumerate(cells)
        ]


def _bracket(sign: str, place: int, last: int) -> str:
    sign = sign.strip()
    if not sign:
        return ""
    upper, middle, lower = _TALL.get(sign, sign * 3)
    return upper if place == 0 else lower if place == last else "⎪" if middle in "⎨⎬" and 2 * place != last else middle


def _width(text: str) -> int:
    return sum(not unicodedata.combining(character) for character in text)


def _filled(text: str, width: int) -> str:
    return text + " " * (width - _width(text))


def cleared(formula: str) -> str:
    """Without characters that would stand for a matrix."""
    return _STANDS_FOR.sub("", formula)


class Matrices:
    """Those of one formula, each of which a character stands for until the whole is known."""

    def __init__(self) -> None:
        self._found: list[Matrix] = []

    def put(self, matrix: Matrix) -> str:
        """What stands for it."""
        if len(matrix.rows) < 2 or len(self._found) >= _MOST:  # noqa: PLR2004 - a row is a line by itself
            return matrix.in_a_line()
        rows = tuple(tuple(map(self.in_a_line, row)) for row in matrix.rows)
        self._found.append(Matrix(rows, matrix.left, matrix.right))
        return chr(_FIRST + len(self._found) - 1)

    def in_a_line(self, text: str) -> str:
        """With each matrix in a line."""
        return _STANDS_FOR.sub(lambda found: self._of(found[0]).in_a_line(), text)

    def laid_out(self, text: str) -> str:
        """Each line of a formula as so many as its matrices take, or in a line where that is too wide."""
        return "\n".join(map(self._laid_out, text.split("\n"))) if self._found else text

    def _within(self, found: re.Match[str]) -> str:
        """A matrix whose brackets were written around it has them as high as it is."""
        matrix = self._of(found[2])
        if matrix.left or matrix.right or (found[1], found[3]) not in _AROUND:
            return found[0]
        self._found[ord(found[2]) - _FIRST] = Matrix(matrix.rows, found[1], found[3])
        return found[2]

    def _of(self, sign: str) -> Matrix:
        return self._found[ord(sign) - _FIRST]

    def _laid_out(self, line: str) -> str:
        if not _STANDS_FOR.search(line):
            return line
        line = _BARE.sub(self._within, line)
        blocks = [self._of(piece).lines() if _STANDS_FOR.match(piece) else [piece] for piece in _pieces(line) if piece]
        high = max(map(len, blocks))
        rows = [""] * high
        for block in blocks:
            above = (high - len(block)) // 2
            width = max(map(_width, block))
            for place in range(high):
                here = block[place - above] if above <= place < above + len(block) else ""
                rows[place] += _filled(here, width)
        rows = [row.rstrip() for row in rows]
        return "\n".join(rows) if max(map(_width, rows)) <= WIDEST else self.in_a_line(line)


def _pieces(line: str) -> list[str]:
    return re.split(f"({_STANDS_FOR.pattern})", line)
