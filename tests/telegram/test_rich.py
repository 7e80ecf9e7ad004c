"""Markdown as the blocks of rich messages, judged by the playground and by aiogram's models."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from botapi.refusals import Refusal
from botapi.shape import shapes, without
from botapi.split import LIMIT, MAX_ENTITIES
from playground.bot_api.methods.rich import _Measured
from tasks.session import SessionKey
from tasks.text import utf16
from tests.playground.conformance import check_request
from workers.showing import Trace
from workers.telegram.markdown.rich import rich_blocks, rich_text
from workers.telegram.markdown.spans import Span
from workers.telegram.render import render

TABLE = "| a | b |\n|---|--:|\n| one | **two** |\n| [three](https://example.org) | |\n"
ANSWER = f"""# Title

Some *text* with `code`.

{TABLE}
1. first
   - [x] done
   - [ ] open
2. second

> quoted
>
> - in a list

```python
print(1)
```

$$
x^2
$$

---

The end.
"""


def kinds(blocks: Any) -> Iterator[str]:
    """The types of all blocks and styles, outer ones first."""
    if isinstance(blocks, dict):
        if "type" in blocks:
            yield blocks["type"]
        for value in blocks.values():
            yield from kinds(value)
    elif isinstance(blocks, list | tuple):
        for one in blocks:
            yield from kinds(one)


def words(blocks: Any) -> str:
    if isinstance(blocks, dict):
        return words([value for name, value in blocks.items() if name not in ("type", "url", "align", "valign")])
    if isinstance(blocks, list | tuple):
        return "".join(map(words, blocks))
    return blocks if isinstance(blocks, str) else ""


def accepted(blocks: Any) -> None:
    """Both the playground and aiogram's models take these blocks."""
    _Measured().blocks(list(blocks), 1)
    check_request("sendRichMessage", {"chat_id": 1, "rich_message": {"blocks": list(blocks)}})


def test_each_kind_of_block_is_what_it_is_in_a_rich_message() -> None:
    blocks = rich_blocks(ANSWER)
    assert [block["type"] for block in blocks] == [
        "heading",
        "paragraph",
        "table",
        "list",
        "blockquote",
        "pre",
        "mathematical_expression",
        "divider",
        "paragraph",
    ]
    heading, paragraph, table, numbers, quote, pre, formula, *_ = blocks
    assert heading == {"type": "heading", "text": "Title", "size": 1}
    assert paragraph["text"] == [
        "Some ",
        {"type": "italic", "text": "text"},
        " with ",
        {"type": "code", "text": "code"},
        ".",
    ]
    assert [[cell["text"] for cell in row] for row in table["cells"]] == [
        ["a", "b"],
        ["one", {"type": "bold", "text": "two"}],
        [{"type": "url", "text": "three", "url": "https://example.org"}, ""],
    ]
    assert [cell.get("is_header") for row in table["cells"] for cell in row] == [True, True, None, None, None, None]
    assert [cell["align"] for cell in table["cells"][0]] == ["left", "right"]
    assert [item["value"] for item in numbers["items"]] == [1, 2]
    inner = numbers["items"][0]["blocks"][1]["items"]
    assert [(item["has_checkbox"], item["is_checked"]) for item in inner] == [(True, True), (True, False)]
    assert list(kinds(quote)) == ["blockquote", "paragraph", "list", "paragraph"]
    assert pre == {"type": "pre", "text": "print(1)", "language": "python"}
    assert formula == {"type": "mathematical_expression", "expression": "x^2"}
    accepted(blocks)


@pytest.mark.parametrize("text", ["", "plain words", "**bold**\n\n> quoted", "```\ncode\n```"])
def test_what_entities_can_show_is_no_rich_message(text: str) -> None:
    assert rich_blocks(text) == ()


@pytest.mark.parametrize(
    "text",
    [
        "> " * 14 + "- deep",
        "- " * 14 + "deep",
        "|a" * 21 + "|\n" + "|-" * 21 + "|\n",
        "- item\n" * 500,
        "# a\n\n" + "word " * 10_000,
        "# a\n\n<details><summary>sum</summary>\n\nbody\n\n</details>",
    ],
)
def test_what_is_too_much_for_a_rich_message_is_none(text: str) -> None:
    assert rich_blocks(text) == ()


