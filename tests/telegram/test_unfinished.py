"""What a reader sees of an answer at each moment while it grows."""

import re

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.telegram.markdown import is_valid
from workers.telegram.markdown.document import to_entities
from workers.telegram.markdown.unfinished import closed, without_beginnings
from workers.telegram.render import growing

FENCE = "```"
ANSWERS = {
    "list": "Intro:\n\n1. **First**: text\n   - [x](https://a.b/c) ok\n   - `code`\n2. **Second _one_**: more\n\nEnd.",
    "dashes": "Pros:\n- fast\n- cheap\n\nCons:\n* slow\n\n---\n\n### Next **part**\n\nText\n- item",
    "tasks": "- [ ] to do\n- [x] done\n",
    "code": f"See:\n\n{FENCE}python\ndef f():\n    return 1\n{FENCE}\n\nand `inline` ok.\n\n~~~\nx\n~~~\n",
    "deeper": f"1. One\n   - Two\n     - Three:\n       {FENCE}js\n       x()\n       {FENCE}\n2. Four",
    "quotes": "> quoted **b**\n> more\n\n> [!NOTE]\n> hi\n\n||spoiler|| ~~struck~~ ***both*** end",
    "links": "A [link text](https://a.b/c_d_e) and ![img](https://a.b/i.png), **[bold](https://x.y)** end",
    "references": 'Of [one][1].\n\n[1]: https://a.b/c "Title"\n',
    "folded": "<details>\n<summary>Sum</summary>\n\nbody\n\n</details>\n\nend",
    "titles": "Title\n=====\n\nBelow\n-----\n\ntext",
    "wide": "说明：**注意**：先备份。\n\n- **甲**：`一`\n",
    "formulas": "So \\( x = \\frac{-b \\pm \\sqrt{b}}{2a} \\) and $\\mathbb{R}$.\n\n"
    "\\[\n\\int_0^\\infty x \\, dx\n\\]\n\n"
    "$$\n\\begin{aligned}\na &= b \\\\\nc &= \\sqrt{d}\n\\end{aligned}\n$$\n\n"
    "\\begin{equation}\n\\sum_{i=1}^{n} i\n\\end{equation}\n\n"
    "1. Step:\n   $$\n   \\frac{a}{b}\n   $$\n2. See $$x_1$$ there",
    "sources": "So it is【4:0†source】. And【1†plan.pdf】 \ue200cite\ue202turn0search1\ue201 end",
}
RAW = re.compile(
    r"\*\*|\]\(|```|~~|\|\||\\[(\[]|<details|<summ|\\[A-Za-z]+|\$|^[ \t]*(?:[-*+#]|\d+[.)])[ \t]*$|^\|", re.MULTILINE
)


def seen(source: str) -> list[str]:
    """What is seen at each moment, each once."""
    shown: list[str] = []
    for end in range(1, len(source) + 1):
        text, entities = to_entities(source[:end], grows=True)
        is_valid(text, entities)
        if not shown or shown[-1] != text:
            shown.append(text)
    return shown


@pytest.mark.promise("long-answers")
@pytest.mark.parametrize("name", ANSWERS)
def test_no_mark_is_seen_while_it_is_written(name: str) -> None:
    for text in seen(ANSWERS[name]):
        assert not RAW.search(text), text


@pytest.mark.parametrize("text", ["It costs $$ and more", "Use $HOME/bin and $PATH", "```\n$$\nx", "$5 and $x of it"])
def test_dollars_that_begin_no_formula_are_seen_as_they_are(text: str) -> None:
    assert to_entities(text, grows=True)[0] == text.replace("```\n", "")


@pytest.mark.promise("long-answers")
@pytest.mark.parametrize("name", ANSWERS.keys() - {"references", "links", "sources", "formulas"})
def test_what_is_seen_is_the_beginning_of_what_will_be_seen(name: str) -> None:
    final, _ = to_entities(ANSWERS[name])
    for text in seen(ANSWERS[name]):
        # Of a style with one mark (*x) the mark is seen until its end.
        beginning = re.sub(r"(?<!\w)[*_](?=\w)|[ \t\n]+", "", text)
        assert re.sub(r"[*_\s]", "", final).startswith(re.sub(r"[*_]", "", beginning)), text


@pytest.mark.promise("long-answers")
def test_a_line_above_the_first_dash_of_a_list_is_no_heading_meanwhile() -> None:
    for end in range(len("Text\n- item") + 1):
        assert to_entities("Text\n- item"[:end], grows=True)[1] == []


@pytest.mark.promise("long-answers")
def test_a_table_is_seen_as_one_from_its_first_row_on() -> None:
    source = "Here:\n\n| Name | Price |\n|:---|---:|\n| **Tea** | 1 |\n"
    pictures = [to_entities(source[:end], grows=True) for end in range(1, len(source) + 1)]
    for text, entities in pictures:
        assert "|:" not in text
        assert "*" not in text
        assert ("Name" in text) == any(entity["type"] == "pre" for entity in entities)
    assert pictures[-1] == to_entities(source)


@pytest.mark.promise("long-answers")
@pytest.mark.parametrize(
    ("source", "text", "kinds"),
    [
        ("So \\(a^2 + b", "So a² + b", ["code"]),
        ("\\[\nx = \\frac{1}{2}", "x = 1/2", ["pre"]),
        ("$$\ny = 2", "y = 2", ["pre"]),
        ("It costs $$ and more", "It costs $$ and more", []),
        ("Run `ls -l", "Run ls -l", ["code"]),
        ("the rock'n`roll", "the rock'n`roll", []),
        ("**a `b` c", "a b c", ["bold", "code", "bold"]),
        ("**a `b", "a b", ["bold", "code"]),
        ("2**10 and x**2", "2**10 and x**2", []),
        ("dp[i](j", "dp[i](j", []),
        ("f(**kwargs", "f(**kwargs", []),
        ("**", "", []),
        ("```python", "", []),
        ("| a | b |\n|---", "", []),
        ("a | b", "a | b", []),
        ("[10:15]: hello", "[10:15]: hello", []),
        ('[Ann]: "Hi', '[Ann]: "Hi', []),
    ],
)
def test_what_is_not_ended_is_read_as_what_it_becomes(source: str, text: str, kinds: list[str]) -> None:
    shown, entities = to_entities(source, grows=True)
    assert (shown, [entity["type"] for entity in entities]) == (text, kinds)


@pytest.mark.promise("long-answers")
@hypothesis_settings(deadline=None, max_examples=150)
@given(
    st.lists(
        st.sampled_from([*"*_`~|[]()<>\\$#-+=:!.1 \n", "**", "```", "](", "a", "bc", "😀", "\\(", "| "]), max_size=40
    )
)
def test_any_beginning_is_shown_as_a_valid_message_and_no_word_before_its_end_is_held_back(parts: list[str]) -> None:
    source = "".join(parts)
    is_valid(*to_entities(source, grows=True))
    (part,) = growing("word " + source + "\n\nend") or [None]
    assert part is not None
    assert "word" in part.text
    assert "end" in part.text


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "unit", ["* ", "**a ", "[", "![", "`", "``a ", "<", "<a ", "$$", "\\(", "| a |\n", "- ", "> ", "\\", "【1"]
)
def test_an_end_of_one_mark_is_read_in_time(unit: str) -> None:
    for size in (4_000, 200_000):
        source = unit * (size // len(unit))
        assert len(without_beginnings(source)) <= len(source)
        assert len(closed(source)) >= len(source) - 4_000
