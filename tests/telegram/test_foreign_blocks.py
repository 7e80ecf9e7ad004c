"""Notes, folds and frames that are no Markdown, units of LaTeX, and tags that say nothing in a chat."""

import re

import pytest

from tests.telegram.markdown import formatted, is_valid, shown
from workers.telegram.markdown.document import to_entities
from workers.telegram.markdown.rich import rich_blocks
from workers.telegram.render import render

FENCE = "```"
NOTES = [
    ("Text\n\n:::tip\nBe **careful**.\n:::\n\nend", "Text\n\n💡 Tip\nBe careful.\n\nend", "💡 Tip\nBe careful."),
    ("::: note Title here\na\n\n- b\n:::\nend", "ℹ️ Title here\na\n\n• b\n\nend", "ℹ️ Title here\na\n\n• b"),
    (":::warning[My title]\nx\n:::", "⚠️ My title\nx", "⚠️ My title\nx"),
    ("::: {.caution}\nx\n:::", "🛑 Caution\nx", "🛑 Caution\nx"),
    (
        '!!! warning "Hot"\n    Read **this**.\n\n    - a\n\nend',
        "⚠️ Hot\nRead this.\n\n• a\n\nend",
        "⚠️ Hot\nRead this.\n\n• a",
    ),
    (f"!!! note\n    {FENCE}py\n    x\n    {FENCE}\nend", "ℹ️ Note\nx\n\nend", "ℹ️ Note\nx"),
    ("::::tip\na\n:::note\nb\n:::\n::::\nend", "💡 Tip\na\n\nℹ️ Note\nb\n\nend", "💡 Tip\na\n\nℹ️ Note\nb"),
    (":::tip\nnever ended", "💡 Tip\nnever ended", "💡 Tip\nnever ended"),
]
FRAMES = [
    ("<p>Hello <b>you</b></p>\n<p>Two</p>", "Hello you\n\nTwo"),
    ("<p>a</p><p>b</p>", "a\n\nb"),
    ('<div align="center">\n\n# Title\n\n</div>\n\nend', "Title\n\nend"),
    ('<p align="center">\n    <b>Hi</b>\n</p>\n\nend', "Hi\n\nend"),
    ("<center>Title</center>\n\nText<br>more", "Title\n\nText\nmore"),
    ("<section><article>x</article></section>", "x"),
    ("<div>\n<p>One\n<p>Two\n</div>\nend", "One\n\nTwo\n\nend"),
    ("a\n<hr>\nb\n<hr/>\nc", "a\n\n———\n\nb\n\n———\n\nc"),
    ('<font color="red">r</font> <small>s</small> <big>b</big> <span style="x:y">t</span>', "r s b t"),
    ("::: columns\nleft\n:::", "left"),
]
FOLDS = [
    ("<details>\n\nhidden **text**\n\n</details>\n\nend", "hidden text\n\nend", "hidden text"),
    ("<details>hidden</details> end", "hidden\nend", "hidden"),
    ("<details open>\n<summary>Sum</summary>\n\nbody\n\n</details>", "Sum\n\nbody", "body"),
    ('??? tip "Folded"\n    hidden\n\nend', "💡 Folded\n\nhidden\n\nend", "hidden"),
    (":::details More\nhidden\n:::\nend", "More\n\nhidden\n\nend", "hidden"),
]


@pytest.mark.promise("markdown")
@pytest.mark.parametrize(("source", "text", "quote"), NOTES)
def test_a_note_of_any_tool_is_a_quote_with_a_title(source: str, text: str, quote: str) -> None:
    assert shown(source) == text
    assert formatted(source, "blockquote") == [("blockquote", quote)]


@pytest.mark.promise("markdown")
@pytest.mark.parametrize(("source", "text", "quote"), FOLDS)
def test_what_is_folded_is_a_quote_that_opens_with_a_summary_or_without(source: str, text: str, quote: str) -> None:
    assert shown(source) == text
    assert formatted(source, "expandable_blockquote") == [("expandable_blockquote", quote)]


@pytest.mark.promise("markdown")
@pytest.mark.parametrize(("source", "text"), FRAMES)
def test_tags_that_only_arrange_a_page_are_not_shown(source: str, text: str) -> None:
    assert shown(source) == text


@pytest.mark.promise("markdown")
@pytest.mark.parametrize(
    "text",
    [
        "Use <div> and </div>, a <p>hi</p> here, and <center>this</center> too",
        "Is it so? !!! Yes !!!\n??? what\n:::",
        "!!! note\nwhose text stands at the left",
        ":::python\nx = 1",
        "~5 of ~10, ~half, cd ~/x and ~/y",
    ],
)
def test_words_about_them_stay_as_they_were_written(text: str) -> None:
    assert shown(text) == text


@pytest.mark.promise("markdown")
def test_in_code_nothing_of_it_is_read() -> None:
    code = "<div>\n:::tip\n<p>x</p>\n:::\n!!! note\n    y\n</div>"
    assert formatted(f"{FENCE}html\n{code}\n{FENCE}", "pre") == [("pre", code)]
    assert formatted("<pre>\n&lt;b&gt;\n<div>x</div>\n</pre>", "pre") == [("pre", "<b>\n<div>x</div>")]


