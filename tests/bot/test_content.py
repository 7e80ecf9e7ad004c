"""What a message holds."""

import json
from typing import Any

import pytest
from aiogram import types as tg

from bot.updates.commands import UNREADABLE
from bot.updates.objects import SERVICE
from bot.updates.quotes import QUOTE_CHARACTERS
from tasks.config.settings import Settings
from tasks.phrases import phrase
from tasks.store import Store
from tests.bot.conftest import make_bot
from tests.bot.meanings import DESCRIBED, FILES, heard, ignored, inbound
from tests.bot.updates import BEN, GROUP, SOME_DAY, message, said, size


def test_the_largest_size_of_a_photo_is_taken() -> None:
    found = inbound(said(caption="see", photo=[size("s", 90, 60), size("l", 900, 600), size("m", 320, 200)]))
    (media,) = found.media
    assert (media.kind, media.file_id, media.unique_id, media.size_bytes) == ("photo", "l", "ul", 540_000)
    assert found.text == "see"


@pytest.mark.parametrize(("kind", "fields"), FILES)
def test_each_kind_of_file_is_named_by_its_file_id(kind: str, fields: dict[str, Any]) -> None:
    file = tg.Message.model_fields[kind].annotation.__args__[0](file_id="F", file_unique_id="U", **fields)
    (media,) = inbound(said(**{kind: file})).media
    assert (media.kind, media.file_id, media.unique_id) == (kind, "F", "U")
    assert media.duration_s == fields.get("duration")
    assert media.name == fields.get("file_name")
    assert media.mime == fields.get("mime_type")


def test_an_animation_is_not_also_a_document() -> None:
    animation = tg.Animation(file_id="A", file_unique_id="U", width=1, height=1, duration=1)
    document = tg.Document(file_id="D", file_unique_id="U")
    assert [media.kind for media in inbound(said(animation=animation, document=document)).media] == ["animation"]


@pytest.mark.parametrize(("fields", "words"), DESCRIBED)
def test_what_is_neither_text_nor_file_is_put_into_words(fields: dict[str, Any], words: str) -> None:
    found = inbound(said(**fields))
    assert (found.text, found.media, found.described) == (words, (), True)


def test_the_answered_message_is_quoted_and_the_marked_part_goes_first() -> None:
    answered = message("the whole of it", message_id=5)
    assert inbound(said("yes", reply_to_message=answered)).quote == "the whole of it"
    marked = tg.TextQuote(text="of it", position=10)
    assert inbound(said("yes", reply_to_message=answered, quote=marked)).quote == "of it"
    long = message("x" * 4096, message_id=5)
    assert len(inbound(said("yes", reply_to_message=long)).quote or "") == QUOTE_CHARACTERS


def test_parts_of_an_album_carry_its_id() -> None:
    assert inbound(said(photo=[size("p", 1, 1)], media_group_id="g1")).album == "g1"


def test_an_edit_is_marked_and_an_edit_without_words_is_nothing() -> None:
    found = inbound(said("better", kind="edited_message", edit_date=1))
    assert (found.edited, found.text, found.kind) == (True, "better", "message")
    assert ignored(said(kind="edited_message", dice=tg.Dice(emoji="🎲", value=4))) == "an edit without words"
    moved = heard(said(kind="edited_message", location=tg.Location(latitude=1, longitude=1, live_period=60)))
    assert (moved.place, moved.addressed) == (True, False)
    assert ignored(said("/new", kind="edited_message")) == "a command is not given by an edit"


def test_what_cannot_be_read_is_told_to_its_author() -> None:
    update = said("x")
    update["message"]["hologram"] = {"depth": 3}
    del update["message"]["text"]
    assert heard(update).ask == UNREADABLE


def hologram(number: int, **fields: Any) -> dict[str, Any]:
    """A kind of message that this release does not know."""
    update = said("x", update_id=number, message_id=number, **fields)
    update["message"]["hologram"] = {"depth": 3}
    del update["message"]["text"]
    return update


