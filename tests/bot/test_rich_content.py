"""What rich messages, polls, contacts and music say besides plain words reaches the agent."""

from typing import Any

import pytest
from aiogram import types as tg

from tests.bot.meanings import heard, inbound
from tests.bot.updates import GROUP, message, said, size

AUDIO = {"file_id": "A", "file_unique_id": "U", "duration": 9}


def rich(*blocks: dict[str, Any], **about: Any) -> dict[str, Any]:
    update = said("x", **about)
    update["message"]["rich_message"] = {"blocks": list(blocks)}
    del update["message"]["text"]
    return update


def paragraph(*text: Any) -> dict[str, Any]:
    return {"type": "paragraph", "text": list(text)}


def word(kind: str, text: Any = "w", **fields: Any) -> dict[str, Any]:
    return {"type": kind, "text": text, **fields}


BLOCKS: list[tuple[dict[str, Any], str]] = [
    ({"type": "heading", "text": "Title", "size": 2}, "## Title"),
    (paragraph("a ", word("bold", ["b", word("italic", "c ")]), " d"), "a **b_c_**  d"),
    (paragraph(word("strikethrough"), word("spoiler"), word("underline"), word("code", "a`b")), "~~w~~||w||w``a`b``"),
    (paragraph("see ", word("url", "this", url="https://a.example/x")), "see [this](https://a.example/x)"),
    (paragraph(word("url", "a.example/x", url="https://a.example/x")), "a.example/x"),
    (paragraph(word("date_time", "now", unix_time=1796000000)), "now (2026-11-30 00:53 UTC)"),
    (paragraph({"type": "mathematical_expression", "expression": "x^2"}), "$x^2$"),
    (paragraph({"type": "button", "button": {"text": "Buy", "url": "https://b.example"}}), "[Buy](https://b.example)"),
    (paragraph({"type": "custom_emoji", "custom_emoji_id": "1", "alternative_text": "🦊"}), "🦊"),
    ({"type": "pre", "text": "x = 1\ny", "language": "python"}, "```python\nx = 1\ny\n```"),
    ({"type": "mathematical_expression", "expression": "x"}, "$$x$$"),
    ({"type": "divider"}, "---"),
    ({"type": "blockquote", "blocks": [paragraph("one"), paragraph("two")], "credit": "Ann"}, "> one\n> two\n> Ann"),
    ({"type": "details", "summary": "More", "blocks": [paragraph("inner")]}, "More\ninner"),
    (
        {
            "type": "list",
            "items": [
                {"label": "1.", "blocks": [paragraph("one"), paragraph("more")]},
                {"label": "•", "blocks": [paragraph("two")]},
                {"label": "", "has_checkbox": True, "is_checked": True, "blocks": [paragraph("three")]},
            ],
        },
        "1. one\n  more\n- two\n- [x] three",
    ),
    ({"type": "table", "cells": [[{"text": "x"}, {"text": word("bold", "y")}]], "caption": "T"}, "x | **y**\nT"),
    ({"type": "map", "location": {"latitude": 1, "longitude": 2}}, "[location: 1, 2]"),
    ({"type": "buttons", "buttons": [{"text": "Go", "url": "https://g.example"}]}, "[Go](https://g.example)"),
]


@pytest.mark.parametrize(("block", "words"), BLOCKS, ids=[words for _, words in BLOCKS])
def test_a_rich_message_is_read_as_markdown(block: dict[str, Any], words: str) -> None:
    assert inbound(rich(block)).text == words
    answered = rich(block)["message"]
    asked = said("and?")
    asked["message"]["reply_to_message"] = answered
    assert inbound(asked).quote == words


