"""Matrices of a formula in lines of its own stand as they are written on paper, where a phone is wide enough."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.telegram.markdown.math.latex import to_unicode
from workers.telegram.markdown.math.matrices import WIDEST

LAID_OUT = {
    r"\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix} \begin{bmatrix} x \\ y \end{bmatrix} = b": """
⎛1  2⎞ ⎡x⎤ = b
⎝3  4⎠ ⎣y⎦""",
    r"f(x) = \begin{cases} x^2 & x \geq 0 \\ -x & \text{otherwise} \end{cases}": """
f(x) = ⎧x²  x ≥ 0
       ⎩-x  otherwise""",
    r"A = \begin{bmatrix} 1 & 0 & 0 \\ 0 & 10 & 0 \\ 0 & 0 & 100 \end{bmatrix}": """
    ⎡1  0   0  ⎤
A = ⎢0  10  0  ⎥
    ⎣0  0   100⎦""",
    r"\begin{aligned} a &= \begin{pmatrix}1\\2\end{pmatrix} \\ b &= c \end{aligned}": """
a = ⎛1⎞
    ⎝2⎠
b = c""",
    r"\left( \begin{array}{cc} a & b \\ c & d \end{array} \right)^{-1}": """
⎛a  b⎞⁻¹
⎝c  d⎠""",
    r"\begin{pmatrix} \bar{y} & 1 \\ \frac{a}{b} & c \end{pmatrix}": """
⎛ȳ    1⎞
⎝a/b  c⎠""",
    r"\begin{pmatrix} a \end{pmatrix}": "\n(a)",
    r"\begin{pmatrix} 1 & 2 \\ 3": """
⎛1  2⎞
⎝3   ⎠""",
}


@pytest.mark.promise("markdown")
@pytest.mark.parametrize("formula", LAID_OUT)
def test_a_matrix_in_lines_of_its_own_has_brackets_as_high_as_it_is(formula: str) -> None:
    assert to_unicode(formula, lines=True) == LAID_OUT[formula][1:]


def test_a_matrix_within_a_line_or_too_wide_for_a_phone_is_a_line() -> None:
    formula = r"M = \begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}"
    assert to_unicode(formula) == "M = (1  2; 3  4)"
    wide = r"M = \begin{pmatrix} " + "x" * WIDEST + r" & 2 \\ 3 & 4 \end{pmatrix}"
    assert to_unicode(wide, lines=True) == f"M = ({'x' * WIDEST}  2; 3  4)"


WORDS = [
    r"\begin{pmatrix}",
    r"\end{pmatrix}",
    r"\begin{cases}",
    r"\end{cases}",
    r"\\",
    "&",
    "(",
    ")",
    "{",
    "}",
    r"\frac",
    "^",
    "\ue000",
    "\ue007",
    "q",
    " ",
]


@given(st.lists(st.sampled_from(WORDS), max_size=20).map("".join))
def test_nothing_that_stands_for_a_matrix_is_left(formula: str) -> None:
    for lines in (True, False):
        said = to_unicode(formula, lines=lines)
        assert not any("\ue000" <= character <= "\uf8ff" or character in "\x1e\x1f" for character in said)
        assert said.count("q") == formula.count("q")
