"""What was forwarded, quoted as code or edited is text: only what a person types now is a command."""

from datetime import timedelta
from typing import Any

import pytest
from aiogram import types as tg

from tests.bot.meanings import heard, ignored, inbound
from tests.bot.updates import BEN, CHANNEL, GROUP, SOME_DAY, message, raw, said

ORIGINS: list[tuple[tg.MessageOriginUnion, str]] = [
    (tg.MessageOriginUser(date=SOME_DAY, sender_user=BEN), "Ben"),
    (tg.MessageOriginHiddenUser(date=SOME_DAY, sender_user_name="Hidden Ben"), "Hidden Ben"),
    (tg.MessageOriginChat(date=SOME_DAY, sender_chat=GROUP), "Friends"),
    (tg.MessageOriginChannel(date=SOME_DAY, chat=CHANNEL, message_id=3), "News"),
]
COMMANDS = ("/new", "/stop", "/compact", "/model default", "/agent x", "/reset", "/clear", "/start", "/help", "/usage")


@pytest.mark.promise("forwards-are-text")
@pytest.mark.parametrize(("origin", "name"), ORIGINS, ids=[name for _, name in ORIGINS])
@pytest.mark.parametrize("command", COMMANDS)
def test_a_forwarded_command_is_text_and_names_its_author(
    command: str, origin: tg.MessageOriginUnion, name: str
) -> None:
    found = heard(said(command, forward_origin=origin))
    assert (found.ask, found.inbound.kind, found.inbound.choice) == (None, "message", {})
    assert (found.inbound.text, found.inbound.forwarded_from) == (command, name)


def test_a_channels_post_in_its_discussion_group_is_forwarded_by_telegram() -> None:
    post = said("@cohort_bot /new", chat=GROUP, sender=None, sender_chat=CHANNEL, is_automatic_forward=True)
    assert inbound(post).forwarded_from == ""
    assert inbound(post).kind == "message"


def test_what_a_person_types_now_is_not_forwarded() -> None:
    assert inbound(said("hello")).forwarded_from is None
    assert inbound(said("/new")).kind == "new"


@pytest.mark.promise("forwards-are-text")
@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"forward_from": {"id": 701, "is_bot": False, "first_name": "Ben"}, "forward_date": 1}, "Ben"),
        ({"forward_from_chat": {"id": -1009, "type": "channel", "title": "News"}, "forward_date": 1}, "News"),
        ({"forward_sender_name": "Hidden Ben", "forward_date": 1}, "Hidden Ben"),
        ({"forward_date": 1}, ""),
    ],
)
def test_a_forward_as_an_older_server_tells_it_is_one(fields: dict[str, Any], name: str) -> None:
    update = said("/new")
    update["message"] |= fields
    assert (inbound(update).kind, inbound(update).forwarded_from) == ("message", name)


@pytest.mark.promise("forwards-are-text")
@pytest.mark.parametrize("command", COMMANDS)
def test_what_an_inline_bot_writes_in_a_persons_name_is_text(command: str) -> None:
    found = heard(said(command, via_bot=tg.User(id=9, is_bot=True, first_name="Cats", username="cats_bot")))
    through = f"{command}\n[sent through Cats @cats_bot]"
    assert (found.ask, found.inbound.kind, found.inbound.text) == (None, "message", through)


@pytest.mark.parametrize("kind", ["code", "pre", "blockquote", "expandable_blockquote"])
def test_a_command_shown_as_code_is_text(kind: str) -> None:
    found = heard(said("/new what does this do?", entities=[tg.MessageEntity(type=kind, offset=0, length=4)]))
    assert found.inbound.kind == "message"
    assert all(part in found.inbound.text for part in ("/new", "what does this do?"))
    later = [tg.MessageEntity(type=kind, offset=5, length=4)]
    assert inbound(said("/new what", entities=later)).kind == "new"


@pytest.mark.parametrize("origin", [7, {}, {"type": "new kind"}, {"sender_user": {"id": 5}}, {"chat": {}}])
def test_an_origin_of_another_shape_is_a_forward_all_the_same(origin: Any) -> None:
    update = said("/new")
    update["message"]["forward_origin"] = origin
    if origin == 7:
        # Not what the Bot API promises: a dead letter, never a command.
        assert getattr(heard_or_none(update), "kind", None) != "new"
    else:
        assert inbound(update).kind == "message"


def heard_or_none(update: dict[str, Any]) -> object:
    from bot.updates.meaning import Incoming
    from tests.bot.meanings import meaning_of

    found = meaning_of(update)
    return found.inbound if isinstance(found, Incoming) else None


@pytest.mark.promise("edits-once")
def test_an_edit_later_than_people_can_edit_is_none_of_theirs() -> None:
    """Telegram lets people edit for 48 hours; what comes later is a preview or a migration of its own."""
    for age, taken in ((timedelta(hours=47), True), (timedelta(hours=49), False)):
        edit = message("hello", edit_date=int((SOME_DAY + age).timestamp()))
        update = raw(tg.Update(update_id=1, edited_message=edit))
        if taken:
            assert inbound(update).edited
        else:
            assert ignored(update) == "an edit that no person can make"


def test_the_bots_words_for_what_has_none_are_marked_as_such() -> None:
    place = tg.Location(latitude=52.5, longitude=13.4)
    assert inbound(said(location=place)).described
    assert not inbound(said("[location: 52.5, 13.4]")).described
    assert not inbound(said("look", document=tg.Document(file_id="f", file_unique_id="u"))).described
