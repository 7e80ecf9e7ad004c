"""Code in Markdown is shown byte for byte, wherever it stands and whatever stands around it."""

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.telegram.markdown import formatted, shown

FENCE = "```"
CODES = [
    "$x",
    "${VAR}",
    "a || b",
    "x|y",
    "ls | wc -l",
    "<!-- x -->",
    "<b>&amp;</b>",
    "List<String>",
    r"\(x\) \[y\] \\ \*",
    "**a** _b_ ~~c~~",
    "__init__",
    "[a](b)",
    "![](c)",
    "https://a.b/_c_/d*e*",
    "$$x^2$$",
    "# no",
    "- no",
    "> no",
    "1. no",
    "| a | b |",
    "{{ x }}",
    "a  b",
    "\tx",
    "漢字 😀",
]
"""Code without backticks and line breaks."""
AROUND = [
    "Pay $5 or ",
    "Set $VAR, then ",
    "<!-- note --> ",
    "a || b ",
    "**bold** ",
    "_",
    "\\",
    "(",
    "<b>",
    "$",
    "|| ",
    "\\( ",
]
BESIDE = ["text", "Pay $5 or", "$VAR", "a || b", "**b**", "<b>x</b>", "5*4", "x_y_z", "(", "\\*", "<kbd>", "<!--"]


def wrapped(code: str) -> str:
    return f"`{code}`"


@pytest.mark.promise("markdown")
@pytest.mark.parametrize("around", AROUND)
@pytest.mark.parametrize("code", CODES)
def test_code_in_a_line_stays_as_it_is(code: str, around: str) -> None:
    source = f"{around.replace(chr(92), 'x ')}{wrapped(code)}{around.lstrip(chr(92))} end"
    assert ("code", code) in formatted(source)


@pytest.mark.promise("markdown")
@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize(
    "source",
    [
        "# Title {}",
        "- item {}\n  - nested {}",
        "1. {} item",
        "> quote {}",
        "> - quoted {}",
        "**bold {} text**",
        "- [x] {}",
        "| a | b | c |\n|---|---|---|\n| {} | " + "long " * 12 + "| c |",
    ],
)
def test_code_in_titles_items_quotes_and_tables_stays_as_it_is(code: str, source: str) -> None:
    assert ("code", code) in formatted(source.replace("{}", wrapped(code)))


@pytest.mark.promise("markdown")
@pytest.mark.parametrize("code", [code for code in CODES if "\t" not in code])
def test_code_in_a_small_table_keeps_its_row_whole(code: str) -> None:
    text = shown(f"| a | b | c |\n|---|---|---|\n| {wrapped(code)} | yes | no |")
    row = text.split("\n")[2]
    assert row.startswith(code)
    assert row.split()[-3:] == ["yes", "|", "no"]


LINES = [*CODES, "", "    indented", "``", "~~~", "</pre>", "\\end{x}", "$$", "---", "==="]
blocks = st.lists(st.sampled_from(LINES), min_size=1, max_size=6).map("\n".join).filter(str.strip)
prose = st.sampled_from(
    [
        "text", "Pay $5 or $x.", "**open", "*a", "_b", "a || b", "<b>", "<!--", "<details>", "\\[", "\\(", "$$",
        "[a", "![", "| a | b |\n|---|---|", "- item", "1. item",
        "> quote", "# title", "~~x", "||y", "<pre>", '<a href="x">', "\\begin{align}", "---", "", "[^1]: note",
    ]
)  # fmt: skip


@pytest.mark.promise("markdown")
@hypothesis_settings(deadline=None, max_examples=150)
@given(st.lists(st.tuples(prose, blocks), min_size=1, max_size=5))
def test_blocks_of_code_among_unfinished_markup_stay_as_they_are(pieces: list[tuple[str, str]]) -> None:
    source = "\n\n".join(f"{text}\n\n{FENCE}py\n{code}\n{FENCE}" for text, code in pieces)
    found = [code for _, code in formatted(source, "pre")]
    assert [code for _, code in pieces] == [code for code in found if code in {code for _, code in pieces}]


@pytest.mark.promise("markdown")
@hypothesis_settings(deadline=None, max_examples=150)
@given(st.lists(st.tuples(st.sampled_from(BESIDE), st.sampled_from(CODES)), min_size=1, max_size=6))
def test_codes_in_one_line_stay_as_they_are(pieces: list[tuple[str, str]]) -> None:
    source = " ".join(f"{text} {wrapped(code)}" for text, code in pieces)
    assert [code for _, code in formatted(source, "code")] == [code for _, code in pieces]


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("- a\n\n  ```\n  x\n    y\n  ```", "x\n  y"),
        ("> ```\n> x\n>   y\n> ```", "x\n  y"),
        ("1. a\n\n       x\n         y", "x\n  y"),
        ("a\n\n    x\n      y\n\n    z\nb", "x\n  y\n\nz"),
        ("~~~\n```\nx\n```\n~~~", "```\nx\n```"),
        ("````\n```\nx\n```\n````", "```\nx\n```"),
        ("```\n\tx\n\t\ty\n```", "\tx\n\t\ty"),
        ("```\n\n\nx\n\n```", "\n\nx\n"),
        ("a\n```\nnot ended `x` **y**", "not ended `x` **y**"),
    ],
)
def test_blocks_of_code_keep_their_indentation(source: str, code: str) -> None:
    assert formatted(source, "pre") == [("pre", code)]


@pytest.mark.parametrize(
    ("source", "code"), [("`` a`b ``", "a`b"), ("``` `` ```", "``"), ("` `` `", "``"), ("`a\nb`", "a b")]
)
def test_code_may_have_backticks_in_it(source: str, code: str) -> None:
    assert formatted(source) == [("code", code)]


@pytest.mark.promise("markdown")
@pytest.mark.parametrize(
    ("source", "text", "code"),
    [
        (f"Here is `it`: {FENCE}py\nx\n{FENCE}\nMore **text**", "Here is it:\nx\nMore text", "x"),
        (f"a\nso:{FENCE}\n  x\n{FENCE}\nb", "a\nso:\n  x\nb", "  x"),
        (f"- so:{FENCE}py\n  x\n  {FENCE}\n- b", "• so:\nx\n• b", "x"),
        (f"{FENCE}py\nx\ny{FENCE}\nMore **text**", "x\ny\nMore text", "x\ny"),
        (f"{FENCE}\necho {FENCE}\n{FENCE}", f"echo {FENCE}", f"echo {FENCE}"),
    ],
)
def test_a_fence_on_one_line_with_text_is_a_fence(source: str, text: str, code: str) -> None:
    assert shown(source) == text
    assert formatted(source, "pre") == [("pre", code)]


def test_a_fence_that_is_only_spoken_of_is_text() -> None:
    source = f"Code begins with {FENCE}py\nand ends soon."
    assert (shown(source), formatted(source)) == (source, [])
