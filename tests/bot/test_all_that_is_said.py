"""What stands in or beside a message besides its words reaches the agent: votes, links of buttons, prices, vCards."""

from typing import Any

import pytest
from aiogram import types as tg

from bot.updates.meaning import Incoming
from tests.bot.meanings import heard, ignored, inbound, meaning_of, poll
from tests.bot.updates import BOT, CHANNEL, GROUP, message, said, size

NEWS = tg.MessageOriginChannel(date=message().date, chat=CHANNEL, message_id=5, author_signature="Ed")


def changed(update: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """An update whose message has these fields; None takes one away."""
    (kind,) = update.keys() - {"update_id"}
    kept = {name: value for name, value in {**update[kind], **fields}.items() if value is not None}
    return {**update, kind: kept}


def link(words: str, at: int) -> list[dict[str, Any]]:
    return [{"type": "text_link", "offset": at, "length": len(words), "url": "https://e.example/x"}]


POLL = {"id": "1", "question": "Tea?", "type": "regular", "is_closed": False, "total_voter_count": 0}
POLLS: list[tuple[dict[str, Any], str]] = [
    ({"options": [{"text": "yes", "voter_count": 0}]}, "[poll: Tea?\n- yes]"),
    (
        {"total_voter_count": 9, "options": [{"text": "yes", "voter_count": 7}, {"text": "no", "voter_count": 2}]},
        "[poll: Tea?\n- yes (7 votes)\n- no (2 votes)]",
    ),
    (
        {
            "type": "quiz",
            "is_closed": True,
            "total_voter_count": 1,
            "correct_option_ids": [0],
            "options": [{"text": "yes", "voter_count": 1}],
            "explanation": "see here",
            "explanation_entities": link("here", 4),
        },
        "[closed quiz: Tea?\n- yes (right, 1 votes)\nexplanation: see [here](https://e.example/x)]",
    ),
    (
        {
            "description": "read this",
            "description_entities": link("this", 5),
            "media": {"link": {"url": "https://m.example"}},
            "options": [{"text": "there", "media": {"location": {"latitude": 1, "longitude": 2}}}],
        },
        "[poll: Tea?\nread [this](https://e.example/x) https://m.example\n- there [location: 1, 2]]",
    ),
    # A Bot API server before 10.0 tells of one right answer.
    ({"type": "quiz", "correct_option_id": 0, "options": [{"text": "yes"}]}, "[quiz: Tea?\n- yes (right)]"),
    (
        {"allows_multiple_answers": True, "close_date": 1_800_000_000},
        "[poll, several answers, ends 2027-01-15 08:00 UTC: Tea?]",
    ),
    ({"is_closed": True, "close_date": 1_800_000_000}, "[closed poll: Tea?]"),
]


@pytest.mark.parametrize(("fields", "words"), POLLS)
def test_a_polls_votes_links_and_places_are_told(fields: dict[str, Any], words: str) -> None:
    assert inbound(changed(said("x"), text=None, poll={**POLL, **fields})).text == words


def test_forms_of_a_checklist_a_game_and_a_gift_are_told() -> None:
    task = {"id": 1, "text": "pack it", "text_entities": link("it", 5)}
    held: list[tuple[dict[str, Any], str]] = [
        (
            {"checklist": {"title": "Trip", "title_entities": link("Trip", 0), "tasks": [task]}},
            "[checklist: [Trip](https://e.example/x)\n- [ ] pack [it](https://e.example/x)]",
        ),
        (
            {"game": {"title": "Chess", "description": "Play", "text": "Ann: 5", "text_entities": link("Ann", 0)}},
            "[game: Chess: Play, [Ann](https://e.example/x): 5]",
        ),
        (
            {"gift": {"gift": {"star_count": 5}, "text": "for you", "entities": link("you", 4)}},
            "[gift: worth 5 stars, for [you](https://e.example/x)]",
        ),
    ]
    for fields, words in held:
        assert inbound(changed(said("x"), text=None, **fields)).text == words


def test_the_links_of_a_posts_buttons_are_told() -> None:
    rows = [[{"text": "Sign up", "url": "https://s.example/x"}, {"text": "Like", "callback_data": "like"}], "?"]
    rows.append([{"text": "s.example", "url": "https://s.example/"}, {"url": "https://t.example"}, {"text": ""}])
    shown = "[Sign up](https://s.example/x)\ns.example\nhttps://t.example"
    post = changed(said("Join us", forward_origin=NEWS), reply_markup={"inline_keyboard": rows})
    assert inbound(post).text == f"Join us\n{shown}"
    asked = changed(said("what is it?"), reply_to_message=post["message"])
    assert inbound(asked).quote == f"Join us\n{shown}"
    ours = changed(asked, reply_to_message=changed(post, **{"from": {"id": BOT.id, "is_bot": True}})["message"])
    assert inbound(ours).quote == "Join us", "the agent has written no buttons"
    voted = changed(said(poll=poll("regular")), reply_markup={"inline_keyboard": rows})
    assert inbound(voted).text == f"[poll: Tea?\n- yes\n- no]\n{shown}"
    for rubbish in ("?", [["?"]], [[{"url": 5}]], {}):
        assert inbound(changed(post, reply_markup={"inline_keyboard": rubbish})).text == "Join us"


def test_paid_media_is_told_beside_its_caption() -> None:
    paid = {"star_count": 5, "paid_media": []}
    assert inbound(changed(said("x"), text=None, paid_media=paid)).text == "[paid media: 5 stars]"
    assert inbound(changed(said("x"), text=None, caption="look", paid_media=paid)).text == "look\n[paid media: 5 stars]"


FILE = {"file_id": "F", "width": 5, "height": 5}


@pytest.mark.parametrize(
    ("fields", "words", "kind"),
    [
        ({"paid_media": {"paid_media": [{"type": "photo", "photo": [FILE]}]}}, "[paid media]", "photo"),
        ({"paid_media": {"paid_media": [{"type": "video", "video": FILE}]}}, "[paid media]", "video"),
        ({"game": {"title": "Chess", "photo": [FILE]}}, "[game: Chess]", "photo"),
    ],
)
def test_the_files_of_a_game_and_of_what_is_paid_for_come_along(fields: dict[str, Any], words: str, kind: str) -> None:
    sent = changed(said("x"), text=None, **fields)
    for found in (inbound(sent), inbound(changed(said("what?"), reply_to_message=sent["message"]))):
        assert [(media.kind, media.file_id) for media in found.media] == [(kind, "F")]
        assert words in (found.text, found.quote)
    assert not isinstance(meaning_of(edit(sent)), Incoming) or "paid_media" in fields, "a game counts its points"


@pytest.mark.parametrize(
    ("text", "entities", "page"),
    [
        ("look", [], "https://P.example/x/"),
        ("look at p.example/X", [], None),
        ("look", [{"type": "text_link", "offset": 0, "length": 4, "url": "https://p.example/x"}], None),
    ],
)
def test_a_page_that_is_shown_below_a_text_is_told_unless_the_text_names_it(
    text: str, entities: list[dict[str, Any]], page: str | None
) -> None:
    preview = {"url": "https://P.example/x/"}
    sent = changed(said(text), entities=entities, link_preview_options=preview)
    alone = changed(said("x"), text=None, link_preview_options=preview)
    assert inbound(sent).text.splitlines()[1:] == ([page] if page else [])
    assert inbound(alone).text == preview["url"]
    assert inbound(changed(said("so?"), reply_to_message=alone["message"])).quote == preview["url"]


def test_a_sticker_without_an_emoji_is_one() -> None:
    moves = changed(said("x"), text=None, sticker={"file_id": "S", "is_video": True})
    assert inbound(moves).text == "[sticker]"


def test_a_live_photo_that_is_answered_in_another_chat_is_opened() -> None:
    live = {"file_id": "V", "photo": [{"file_id": "P", "width": 5, "height": 5}]}
    (media,) = inbound(changed(said("what?"), external_reply={"live_photo": live})).media
    assert (media.kind, media.file_id) == ("photo", "P")


def test_who_writes_in_a_chats_name_is_told_by_signature() -> None:
    admin = changed(said("hi", chat=GROUP), sender_chat={"id": GROUP.id, "title": "Friends"}, author_signature="Chief")
    sender = inbound(admin).sender
    assert sender is not None
    assert (sender.id, sender.name) == (GROUP.id, "Friends (Chief)")


CARD = """BEGIN:VCARD
VERSION:2.1
N;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=D0=9F;;;
TEL;CELL:+49 151 234567
TEL;WORK:+7 495 1234567
NOTE;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=D0=9F=D1=80=D0=B8=
=D0=B2
EMAIL;HOME:p@x.example
item1.ADR;HOME:;;Some long st
 reet 5\\, floor 2;Town;;;
NOTE:one\\ntwo\\; three
NOTE;ENCODING=QUOTED-PRINTABLE;CHARSET=nonsense:caf=C3=A9
TEL:0151 234567
END:VCARD
"""


def test_a_contacts_vcard_is_read_as_phones_write_it() -> None:
    for ends in ("\n", "\r\n"):
        contact = {"phone_number": "+49151234567", "first_name": "Pe", "vcard": CARD.replace("\n", ends)}
        assert inbound(changed(said("x"), text=None, contact=contact)).text == (
            "[contact: Pe, +49151234567, +7 495 1234567, note Прив, mail p@x.example, "
            "at Some long street 5, floor 2 Town, note one two; three, note café]"
        )


def edit(update: dict[str, Any]) -> dict[str, Any]:
    return {"update_id": 1, "edited_message": {**update["message"], "edit_date": update["message"]["date"]}}


def test_an_edit_of_a_file_of_a_rich_message_and_of_words_that_begin_with_a_slash_is_one() -> None:
    photo = said(photo=[size("new", 9, 9)])
    rich = changed(said("x"), text=None, rich_message={"blocks": [{"type": "paragraph", "text": "better"}]})
    path = said("/etc/hosts: what is it?")
    for update in (photo, rich, path, said("/weather berlin")):
        assert heard(edit(update)).inbound.edited
    assert inbound(edit(photo)).media[0].file_id == "new"
    moves = changed(said("x"), text=None, location={"latitude": 1, "longitude": 1, "live_period": 60})
    voted = changed(said("x"), text=None, poll={**POLL, "media": {"photo": [{"file_id": "P"}]}})
    assert heard(edit(moves)).place
    for update in (voted, said(dice=tg.Dice(emoji="🎲", value=4))):
        assert ignored(edit(update)) == "an edit without words"
    assert ignored(edit(said("/new hello"))) == "a command is not given by an edit"
