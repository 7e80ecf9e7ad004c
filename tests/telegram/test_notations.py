"""Notations beside Markdown that models use: small digits, chemistry, definitions, tables in HTML, names of emoji."""

import re

import pytest

from tests.telegram.markdown import formatted, is_valid, shown
from workers.telegram.markdown.document import to_entities
from workers.telegram.markdown.rich import rich_blocks


@pytest.mark.promise("markdown")
@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("H~2~O, CO~2~ and H~2~SO~4~", "H₂O, CO₂ and H₂SO₄"),
        ("x^2^, m^2^/s, 10^-3^ mol, 2^10^, the 1^st^", "x², m²/s, 10⁻³ mol, 2¹⁰, the 1ˢᵗ"),
        ("Ca^2+^, SO~4~^2-^ and Na^+^Cl^-^", "Ca²⁺, SO₄²⁻ and Na⁺Cl⁻"),
        ("x~i~ and x~n~", "xᵢ and xₙ"),
        ("**H~2~O** is *x^2^*", "H₂O is x²"),
    ],
)
def test_what_is_lowered_or_raised_is_shown_in_small_characters(source: str, text: str) -> None:
    assert shown(source) == text


@pytest.mark.promise("markdown")
@pytest.mark.parametrize(
    "text",
    [
        "2^3^4, a^b^c and x^2 + y^2",
        "1~2~3, 3~5个，10~20个 and ~5 to ~10",
        "foo~bar~baz, ~user/x and cd ~/x, ~half of ~10, 好的~ 谢谢~",
        "^_^ and ^^, ^abc^ and x^q^",
        "12:30:45, a:b:c, key:x:value and :nothing_known:",
        "[cite] and [citation needed] and [cite: Smith]",
        "Use <ul> with <li>, and <table> for tables",
        "<table><tr><td>1</td></tr>words beside it</table>",
        "Note\n: ",
        "It says:\n: that",
    ],
)
def test_what_only_looks_like_it_stays_as_it_was_written(text: str) -> None:
    assert shown(text) == text.strip()


@pytest.mark.promise("markdown")
@pytest.mark.parametrize(
    ("formula", "text"),
    [
        ("\\ce{2H2 + O2 -> 2H2O}", "2H₂ + O₂ → 2H₂O"),
        ("\\ce{SO4^2-}", "SO₄²⁻"),
        ("\\ce{[Fe(CN)6]^{4-}}", "[Fe(CN)₆]⁴⁻"),
        ("\\ce{NH4+(aq) + OH- <=> NH3_{(g)}}", "NH₄⁺(aq) + OH⁻ ⇌ NH₃(g)"),
        ("\\ce{CaCO3 ->[\\Delta] CaO + CO2 ^}", "CaCO₃ —Δ→ CaO + CO₂ ↑"),
        ("\\ce{Ag+ + Cl- -> AgCl v}", "Ag⁺ + Cl⁻ → AgCl ↓"),
        ("\\ce{CuSO4*5H2O}", "CuSO₄·5H₂O"),
        ("\\ce{^{227}_{90}Th+}", "²²⁷₉₀Th⁺"),
        ("\\ce{HC#CH}, \\ce{CH2=CH2}", "HC≡CH, CH₂=CH₂"),
        ("K = \\frac{[\\ce{H+}][\\ce{OH-}]}{[\\ce{H2O}]}", "K = ([H⁺][OH⁻])/([H₂O])"),
        ("\\pu{9.81 m s-2}", "9.81 m s⁻²"),
    ],
)
def test_chemistry_is_read_in_each_kind_of_formula(formula: str, text: str) -> None:
    for source in (f"\\({formula}\\)", f"${formula}$", f"$$\n{formula}\n$$", f"\\[{formula}\\]"):
        assert shown(source) == text


@pytest.mark.promise("markdown")
def test_chemistry_without_dollars_and_in_a_rich_message_is_read() -> None:
    assert shown("Water is \\ce{H2O}.") == "Water is H₂O."
    (block,) = rich_blocks("$$\n\\ce{H2O}\n$$")
    assert block["expression"] == "H_{2}O"


