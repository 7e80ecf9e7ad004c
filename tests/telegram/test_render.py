"""Models' Markdown as Telegram messages."""

from typing import NoReturn

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from botapi.split import Part
from tasks.envelope import Reply
from tasks.phrases import phrase
from tasks.text import utf16
from workers.telegram.markdown.document import to_entities
from workers.telegram.render import GOES_ON, growing, render

NASTY = [
    *(
        "*",
        "**",
        "_",
        "__",
        "`",
        "```",
        "```py\n",
        "~~",
        "||",
        "<",
        ">",
        "<b>",
        "</b>",
        "<br>",
        "<!--",
        "<div>\n",
        "[",
        "](",
    ),
    *(
        "![",
        "(",
        ")",
        "|",
        "|-|-|\n",
        "| a | b |\n",
        "# ",
        "> ",
        "- ",
        "1. ",
        "    ",
        "\n",
        "\n\n",
        "$",
        "$$",
        "\\(",
        "\\)",
    ),
    *(
        "\\[",
        "\\]",
        "\\frac{",
        "}",
        "&amp;",
        "\x00",
        "\ud83d",
        "😀",
        "[^1]",
        "- [ ] ",
        "---\n",
        "https://a.b/c_d_",
        "word",
    ),
    *("<tg-spoiler>", "</tg-spoiler>", "\u202e", "\r\n", "***SAVE_HISTORY x", "tg://emoji?id=5368324170671202286"),
]
markdown = st.lists(st.sampled_from(NASTY) | st.text(max_size=6), max_size=60).map("".join)


def texts(source: str) -> list[tuple[str, list[tuple[str, str]]]]:
    """Each message's text, with (type, covered text) of its entities."""
    return [(reply.text, [(e["type"], covered(reply.text, e)) for e in reply.entities]) for reply in replies(source)]


def covered(text: str, entity: dict) -> str:
    units = text.encode("utf-16-le")
    return units[2 * entity["offset"] : 2 * (entity["offset"] + entity["length"])].decode("utf-16-le")


def replies(source: str) -> tuple[Reply, ...]:
    return render(source)


def sendable(reply: Reply) -> None:
    assert reply.text.strip()
    assert utf16(reply.text) <= 4096
    assert len(reply.entities) <= 100
    reply.text.encode()
    for entity in reply.entities:
        assert entity["length"] > 0
        assert 0 <= entity["offset"] <= utf16(reply.text) - entity["length"]
        covered(reply.text, entity)


@pytest.mark.promise("markdown")
@hypothesis_settings(deadline=None, max_examples=300)
@given(markdown)
def test_whatever_a_model_writes_becomes_messages_that_telegram_takes(source: str) -> None:
    for reply in replies(source):
        sendable(reply)
        assert Reply.from_json(reply.to_json()) == reply
    for part in growing(source):
        sendable(Reply(text=part.text, entities=part.entities))


@pytest.mark.promise("markdown")
@hypothesis_settings(deadline=None, max_examples=60)
@given(st.lists(st.text("abcäöü漢😀", min_size=1, max_size=12), min_size=1, max_size=3000))
def test_no_word_of_a_long_answer_is_lost(words: list[str]) -> None:
    source = " ".join(words)
    parts = replies(source)
    if parts[-1].file_text is None:
        assert " ".join(part.text for part in parts).split() == source.split()
    else:
        assert parts[-1].file_text == source


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("Use List<String> here", "Use List<String> here"),
        ("if a < b and c > d", "if a < b and c > d"),
        ("the <b> tag", "the <b> tag"),
        ("a <div>, a <p>hi</p> and a </div>", "a <div>, a <p>hi</p> and a </div>"),
        ("Use <details>\n\nand </details>", "Use <details>\n\nand </details>"),
        ("one<br>two<br/>three", "one\ntwo\nthree"),
        ("cd $HOME/$USER now", "cd $HOME/$USER now"),
        ("from $5 to 10$ a month", "from $5 to 10$ a month"),
        ("a || b || c", "a || b || c"),
        ("**not closed", "**not closed"),
        ("a\r\nb\x00c\ud800d", "a\nbc\ufffdd"),
        ("````", "````"),
    ],
)
def test_text_that_only_looks_like_markup_is_shown_as_it_is(source: str, text: str) -> None:
    assert [shown for shown, _ in texts(source)] == [text]