@pytest.mark.promise("markdown")
def test_single_tildes_around_words_strike_them_out() -> None:
    source = "It is ~gone~ now (~two words~), H~2~O is not"
    assert shown(source) == "It is gone now (two words), H₂O is not"
    assert formatted(source) == [("strikethrough", "gone"), ("strikethrough", "two words")]


@pytest.mark.promise("markdown")
@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("\\SI{3}{\\meter}", "3 m"),
        ("\\qty{5.2}{\\kilo\\gram\\per\\meter\\squared}", "5.2 kg m⁻²"),
        ("\\SI[per-mode=symbol]{9.81}{m/s^2}", "9.81 m s⁻²"),
        ("\\SI{3}{kg.m^2}", "3 kg m²"),
        ("\\qty{20}{\\degreeCelsius}", "20 °C"),
        ("\\SI{45}{\\degree}", "45°"),
        ("\\ang{12;30;5}", "12°30′5″"),
        ("\\si{\\micro\\ohm}", "µΩ"),
        ("\\unit{\\joule\\per\\mole\\per\\kelvin}", "J mol⁻¹ K⁻¹"),
        ("\\SI{1e3}{\\cubic\\centi\\metre}", "1·10³ cm³"),
        ("\\num{1.2 +- 0.1}", "1.2 ± 0.1"),
        ("\\SIrange{1}{5}{\\kilo\\watt\\hour}", "1–5 kW h"),
        ("\\qty{1}{\\foo}", "1 \\foo"),
    ],
)
def test_numbers_with_units_are_read_in_formulas_and_in_a_text(source: str, text: str) -> None:
    assert shown(f"It is {source} here.") == f"It is {text} here."
    for formula in (f"\\({source}\\)", f"$$\n{source}\n$$"):
        assert shown(formula) == text


def test_a_rich_message_has_them_as_well() -> None:
    (block,) = rich_blocks("$$\nv = \\SI{3}{\\meter\\per\\second}\n$$")
    assert block["expression"] == "v = 3\\,\\mathrm{m\\,s^{-1}}"
    (reply,) = render("# T\n\n:::tip\n- a\n:::", rich=True)
    assert reply.rich is not None
    heading, quote = reply.rich
    assert (heading["type"], quote["type"]) == ("heading", "blockquote")


RAW = re.compile(
    r"</?[A-Za-z]+|:::|!!!|\?\?\?|\*\*|\]\(|```|\\[A-Za-z]+|\[!|[{}]|^[ \t]*(?:[-*+#>]|\d+[.)])[ \t]*$", re.MULTILINE
)
GROWING = {
    "units": "It is \\SI{3}{\\meter\\per\\second}, \\si{\\ohm} and \\num{1e5}.\n\n\\[\nv = \\qty{3}{\\m}\n\\]\n\nend",
    "tags": '<b>bold</b> and <mark>m</mark>, <font color="red">r</font> <small>x</small>\n<h1 id="a">T</h1>\n\nend',
    "tasks": "- [ ] a\n  - [x] b\n    - [ ] c\n1. [x] d\n   - [ ] e\n\nend",
    "cells": "| Op | Means |\n|---|---|\n| `a | b` | or |\n| `||` | **so** |\n\nend",
    "fences": f"1. Do:\n\n   {FENCE}bash\n   ls\n   {FENCE}\n\n2. Then:\n   {FENCE}py\n   x\n   {FENCE}\n- a\n\nend",
    "both": "***bold italic*** and **bold *both* x** and **_x_** and _**y**_ end",
    "links": "See [a](https://e.org/Foo_(bar)) and (see [d](https://e.f/g_(h)_(i))). End (x).",
    "footnotes": "Text[^1] and[^note].\n\n[^1]: First **note**.\n[^note]: Other\n\nend",
    **{f"note {place}": source for place, (source, *_) in enumerate(NOTES)},
    **{f"fold {place}": source for place, (source, *_) in enumerate(FOLDS) if "<details>hidden" not in source},
    **{f"frame {place}": source for place, (source, *_) in enumerate(FRAMES)},
}


@pytest.mark.promise("long-answers")
@pytest.mark.parametrize("name", GROWING)
def test_none_of_it_is_seen_raw_while_it_is_written(name: str) -> None:
    source = GROWING[name]
    for end in range(1, len(source) + 1):
        text, entities = to_entities(source[:end], grows=True)
        is_valid(text, entities)
        assert not RAW.search(text), text
    assert to_entities(source, grows=True) == to_entities(source)


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "unit",
    [":::a\n", ":::tip\n", "!!! note\n    x\n", "!!! note\n", "<div>", "<div>\n", "</p>", "</p>\n", "<p>x</p>\n",
     "<details>", "~a ", "~a~", "\\SI{", "\\SI{3}", "\\num{1}", "<b>a", "</div><div>", "<div", " ", "::: "],
)  # fmt: skip
def test_many_of_them_are_read_in_time(unit: str) -> None:
    source = unit * (20_000 // len(unit))
    to_entities(source)
    to_entities(source, grows=True)