@pytest.mark.promise("markdown")
@pytest.mark.parametrize(
    ("source", "text", "bold"),
    [
        ("Apple\n: A fruit\n: A company", "Apple\n  A fruit\n  A company", ["Apple"]),
        (
            "Apple\n:   A fruit\n    of a tree.\n\nPear\n\n:   Too",
            "Apple\n  A fruit\n  of a tree.\n\nPear\n\n  Too",
            ["Apple", "Pear"],
        ),
        ("A\n: a\nB\n: b", "A\n  a\nB\n  b", ["A", "B"]),
        ("**A**\n: *a*", "A\n  a", ["A"]),
    ],
)
def test_a_term_stands_above_its_definitions(source: str, text: str, bold: list[str]) -> None:
    assert shown(source) == text
    assert [words for kind, words in formatted(source) if kind == "bold"] == bold


@pytest.mark.promise("markdown")
@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("> [!CAUTION] Hot\n> text", "🛑 Hot\ntext"),
        ("> [!INFO]\n> text", "ℹ️ Info\ntext"),
        ("> [!custom]- **Own** one\n> text", "Own one\ntext"),
        ("Done :white_check_mark: and :rocket:!", "Done ✅ and 🚀!"),
        ("[cite_start]So it is [cite: 1, 2]. And[cite:3].", "So it is. And."),
        ("So it is [citation:3][citation:12].", "So it is [3][12]."),
    ],
)
def test_notes_of_any_kind_names_of_emoji_and_marks_of_sources_are_read(source: str, text: str) -> None:
    assert shown(source) == text


TABLE = "<table>\n<thead><tr><th>A</th><th>B</th></tr></thead>\n<tr><td>1<td>**2**</tr>\n</table>"


@pytest.mark.promise("markdown")
@pytest.mark.parametrize(
    ("source", "text"),
    [
        (TABLE, "A | B\n--+--\n1 | 2"),
        (f"So:\n{TABLE}\n\nend", "So:\nA | B\n--+--\n1 | 2\n\nend"),
        ("<ul>\n<li>one</li>\n<li>two</li>\n</ul>\nend", "• one\n• two\nend"),
        ("<ol><li>a</li><li>b<ul><li>c</li></ul></li></ol>", "1. a\n2. b\n◦ c"),
        ("| A | B |\n|---|---|\n| x | <ul><li>`a`</li><li>b</li></ul> |", "A: B\n• x:\n  • a\n  • b"),
        ("`<ul><li>a</li></ul>` is code", "<ul><li>a</li></ul> is code"),
        ("```html\n<table><tr><td>1</td></tr></table>\n```", "<table><tr><td>1</td></tr></table>"),
    ],
)
def test_tables_and_lists_of_html_are_read_and_those_in_code_are_not(source: str, text: str) -> None:
    assert shown(source) == text


RAW = re.compile(r"</?(?:table|t|ul|ol|li)|[~^]\d|\\(?:ce|pu)|\[cit|:(?:rocket|white)|^: ", re.MULTILINE)
ANSWERS = {
    "small": "Water is H~2~O, and x^2^ + SO~4~^2-^ is it.\n\nEnd.",
    "chemistry": "So \\ce{Fe^{2+} -> Fe^3+} and $\\ce{H2O}$ and \\(\\ce{CO2}\\).\n\n\\[\n\\ce{2H2 + O2 -> 2H2O}\n\\]\n",
    "definitions": "Apple\n: A fruit\n: A company\n\nPear\n: A fruit\n",
    "table": f"Here:\n\n{TABLE}\n\nend",
    "list": "Here:\n\n<ul>\n<li>one</li>\n<li>two</li>\n</ul>\n\n| A |\n|---|\n| <ul><li>a</li></ul> |\n\nend",
    "marks": "[cite_start]It is so[cite: 1, 2]. Or [citation:3] :rocket: and :white_check_mark: ok",
}


@pytest.mark.promise("long-answers")
@pytest.mark.parametrize("name", ANSWERS)
def test_none_of_their_marks_is_seen_while_it_is_written(name: str) -> None:
    source = ANSWERS[name]
    for end in range(1, len(source) + 1):
        text, entities = to_entities(source[:end], grows=True)
        is_valid(text, entities)
        assert not RAW.search(text), text
    assert to_entities(source, grows=True)[0] == to_entities(source)[0]


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "unit",
    ["H~2~", "x^2", "<table>", "<tr><td>", "<ul><li>", "<ul>", "\\ce{", "\\ce{H2", "[cite:", ":a", "A\n: b\n", "</li>"],
)
def test_many_of_them_are_read_in_time(unit: str) -> None:
    source = unit * (20_000 // len(unit))
    to_entities(source)
    to_entities(source, grows=True)