@pytest.mark.parametrize(
    ("source", "text", "entities"),
    [
        (
            "a **b** *c* ~~d~~ `e<f`",
            "a b c d e<f",
            [("bold", "b"), ("italic", "c"), ("strikethrough", "d"), ("code", "e<f")],
        ),
        ("||secret|| here", "secret here", [("spoiler", "secret")]),
        (r"so \(x^2 + \alpha\) is", "so x² + α is", [("code", "x² + α")]),
        (r"code `\((\w+)\)` stays", r"code \((\w+)\) stays", [("code", r"\((\w+)\)")]),
        ("```tex\n\\(\\alpha + x\\)\n```", r"\(\alpha + x\)", [("pre", r"\(\alpha + x\)")]),
        ("[a](https://b.c) [d](#e) [f](javascript:g)", "a d f", [("text_link", "a")]),
        ("> a\n> > b", "a\nb", [("blockquote", "a\nb")]),
        (
            "1. item\n   ```\n   if x:\n       y\n   ```\n2. next",
            "1. item\nif x:\n    y\n2. next",
            [("pre", "if x:\n    y")],
        ),
        ("- a\n  - b\n- [x] c", "• a\n  • b\n☑ c", []),
        ("# Title\n\ntext", "Title\n\ntext", [("bold", "Title"), ("underline", "Title")]),
        ("unfinished\n```py\nprint(1)", "unfinished\nprint(1)", [("pre", "print(1)")]),
        (
            "| a | b |\n|---|---|\n| 1 || \n| x | y |",
            "a | b\n--+--\n1 |  \nx | y",
            [("pre", "a | b\n--+--\n1 |  \nx | y")],
        ),
    ],
)
def test_markup_becomes_entities(source: str, text: str, entities: list[tuple[str, str]]) -> None:
    ((shown, found),) = texts(source)
    assert shown == text
    assert sorted(found) == sorted(entities)


def test_a_table_too_wide_for_a_phone_becomes_a_list_that_keeps_its_links() -> None:
    source = (
        "| Name | What it is | Where |\n|---|---|---|\n"
        "| One | something that takes a good many words to say | [here](https://one.example) |\n| Two | short | |\n"
    )
    ((text, entities),) = texts(source)
    assert text == (
        "One\n• What it is: something that takes a good many words to say\n• Where: here\n\nTwo\n• What it is: short"
    )
    assert entities == [("bold", "One"), ("text_link", "here"), ("bold", "Two")]


def test_the_language_of_code_is_one_word() -> None:
    (reply,) = replies("```python title=main.py\nx\n```")
    assert reply.entities == ({"type": "pre", "offset": 0, "length": 1, "language": "python"},)


@pytest.mark.parametrize("source", ["", "  \n ", "\x00"])
def test_an_empty_answer_says_so(source: str) -> None:
    assert [reply.text for reply in replies(source)] == [phrase("empty-answer")]


def test_only_the_first_message_answers_and_each_edits_what_it_grew_in() -> None:
    parts = render("word " * 1500, edits=(5, 7), reply_to=6)
    assert [(part.edit, part.reply_to, part.drops) for part in parts] == [(5, 6, ()), (7, None, ())]
    parts = render("word " * 1500, edits=(5,), reply_to=6)
    assert [(part.edit, part.reply_to) for part in parts] == [(5, 6), (None, None)]


def test_messages_that_an_answer_no_longer_needs_go_with_its_last_one() -> None:
    (reply,) = render("short", edits=(5, 7, 9))
    assert (reply.edit, reply.drops) == (5, (7, 9))
    parts = render("word " * 1500, edits=(5, 7, 9))
    assert [part.drops for part in parts] == [(), (9,)]


@pytest.mark.promise("long-answers")
def test_an_answer_of_more_than_four_messages_is_its_beginning_and_a_file() -> None:
    source = "\n\n".join(f"Paragraph **{number}**." for number in range(2000))
    *parts, file = replies(source)
    for part in parts:
        sendable(part)
    assert len(parts) == 4
    assert parts[0].text.startswith("Paragraph 0.")
    assert parts[-1].text.endswith("file below.")
    assert (file.file_name, file.file_text) == ("answer.md", source)
    assert len(replies("word " * 3000)) == 4


@pytest.mark.promise("long-answers")
def test_an_operator_says_how_many_messages_an_answer_may_take() -> None:
    first, file = render("word " * 1500, most=1)
    sendable(first)
    assert first.text.endswith("file below.")
    assert file.file_text == "word " * 1500
    assert [reply.file_text for reply in render("word " * 4500, most=6)] == [None] * 6


def test_a_growing_answer_is_shown_up_to_the_last_message_it_may_take_and_said_to_go_on() -> None:
    assert growing("") == []
    assert growing("a **b") == [Part("a b", ({"type": "bold", "offset": 2, "length": 1},))]
    assert len(growing("word " * 2000)) == 3
    *whole, last = growing("word " * 4000)
    assert whole == growing("word " * 3000)[:3]
    assert utf16(last.text) <= 4096
    assert last.text.endswith(f"word{GOES_ON}")
    assert growing("word " * 4000) == growing("word " * 5000)


@pytest.mark.promise("long-answers")
@hypothesis_settings(deadline=None, max_examples=40)
@given(st.lists(st.sampled_from(NASTY) | st.text(max_size=6), min_size=300, max_size=600).map("".join))
def test_a_growing_answer_looks_as_the_final_one_will(source: str) -> None:
    source += "\n\nend"
    assert [(part.text, part.entities) for part in growing(source)] == [
        (reply.text, reply.entities) for reply in replies(source) if reply.text != phrase("empty-answer")
    ]


def test_an_answer_of_a_million_characters_is_rendered_from_its_beginning_only() -> None:
    first, *_, file = replies("a <b> $c$ " * 100_000)
    sendable(first)
    assert file.file_text is not None
    assert len(file.file_text) == 1_000_000


def test_what_the_converter_cannot_read_is_shown_plainly() -> None:
    def broken(_source: str) -> NoReturn:
        raise RecursionError

    assert to_entities("**a** <b>", broken) == ("**a** <b>", [])