async def test_of_messages_in_a_row_that_cannot_be_read_a_person_is_told_once(settings: Settings, store: Store) -> None:
    bot = make_bot(settings, store)
    await bot.intake.take([hologram(1), hologram(2)])
    await bot.intake.take([hologram(3), hologram(4, sender=BEN, chat=tg.Chat(id=BEN.id, type="private"))])
    told = ("4242:700", phrase("unreadable"))
    assert await bot.said() == [told, (f"4242:{BEN.id}", phrase("unreadable"))]
    bot.clock.time += 3600
    await bot.intake.take([hologram(5), hologram(6), said("hello", update_id=7), hologram(8), hologram(9)])
    assert (await bot.said())[2:] == [told] * 2, "again after an hour, and behind another message"


@pytest.mark.promise("start-payload")
def test_a_start_links_payload_reaches_the_agent() -> None:
    found = heard(said("/start order-7"))
    assert (found.ask, found.inbound.kind, found.inbound.text) == (None, "message", "/start order-7")
    assert found.inbound.start == "order-7"
    for words in ("order 7", "a" * 65, "ümlaut", "<x>"):
        assert inbound(said(f"/start {words}")).start is None, "no link can send it"
    origin = tg.MessageOriginUser(date=SOME_DAY, sender_user=BEN)
    assert inbound(said("/start order-7", forward_origin=origin)).start is None
    code = heard(said(f"/start pair-{'a' * 24}"))
    assert (code.inbound.start, code.inbound.text) == (None, ""), "a pairing code is no payload"
    assert heard(said("/start")).ask is not None


@pytest.mark.parametrize("name", sorted(SERVICE))
def test_service_messages_are_nothing(name: str) -> None:
    update = said("x", chat=GROUP)
    del update["message"]["text"]
    update["message"][name] = True
    assert ignored(update) == "a service message"


ABOUT = """
message_id date chat message_thread_id direct_messages_topic from_user sender_chat sender_boost_count
sender_business_bot sender_tag guest_query_id business_connection_id forward_origin is_topic_message
is_automatic_forward reply_to_message external_reply quote reply_to_story reply_to_checklist_task_id
reply_to_poll_option_id via_bot guest_bot_caller_user guest_bot_caller_chat edit_date has_protected_content
is_from_offline is_paid_post media_group_id paid_star_count entities link_preview_options
suggested_post_info effect_id caption_entities show_caption_above_media has_media_spoiler
receiver_user ephemeral_message_id forward_date forward_from forward_from_chat forward_from_message_id
forward_sender_name forward_signature migrate_to_chat_id migrate_from_chat_id"""
"""Fields that say something about a message, and are not what it says."""


def test_every_field_of_a_message_that_holds_content_is_served_or_known_as_a_service() -> None:
    served = {"text", "caption", "photo", "animation", "audio", "document", "sticker", "video", "video_note", "voice"}
    described = {name for fields, _ in DESCRIBED for name in fields} | {"rich_message", "game", "unique_gift"}
    described |= {"gift_upgrade_sent", "paid_media"}
    # Its photo comes with it; buttons and signatures are told beside words and names.
    described |= {"live_photo", "reply_markup", "author_signature"}
    # Its author is told that the bot cannot read it.
    refused = {"passport_data"}
    assert set(tg.Message.model_fields) - set(ABOUT.split()) - served - described - refused == SERVICE


def test_half_a_surrogate_pair_does_not_reach_the_store() -> None:
    update = said("x")
    update["message"]["text"] = json.loads('"a\\ud83d b"')
    update["message"]["from"]["first_name"] = json.loads('"\\ud83d"')
    update["message"]["quote"] = {"text": json.loads('"\\udc00 quoted"'), "position": 0}
    found = inbound(update)
    assert (found.text, found.quote) == ("a? b", "? quoted")
    assert found.sender is not None
    assert found.sender.name.startswith("? ")
    found.to_json().encode()
