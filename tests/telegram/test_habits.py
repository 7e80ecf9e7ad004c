"""Habits of models that no standard of Markdown knows, and what a person reads of them."""

import pytest

from tests.telegram.markdown import formatted, shown
from workers.telegram.render import growing

FENCE = "```"


@pytest.mark.promise("markdown")
@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("**Pros:**\n* fast\n* cheap\n**Cons:**\n* slow", "Pros:\n• fast\n• cheap\nCons:\n• slow"),
        ("- a\n  - b\nOther things:\n- c", "• a\n  • b\nOther things:\n• c"),
        ("1. a\nand goes on\n2. b", "1. a\n  and goes on\n2. b"),
        ("> - a\nb:\nc", "• a\n  b:\n  c"),
    ],
)
def test_a_line_that_names_what_follows_is_no_part_of_the_item_above_it(source: str, text: str) -> None:
    assert shown(source) == text


@pytest.mark.promise("markdown")
@pytest.mark.parametrize(
    ("source", "text"),
    [
        ('Traceback:\n  File "x.py", line 1\n    foo(*a, **b)\nError', None),
        ("a. first\nb. second\n   i. below", None),
        ("• x\n  ◦ y\n    ▪ z", None),
        ("  both\n  lines", "both\nlines"),
        ("1. a\n     b", "1. a\n  b"),
        ("**bold\n   goes on** [a\n  b](https://c.d)", "bold\n   goes on a\n  b"),
    ],
)
def test_a_paragraph_keeps_the_indentation_of_its_lines(source: str, text: str | None) -> None:
    assert shown(source) == (source if text is None else text)


@pytest.mark.promise("markdown")
@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("Berlin\ue200cite\ue202turn0search1\ue202turn2news3\ue201.", "Berlin."),
        ('In \ue200entity\ue202["city","Paris","capital"]\ue201 now', "In Paris now"),
        ("See \ue200url\ue202The page\ue202https://a.b/c\ue201.", "See The page https://a.b/c."),
        ("From a file\ue200filecite\ue202turn0file0\ue202L1-L5\ue201", "From a file"),
        ("It grows \ue200cite\ue202turn0sea", "It grows"),
        ("A【1†source】. B 【4:0†plan.pdf】, C【12†L1-L5】", "A. B [plan.pdf], C"),
        ("【标题】 and 【1】 stay", "【标题】 and 【1】 stay"),
        ("As Bing wrote[^1^] and [^note]", "As Bing wrote[1] and [note]"),
        ("\ue200" * 3 + " and \ue202\ue201 end", "and  end"),
    ],
)
def test_marks_of_a_model_s_search_are_not_shown(source: str, text: str) -> None:
    assert shown(source).strip() == text


@pytest.mark.promise("markdown")
@pytest.mark.parametrize(
    ("info", "text", "language"),
    [
        ("python app.py", "app.py\nx", "python"),
        ("ts:src/app.ts", "src/app.ts\nx", "ts"),
        ('json title="two words"', "x", "json"),
        ("{.python .numberLines}", "x", "python"),
        ("c++ main.cpp", "main.cpp\nx", "c++"),
        ("some words here", "some words here\nx", ""),
    ],
)
def test_a_fence_may_name_a_file_beside_its_language(info: str, text: str, language: str) -> None:
    source = f"{FENCE}{info}\nx\n{FENCE}"
    assert shown(source) == text
    (part,) = growing(source)
    assert [entity.get("language", "") for entity in part.entities] == [language]


@pytest.mark.promise("markdown")
def test_lines_in_a_cell_are_lines_of_a_list() -> None:
    source = "| Step | Price<br>(USD) |\n|---|---|\n| 1 | do **a<br>then** b |\n"
    assert shown(source) == "Step: Price (USD)\n• 1: do a\n  then b"
    assert ("bold", "a\n  then") in formatted(source)


@pytest.mark.promise("markdown")
@pytest.mark.parametrize("sign", ["👨‍👩‍👧‍👦", "🇩🇪", "❤️", "👩‍❤️‍👨", "👍🏽", "1️⃣", "⚠️", "✅", "漢"])
def test_an_emoji_of_several_characters_takes_two_columns_of_a_table(sign: str) -> None:
    assert shown(f"| A | B |\n|---|---|\n| {sign} | x |") == f"A  | B\n---+--\n{sign} | x"


@pytest.mark.promise("markdown")
@pytest.mark.parametrize(
    ("formula", "text"), [("\\sqrt[3]{8}=2", "∛8=2"), ("\\sqrt[n]{x+1}", "ⁿ√(x+1)"), ("\\sqrt[3]8", "∛8")]
)
def test_a_root_has_its_degree_and_what_it_is_taken_of(formula: str, text: str) -> None:
    assert shown(f"\\({formula}\\)") == text