def test_a_link_of_a_model_mentions_no_person_in_a_rich_message() -> None:
    blocks = rich_blocks("# [you](tg://user?id=5) ![x](http://10.0.0.1/a.png) [set](tg://proxy?server=a)")
    assert "tg://" not in str([kind for kind in kinds(blocks) if kind == "url"])
    assert not any("tg://" in str(url) for url in urls(blocks))


def urls(blocks: Any) -> Iterator[str]:
    if isinstance(blocks, dict):
        if "url" in blocks:
            yield blocks["url"]
        for value in blocks.values():
            yield from urls(value)
    elif isinstance(blocks, list | tuple):
        for one in blocks:
            yield from urls(one)


HOSTILE = st.lists(
    st.sampled_from(
        [
            *(
                "# ",
                "- ",
                "1. ",
                "> ",
                "|",
                "\n",
                "\n\n",
                "---",
                "```",
                "$$",
                "**",
                "_",
                "`",
                "~~",
                "||",
                "[a](b)",
                "[a]: b",
            ),
            *("<details>", "<summary>", "</summary>", "</details>", "<pre>", "</pre>", "word ", "é", "👍", "\u202e"),
            *("- [x] ", "|a|b|\n|-|-|\n|c|", "    ", "tg://user?id=1", "***SAVE_HISTORY x", "\x00", "#", "999999999. "),
            *("\ud83d", "1) [ ] ", "***", "\t", "0. ", "- - - "),
        ]
    ),
    max_size=40,
).map("".join)


@given(HOSTILE)
def test_hostile_markdown_is_a_rich_message_that_telegram_takes_or_none(text: str) -> None:
    for reply in render(text, rich=True):
        assert utf16(reply.text) <= LIMIT
        assert len(reply.entities) <= MAX_ENTITIES
        if reply.rich:
            accepted(reply.rich)
            shape = shapes(SessionKey(1, 2), reply)[0]
            for verdict in Refusal:
                for left in without(shape, verdict):
                    assert left != shape


@given(
    st.text(max_size=30),
    st.lists(
        st.tuples(
            st.integers(0, 30),
            st.integers(0, 30),
            st.sampled_from(["bold", "italic", "code", "text_link", "spoiler", "pre", "blockquote"]),
        ),
        max_size=8,
    ),
)
def test_a_tree_of_styles_has_all_words_in_order(text: str, found: list[tuple[int, int, str]]) -> None:
    spans = [Span(min(a, len(text)), min(b, len(text)), kind, "https://a.example") for a, b, kind in found if a < b]
    assert words(rich_text(text, spans)) == text


def test_a_long_answer_is_divided_between_blocks_and_each_message_is_rich() -> None:
    text = "\n\n".join(f"## Part {number}\n\n" + "word " * 300 for number in range(6))
    replies = render(text, rich=True, edits=(11, 12, 13, 14, 15))
    assert all(reply.rich for reply in replies)
    assert [reply.edit for reply in replies] == [11, 12, 13]
    assert replies[-1].drops == (14, 15)
    assert "".join(words(reply.rich) for reply in replies).count("Part") == 6
    assert all(reply.rich[-1]["type"] == "paragraph" for reply in replies), "no heading is left below"


def test_what_is_said_about_the_turn_stands_around_a_rich_answer() -> None:
    trace = Trace(thoughts="hm", folds=True, steps=("a", "b", "c", "d"))
    (reply,) = render("# Title", rich=True, notes=["cut short"], trace=trace)
    assert [block["type"] for block in reply.rich] == [
        "expandable_blockquote",
        "heading",
        "paragraph",
        "expandable_blockquote",
    ]
    accepted(reply.rich)


def test_without_the_setting_nothing_is_rich() -> None:
    assert not any(reply.rich for reply in render(ANSWER))