def test_the_files_of_a_rich_message_reach_the_agent_and_their_places_are_told() -> None:
    sizes = [
        {"file_id": name, "file_unique_id": name, "width": side, "height": side} for name, side in (("s", 1), ("l", 9))
    ]
    found = inbound(
        rich(
            paragraph("look"),
            {"type": "photo", "photo": sizes, "caption": {"text": "a cat", "credit": "by Ann"}},
            {"type": "slideshow", "blocks": [{"type": "voice_note", "voice_note": AUDIO}]},
        )
    )
    assert found.text == "look\n[photo]\na cat\nby Ann\n[voice note]"
    assert [(media.kind, media.file_id) for media in found.media] == [("photo", "l"), ("voice", "A")]
    many = inbound(rich(*({"type": "photo", "photo": sizes} for _ in range(30))))
    assert len(many.media) == 10


def test_a_rich_message_that_names_the_bot_is_for_it() -> None:
    about = {"chat": GROUP}
    assert heard(rich(paragraph("hey ", word("mention", "@Cohort_Bot")), **about)).addressed
    assert not heard(rich(paragraph("hey you"), **about)).addressed


@pytest.mark.parametrize("node", [5, None, [[[]]], {"type": []}, {"type": "url", "url": 5, "text": 5}, {"button": {}}])
def test_a_rich_text_of_another_shape_loses_itself_alone(node: Any) -> None:
    assert inbound(rich(paragraph("a", node, "b"))).text == "ab"


def test_music_without_a_file_name_has_its_title() -> None:
    fields = {"file_id": "A", "file_unique_id": "U", "duration": 9, "performer": "Nina", "title": "Feeling"}
    (media,) = inbound(said(audio=tg.Audio(**fields))).media
    assert media.name == "Nina - Feeling"
    (media,) = inbound(said(audio=tg.Audio(**fields, file_name="a.mp3"))).media
    assert media.name == "a.mp3"


def polled(**fields: Any) -> dict[str, Any]:
    options = [{"text": text, "persistent_id": text, "voter_count": 0} for text in ("yes", "no")]
    update = said("x")
    update["message"]["poll"] = {"id": "1", "question": "Tea?", "type": "quiz", "options": options, **fields}
    del update["message"]["text"]
    return update


def test_a_poll_reaches_the_agent_with_its_description_explanation_and_pictures() -> None:
    picture = {"photo": [size("p", 9, 9).model_dump(mode="json")]}
    found = inbound(polled(description="for the kitchen", explanation="we have none", media=picture))
    assert found.text == "[quiz: Tea?\nfor the kitchen\n- yes\n- no\nexplanation: we have none]"
    assert [media.file_id for media in found.media] == ["p"]


def test_an_answer_to_one_option_or_task_says_which() -> None:
    update = said("why?")
    update["message"] |= {"reply_to_message": polled()["message"], "reply_to_poll_option_id": "no"}
    assert inbound(update).quote == "[quiz: Tea?\n- yes\n- no]\n[meant: no]"
    tasks = [tg.ChecklistTask(id=1, text="pack"), tg.ChecklistTask(id=2, text="go")]
    listed = message(checklist=tg.Checklist(title="Trip", tasks=tasks))
    quote = inbound(said("done", reply_to_message=listed, reply_to_checklist_task_id=2)).quote
    assert quote == "[checklist: Trip\n- [ ] pack\n- [ ] go]\n[meant: go]"


def test_a_contact_has_what_the_phone_knows_of_it() -> None:
    card = "BEGIN:VCARD\r\nFN:Cy\r\nitem1.EMAIL;type=work:cy@x.example\r\nORG:Acme;Sales\r\nPHOTO:AAAA\r\nEND:VCARD"
    contact = tg.Contact(phone_number="+49", first_name="Cy", vcard=card)
    assert inbound(said(contact=contact)).text == "[contact: Cy, +49, mail cy@x.example, of Acme Sales]"


def test_a_forwarded_post_has_its_author() -> None:
    origin = {"type": "channel", "date": 1, "chat": {"id": -5, "type": "channel", "title": "News"}, "message_id": 2}
    update = said("x")
    update["message"]["forward_origin"] = origin | {"author_signature": "Ann"}
    assert inbound(update).forwarded_from == "News (Ann)"
    update["message"]["forward_origin"] = origin
    assert inbound(update).forwarded_from == "News"
