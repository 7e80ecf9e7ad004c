"""The form of a text reaches the agent as Markdown."""

from typing import Any

import pytest
from aiogram import types as tg
from hypothesis import given
from hypothesis import strategies as st

from bot.updates.markdown import formatted
from bot.updates.models import Entity
from tests.bot.meanings import inbound
from tests.bot.updates import GROUP, message, said, size


def entity(kind: str, part: str, text: str, **fields: Any) -> tg.MessageEntity:
    """The entity of a part of a text, with offsets as Telegram counts."""
    before = text[: text.index(part)]
    offset, length = (len(of.encode("utf-16-le")) // 2 for of in (before, part))
    return tg.MessageEntity(type=kind, offset=offset, length=length, **fields)


ADDRESS = {"url": "https://a.example/x"}
type Part = tuple[str, str, dict[str, Any]]

FORMS: list[tuple[str, list[Part], str]] = [
    ("see this page", [("text_link", "this", ADDRESS)], "see [this](https://a.example/x) page"),
    ("🦊🦊 this", [("text_link", "this", ADDRESS)], "🦊🦊 [this](https://a.example/x)"),
    ("see a.example/x", [("text_link", "a.example/x", ADDRESS)], "see a.example/x"),
    ("see this", [("text_link", "this", {"url": "https://a.example/\nx y"})], "see [this](https://a.example/xy)"),
    ("run ls -l now", [("code", "ls -l", {})], "run `ls -l` now"),
    ("run a`b now", [("code", "a`b", {})], "run ``a`b`` now"),
    ("run `b now", [("code", "`b", {})], "run `` `b `` now"),
    ("print(1)", [("pre", "print(1)", {"language": "python"})], "```python\nprint(1)\n```"),
    ("so: x = 1 yes", [("pre", "x = 1", {})], "so: \n```\nx = 1\n```\n yes"),
    ("a\nx\nb", [("pre", "x", {})], "a\n```\nx\n```\nb"),
    ("a ``` b", [("pre", "a ``` b", {})], "````\na ``` b\n````"),
    ("so bold it is", [("bold", "bold ", {})], "so **bold** it is"),
    ("so it is", [("italic", "it", {})], "so _it_ is"),
    ("not this that", [("strikethrough", "this", {})], "not ~~this~~ that"),
    ("he dies", [("spoiler", "dies", {})], "he ||dies||"),
    ("a b c", [("bold", "a b c", {}), ("strikethrough", "b", {})], "**a ~~b~~ c**"),
    ("a b", [("bold", "a b", {}), ("italic", "a b", {})], "**_a b_**"),
    ("ab", [("bold", "a", {}), ("italic", "b", {})], "**a**_b_"),
    ("one\ntwo\nmine", [("blockquote", "one\ntwo", {})], "> one\n> two\nmine"),
    ("one", [("bold", "one", {}), ("expandable_blockquote", "one", {})], "> **one**"),
    ("call me @ann", [("mention", "@ann", {}), ("underline", "call", {})], "call me @ann"),
    ("at five", [("date_time", "five", {"unix_time": 1796000000})], "at five (2026-11-30 00:53 UTC)"),
    ("at five", [("date_time", "five", {"unix_time": -5})], "at five"),
    ("   ", [("bold", "  ", {})], "   "),
]


@pytest.mark.parametrize(("text", "parts", "seen"), FORMS, ids=[seen for _, _, seen in FORMS])
def test_the_form_of_a_text_reaches_the_agent(text: str, parts: list[Part], seen: str) -> None:
    entities = [entity(kind, part, text, **fields) for kind, part, fields in parts]
    assert inbound(said(text, entities=entities)).text == seen
    picture = {"photo": [size("p", 1, 1)], "caption": text, "caption_entities": entities}
    assert inbound(said(**picture)).text == seen
    assert inbound(said("yes", reply_to_message=message(text, entities=entities))).quote == seen
    marked = tg.TextQuote(text=text, position=0, entities=entities)
    assert inbound(said("yes", quote=marked)).quote == seen


def test_form_does_not_hide_from_the_bot_what_was_meant_for_it() -> None:
    new = "/new so bold"
    assert inbound(said(new, entities=[entity("bold", "bold", new)])).text == "so **bold**"
    text = "@cohort_bot see this"
    told = inbound(said(text, chat=GROUP, entities=[entity("text_link", "this", text, **ADDRESS)]))
    assert told.text == "see [this](https://a.example/x)"


KINDS = ["text_link", "code", "pre", "bold", "italic", "strikethrough", "spoiler", "blockquote", "mention", None]


@given(
    st.text(st.sampled_from("ab `*\n<🦊é"), max_size=12),
    st.lists(
        st.builds(
            Entity,
            type=st.sampled_from(KINDS),
            offset=st.integers(-2, 15) | st.none(),
            length=st.integers(-2, 15) | st.none(),
            url=st.none() | st.just("https://a.example"),
        ),
        max_size=4,
    ),
)
def test_whatever_the_entities_no_character_is_lost_or_moved(text: str, entities: list[Entity]) -> None:
    seen = iter(formatted(text, entities))
    assert all(character in seen for character in text)
