"""Nothing of a text is lost, its entities are valid, and reading it takes time in proportion to its length."""

import pytest
from hypothesis import example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.telegram.markdown import is_kept, is_valid
from workers.telegram.markdown.document import to_entities

MARKS = [
    "*", "**", "***", "_", "__", "`", "``", "```", "```\n", "```py\n", "~~~\n", "~~", "~", "||", "|", "<", "</",
    "/>", ">", "<b>", "</b>",
    "<i>", "</i>", "<code>", "</code>", "<kbd>", "</kbd>", "<br>", "<!--", "-->", "<div>", "</div>",
    "<details>\n<summary>", "<details>",
    "<summary>", "</summary>", "</details>\n", "<sub>", "</sub>", "<sup>", "</sup>", "<pre>", "</pre>\n",
    '<a href="https://h.example/q_1_">',
    "</a>", "[", "]", "(", ")", "](", "](https://a.example/x_y_z)", "![", "![](", "| ", "|-|-|\n", "|\n",
    "| a | b |\n|-|-|\n", "# ", "> ",
    "- ", "+ ", "* ", "1. ", "7. ", "7) ", "- [ ] ", "    ", "\t", "\n", "\n\n", " ", "$", "$$", "$$\n", "\\",
    "\\\\", "\\(", "\\)", "\\[",
    "\\]", "\\frac{", "{", "}", "^", "&amp;", "&", "---\n", "===\n", "[^1]", "[^1]: ", "😀", "：", "。", "!", ".", ",",
    ":", ";", '"', "'", "/",
]  # fmt: skip
WORDS = [
    "word",
    "Zeile",
    "42",
    "1969",
    "слово",
    "漢字",
    "https://a.example/b_c/d_e",
    "https://a.example/a*b*c",
    "http://x.example/__init__.py",
]
pieces = st.lists(st.sampled_from(MARKS) | st.sampled_from(WORDS) | st.sampled_from([" ", "\n"]), max_size=24)


@pytest.mark.promise("markdown")
@hypothesis_settings(deadline=None, max_examples=500)
@given(pieces)
@example(["**", "word", "：", "**", "漢字"])
@example(["[", "![", "word", "](https://a.example/x_y_z)", "](https://a.example/x_y_z)"])
def test_no_word_number_or_address_is_lost_and_entities_are_valid(parts: list[str]) -> None:
    source = "".join(parts)
    is_valid(*to_entities(source))
    for part in parts:
        if part in WORDS:
            assert is_kept(part, source)


@pytest.mark.promise("markdown")
@hypothesis_settings(deadline=None, max_examples=200)
@given(pieces, st.data())
def test_a_text_that_still_grows_is_read_as_well(parts: list[str], data: st.DataObject) -> None:
    source = "".join(parts)
    is_valid(*to_entities(source[: data.draw(st.integers(0, len(source)))]))


@pytest.mark.promise("markdown")
@pytest.mark.parametrize("count", [30, 500])
@pytest.mark.parametrize(
    "mark", ["> ", "- ", "1. ", "> - ", "[", "![", "*a **b ", "<b><i>", "<sup>", "(", "{", "$\\frac{"]
)
def test_what_is_nested_deeply_is_not_lost(mark: str, count: int) -> None:
    source = mark * count + "word 42"
    assert is_kept("word 42", source)
    is_valid(*to_entities(source))


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "unit",
    [
        "*a ", "**a", "_a ", "`a", "``a` ", "```a\nx```\n", "so:```\n", "so:```py\nx\n```\n",
        "```md\n```x\n```\n", "||a", "~~a", "<b>a", "<sup>a", "<!--",
        '<a href="', "<code>", "<pre>\n",
        "<details>\n<summary>a</summary>\n", "[", "[a](", '[a](b "', "[a](<b", "![a](b)", "[a]: b\n", "[a][b] ",
        "| a |\n|---|\n", "| `", "> ", "> a\n",
        "- ", "- a\n", "1. a\n", "+ a\n", "a\n", "$$\n", "$a", "\\(a ", "\\[\na\n", "\\begin{a}\n", "\\frac{",
        "https://a://**", "www.", "a\n---\n", "😀*",
    ],
)  # fmt: skip
def test_a_long_text_of_one_mark_is_read_in_time(unit: str) -> None:
    text, entities = to_entities(unit * (20_000 // len(unit)))
    assert text
    for entity in entities[:1000]:
        assert entity["length"] > 0
