"""What the bot adds below an answer stands below it, whatever the answer left open."""

import pytest

from tests.telegram.markdown import covered, is_valid
from workers.telegram.render import render

NOTE = "(The answer reached its *length* limit.)"
FENCE = "```"
OPEN = [
    f"text\n{FENCE}py\nprint(1)",
    f"{FENCE}\na\n\nb",
    "text\n~~~\ncode",
    f"- item\n\n  {FENCE}\n  code",
    f"> quote\n> {FENCE}\n> code",
    "some **bold",
    "some *italic and __more",
    "some `code",
    "~~struck ||spoiler",
    "a [link",
    "a [link](https://a.b/c",
    "an ![image](",
    "[a]: ",
    "| a | b |\n|---|---|\n| 1 | 2",
    "| a | b |\n|---|",
    "<b>bold",
    "<code>code",
    "<pre>\ncode",
    '<a href="https://a.b',
    "<!-- comment",
    "<details><summary>Title</summary>\n\nfolded",
    "<details><summary>Title",
    "$$\nx^2",
    "$x^2",
    r"\[ x^2",
    r"\( x^2",
    "\\begin{align}\nx",
    "> quote",
    "> - nested quote",
    "- item",
    "1. ",
    "# Title",
    "Title\n=",
    "    indented code",
    "text\\",
    "https://a.b/c",
]


@pytest.mark.promise("notes_below")
@pytest.mark.parametrize("answer", OPEN)
def test_a_note_stands_below_an_answer_that_left_something_open(answer: str) -> None:
    (alone,) = render(answer)
    (reply,) = render(answer, notes=("", NOTE, "Second: **one**."))
    assert reply.text == f"{alone.text}\n\n{NOTE}\n\nSecond: **one**."
    *before, first, second = reply.entities
    assert tuple(before) == alone.entities
    assert [(entity["type"], covered(reply.text, entity)) for entity in (first, second)] == [
        ("italic", NOTE),
        ("italic", "Second: **one**."),
    ]
    is_valid(reply.text, list(reply.entities))


@pytest.mark.promise("notes_below")
def test_an_answer_that_becomes_a_file_has_its_notes_in_the_message() -> None:
    source = "\n\n".join(f"{FENCE}\nParagraph {number}\n{FENCE}" for number in range(3000))
    *_, message, file = render(source, notes=(NOTE,))
    assert message.text.endswith(f"file below.\n\n{NOTE}")
    assert message.entities[-1]["type"] == "italic"
    assert covered(message.text, message.entities[-1]) == NOTE
    assert (file.file_name, file.file_text) == ("answer.md", source)
    is_valid(message.text, list(message.entities))


def test_notes_are_all_there_is_where_the_answer_is_empty() -> None:
    assert [reply.text for reply in render(" \n", notes=(NOTE,))] == [NOTE]


def test_many_notes_below_a_long_answer_fit_its_message() -> None:
    *_, message, _ = render("word " * 20_000, notes=["A note. " * 20] * 40)
    assert len(message.text) <= 4096
