"""Raw updates, and what they mean."""

import copy
import json
from typing import Any

import pytest
from aiogram import types as tg
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.commands import UNREADABLE, Command
from bot.content import QUOTE_CHARACTERS, SERVICE
from bot.intake import ALLOWED_UPDATES, RAW_CHARACTERS, understand
from bot.meaning import Heard, Me, Meaning, Moved, Nothing, Poison
from tasks.envelope import Inbound
from tasks.session import SessionKey
from tests.bot.updates import ANN, BEN, BOT, CHANNEL, FORUM, GROUP, PRIVATE, SOME_DAY, message, pressed, raw, said, size

ME = Me.of(4242, "Cohort_Bot")
NOW = 1_700_000_000.0


def meaning_of(update: object) -> Meaning:
    return understand(update, ME, NOW)


def heard(update: object) -> Heard:
    found = meaning_of(update)
    assert isinstance(found, Heard), found
    return found


def inbound(update: object) -> Inbound:
    return heard(update).inbound


def ignored(update: object) -> str:
    found = meaning_of(update)
    assert isinstance(found, Nothing), found
    return found.why


# -- who and where


def test_a_private_message_keeps_its_text_sender_and_place() -> None:
    found = inbound(said("  hello there\n", message_id=31, update_id=77))
    assert found.session == "4242:700"
    assert (found.update_id, found.message_id, found.at, found.kind) == (77, 31, NOW, "message")
    assert found.text == "  hello there\n"
    assert found.sender is not None
    assert (found.sender.id, found.sender.name) == (700, "Ann Lee")
    assert (found.sender.username, found.sender.language) == ("annlee", "de")
    assert found.chat_type == "private"


def test_a_topic_is_a_session_of_its_own_and_a_reply_thread_is_not() -> None:
    topic = said("@cohort_bot hi", chat=FORUM, message_thread_id=8, is_topic_message=True)
    assert inbound(topic).key == SessionKey(4242, -1001234, 8)
    thread = said("@cohort_bot hi", chat=FORUM, message_thread_id=8)
    assert inbound(thread).key == SessionKey(4242, -1001234)


def test_a_business_connection_is_part_of_the_session_and_its_owner_is_not_heard() -> None:
    fields = {"business_connection_id": "cX_1", "kind": "business_message"}
    found = inbound(said("/start", **fields))
    assert found.key == SessionKey(4242, 700, None, "cX_1")
    assert found.text == "/start", "a customer's slash is a slash"
    assert heard(said("/stop", **fields)).ask is None
    assert ignored(said("hi", sender=BEN, **fields)) == "said in the owner's name"
    assert ignored(said("hi", sender_business_bot=BOT, **fields)) == "said in the owner's name"


def test_a_business_connection_that_cannot_stand_in_a_session_is_poison() -> None:
    found = meaning_of(said("hi", business_connection_id="a:b", kind="business_message"))
    assert isinstance(found, Poison)


def test_anonymous_admins_and_channels_speak_in_the_name_of_their_chat() -> None:
    anonymous = tg.User(id=1087968824, is_bot=True, first_name="Group", username="GroupAnonymousBot")
    found = inbound(said("@cohort_bot hi", chat=GROUP, sender=anonymous, sender_chat=GROUP))
    assert found.sender is not None
    assert (found.sender.id, found.sender.name) == (-55, "Friends")


def test_bots_are_not_answered() -> None:
    other = tg.User(id=5, is_bot=True, first_name="Other", username="other_bot")
    assert ignored(said("@cohort_bot hi", chat=GROUP, sender=other)) == "a bot said it"
    assert ignored(said("hi", sender=other)) == "a bot said it"


def test_channel_posts_and_messages_to_channels_and_vanishing_ones_are_not_served() -> None:
    assert ignored(said("news", chat=CHANNEL, sender=None, sender_chat=CHANNEL)) == "a channel's post"
    direct = tg.Chat(id=-1008, type="supergroup", title="News", is_direct_messages=True)
    assert ignored(said("@cohort_bot hi", chat=direct)) == "a message to a channel"
    ephemeral = said("@cohort_bot hi", chat=GROUP, ephemeral_message_id=3, receiver_user=BOT)
    assert ignored(ephemeral) == "a message that vanishes"


# -- groups


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("@cohort_bot what time is it?", "what time is it?"),
        ("@Cohort_BOT, what time is it?", "what time is it?"),
        ("what time is it @cohort_bot", "what time is it"),
        ("ask @cohort_bot about it", "ask @cohort_bot about it"),
        ("@cohort_bot", "@cohort_bot"),
    ],
)
def test_in_a_group_a_mention_addresses_the_bot_and_is_stripped_at_the_edges(text: str, left: str) -> None:
    found = heard(said(text, chat=GROUP))
    assert found.addressed
    assert found.inbound.text == left


@pytest.mark.parametrize("text", ["hello", "@cohort_bot2 hi", "mail x@cohort_bot", "@cohort_botany"])
def test_in_a_group_what_does_not_name_the_bot_is_not_for_it(text: str) -> None:
    assert not heard(said(text, chat=GROUP)).addressed


def test_in_a_group_a_reply_to_the_bot_is_for_it_and_a_reply_to_others_is_not() -> None:
    ours = message("earlier", chat=GROUP, sender=BOT, message_id=5)
    theirs = message("earlier", chat=GROUP, sender=BEN, message_id=5)
    assert heard(said("go on", chat=GROUP, reply_to_message=ours)).addressed
    assert not heard(said("go on", chat=GROUP, reply_to_message=theirs)).addressed


def test_a_topic_that_the_bot_opened_does_not_make_every_message_a_reply_to_it() -> None:
    opened = message(
        chat=FORUM, sender=BOT, forum_topic_created=tg.ForumTopicCreated(name="Talk", icon_color=1), message_id=8
    )
    found = heard(said("hi all", chat=FORUM, message_thread_id=8, is_topic_message=True, reply_to_message=opened))
    assert not found.addressed
    assert found.inbound.quote is None


def test_a_mention_by_entity_addresses_the_bot() -> None:
    entity = tg.MessageEntity(type="text_mention", offset=0, length=3, user=BOT)
    assert heard(said("bot, hi", chat=GROUP, entities=[entity])).addressed
    other = tg.MessageEntity(type="text_mention", offset=0, length=3, user=BEN)
    assert not heard(said("bot, hi", chat=GROUP, entities=[other])).addressed


def test_in_a_group_the_picture_that_is_asked_about_comes_along() -> None:
    picture = message(chat=GROUP, sender=BEN, photo=[size("p", 90, 90)], caption="look", message_id=5)
    found = inbound(said("@cohort_bot what is this?", chat=GROUP, reply_to_message=picture))
    assert [media.file_id for media in found.media] == ["p"]
    assert found.quote == "look"
    ours = message(chat=GROUP, sender=BOT, photo=[size("p", 90, 90)], message_id=5)
    assert inbound(said("and this?", chat=GROUP, reply_to_message=ours)).media == ()


# -- commands


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("/stop", "stop"),
        ("/new", "new"),
        ("/reset", "new"),
        ("/clear", "new"),
        ("/compact", "compact"),
        ("/NEW", "new"),
    ],
)
def test_control_words_take_their_place_among_the_messages(text: str, kind: str) -> None:
    found = heard(said(text))
    assert (found.inbound.kind, found.ask) == (kind, None)


def test_a_choice_is_kept_for_the_session_and_put_to_the_bot_first() -> None:
    found = heard(said("/model haiku"))
    assert (found.inbound.kind, found.inbound.choice) == ("choose", {"model": "haiku"})
    assert found.ask == Command("model", "haiku")
    assert inbound(said("/agent default")).choice == {"agent": ""}


@pytest.mark.parametrize("name", ["start", "help", "whoami", "status", "usage", "model", "agent"])
def test_questions_to_the_bot_are_put_to_it(name: str) -> None:
    assert heard(said(f"/{name}")).ask == Command(name)


def test_in_a_group_commands_are_heard_unless_they_name_another_bot() -> None:
    assert heard(said("/stop", chat=GROUP)).addressed
    assert heard(said("/stop@Cohort_Bot", chat=GROUP)).inbound.kind == "stop"
    assert ignored(said("/stop@other_bot", chat=GROUP)) == "a command for another bot"
    assert not heard(said("/unknown", chat=GROUP)).addressed
    assert heard(said("/unknown@cohort_bot x y", chat=GROUP)).addressed
    assert inbound(said("/unknown@cohort_bot x y", chat=GROUP)).text == "/unknown x y"


def test_a_command_that_is_none_of_ours_is_a_message_to_the_agent() -> None:
    found = heard(said("/weather Berlin"))
    assert (found.inbound.kind, found.inbound.text, found.ask) == ("message", "/weather Berlin", None)


def test_a_path_or_a_caption_is_no_command() -> None:
    assert inbound(said("/etc/passwd?")).kind == "message"
    assert inbound(said(caption="/new", photo=[size("p", 1, 1)])).kind == "message"


# -- contents


def test_the_largest_size_of_a_photo_is_taken() -> None:
    found = inbound(said(caption="see", photo=[size("s", 90, 60), size("l", 900, 600), size("m", 320, 200)]))
    (media,) = found.media
    assert (media.kind, media.file_id, media.unique_id, media.size_bytes) == ("photo", "l", "ul", 540_000)
    assert found.text == "see"


FILES: list[tuple[str, dict[str, Any]]] = [
    ("document", {"file_name": "a.pdf", "mime_type": "application/pdf", "file_size": 5}),
    ("voice", {"duration": 3, "mime_type": "audio/ogg"}),
    ("audio", {"duration": 180}),
    ("video", {"duration": 9, "width": 1, "height": 1}),
    ("video_note", {"duration": 9, "length": 1}),
    ("animation", {"duration": 2, "width": 1, "height": 1}),
    ("sticker", {"type": "regular", "width": 1, "height": 1, "is_animated": False, "is_video": False, "emoji": "👍"}),
]


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


DESCRIBED: list[tuple[dict[str, Any], str]] = [
    ({"location": tg.Location(latitude=52.5, longitude=13.4)}, "[location: 52.5, 13.4]"),
    (
        {
            "venue": tg.Venue(location=tg.Location(latitude=1, longitude=2), title="Zoo", address="Road 1"),
            "location": tg.Location(latitude=1, longitude=2),
        },
        "[place: Zoo, Road 1 (1.0, 2.0)]",
    ),
    ({"contact": tg.Contact(phone_number="+49", first_name="Cy", last_name="Do")}, "[contact: Cy Do, +49]"),
    ({"dice": tg.Dice(emoji="🎲", value=4)}, "[🎲 shows 4]"),
    (
        {
            "checklist": tg.Checklist(
                title="Trip", tasks=[tg.ChecklistTask(id=1, text="pack"), tg.ChecklistTask(id=2, text="go")]
            )
        },
        "[checklist: Trip\n- [ ] pack\n- [ ] go]",
    ),
    ({"story": tg.Story(chat=GROUP, id=4)}, "[a story]"),
]


@pytest.mark.parametrize(("fields", "words"), DESCRIBED)
def test_what_is_neither_text_nor_file_is_put_into_words(fields: dict[str, Any], words: str) -> None:
    assert inbound(said(**fields)).text == words


def test_a_poll_is_put_into_words() -> None:
    poll = {"id": "1", "question": "Tea?", "options": [{"text": "yes"}, {"text": "no"}]}
    update = said("x")
    update["message"] = {**update["message"], "poll": poll}
    del update["message"]["text"]
    assert inbound(update).text == "[poll: Tea?\n- yes\n- no]"


def test_a_rich_message_is_read_as_plain_text() -> None:
    update = said("x")
    blocks = [
        {"type": "heading", "text": "Title", "size": 1},
        {"type": "paragraph", "text": ["a ", {"type": "bold", "text": ["b", {"type": "italic", "text": "c"}]}, " d"]},
        {"type": "list", "items": [{"label": "1.", "blocks": [{"type": "paragraph", "text": "one"}]}]},
        {"type": "table", "cells": [[{"text": "x"}, {"text": "y"}]]},
    ]
    update["message"]["rich_message"] = {"blocks": blocks}
    del update["message"]["text"]
    assert inbound(update).text == "Title\na bc d\none\nx | y"


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
    moving = tg.Location(latitude=1, longitude=1, live_period=60)
    assert ignored(said(kind="edited_message", location=moving)) == "an edit without words"
    assert ignored(said("/new", kind="edited_message")) == "an edit without words"


def test_what_nobody_can_read_is_told_to_its_author() -> None:
    update = said("x")
    update["message"]["hologram"] = {"depth": 3}
    del update["message"]["text"]
    assert heard(update).ask == UNREADABLE


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
is_from_offline is_paid_post media_group_id author_signature paid_star_count entities link_preview_options
suggested_post_info effect_id caption_entities show_caption_above_media has_media_spoiler reply_markup
receiver_user ephemeral_message_id forward_date forward_from forward_from_chat forward_from_message_id
forward_sender_name forward_signature migrate_to_chat_id live_photo"""
"""Fields that say something about a message, and are not what it says."""


def test_every_field_of_a_message_that_holds_content_is_served_or_known_as_a_service() -> None:
    served = {"text", "caption", "photo", "animation", "audio", "document", "sticker", "video", "video_note", "voice"}
    described = {
        "venue",
        "location",
        "contact",
        "poll",
        "dice",
        "checklist",
        "rich_message",
        "game",
        "story",
        "paid_media",
    }
    assert set(tg.Message.model_fields) - set(ABOUT.split()) - served - described == SERVICE


def test_half_a_surrogate_pair_does_not_reach_the_store() -> None:
    update = said("x")
    update["message"]["text"] = json.loads('"a\\ud83d b"')
    update["message"]["from"]["first_name"] = json.loads('"\\ud83d"')
    found = inbound(update)
    assert found.text == "a? b"
    found.to_json().encode()


# -- other updates


def test_a_group_that_became_a_supergroup_is_noticed() -> None:
    found = meaning_of(said(chat=GROUP, migrate_to_chat_id=-100777, update_id=5))
    assert found == Moved(5, SessionKey(4242, -55), SessionKey(4242, -100777))
    assert ignored(said(chat=FORUM, migrate_from_chat_id=-55)) == "a service message"


@pytest.mark.parametrize(
    ("data", "kind", "choice", "ask"),
    [
        ("retry", "retry", {}, None),
        ("stop", "stop", {}, None),
        ("model:haiku", "choose", {"model": "haiku"}, Command("model", "haiku")),
        ("agent:a:b", "choose", {"agent": "a:b"}, Command("agent", "a:b")),
    ],
)
def test_pressed_buttons_speak_for_the_session_of_their_message(
    data: str, kind: str, choice: dict[str, str], ask: Command | None
) -> None:
    on = message("sorry", chat=FORUM, sender=BOT, message_id=44, message_thread_id=8, is_topic_message=True)
    found = heard(pressed(data, on))
    assert (found.inbound.kind, found.inbound.choice, found.ask) == (kind, choice, ask)
    assert found.inbound.key == SessionKey(4242, -1001234, 8)
    assert found.inbound.message_id == 44
    assert found.inbound.sender is not None
    assert found.inbound.sender.id == ANN.id
    assert found.callback == "99"


@pytest.mark.parametrize(
    ("data", "on"),
    [
        ("dance", message("x", sender=BOT)),
        ("model:", message("x", sender=BOT)),
        (None, message("x", sender=BOT)),
        ("retry", None),
        ("retry", tg.InaccessibleMessage(chat=PRIVATE, message_id=4)),
    ],
)
def test_other_presses_are_only_answered(data: str | None, on: tg.Message | tg.InaccessibleMessage | None) -> None:
    found = meaning_of(pressed(data, on))
    assert isinstance(found, Nothing)
    assert found.callback == "99"


def test_the_stop_button_of_a_draft_stops_its_session() -> None:
    stopped = tg.MessageGenerationStopped(chat=PRIVATE, draft_id=3, message_thread_id=12)
    found = heard(raw(tg.Update(update_id=9, stopped_message_generation=stopped)))
    assert (found.inbound.kind, found.inbound.session) == ("stop", "4242:700:t12")
    assert found.inbound.sender is not None
    assert found.inbound.sender.id == 700


def test_membership_and_kinds_that_we_do_not_serve_are_nothing() -> None:
    change = tg.ChatMemberUpdated(
        chat=PRIVATE,
        from_user=ANN,
        date=SOME_DAY,
        old_chat_member=tg.ChatMemberMember(user=BOT),
        new_chat_member=tg.ChatMemberBanned(user=BOT, until_date=SOME_DAY),
    )
    assert ignored(raw(tg.Update(update_id=1, my_chat_member=change))) == "the bot is now: kicked"
    assert ignored({"update_id": 3, "hologram_call": {"from": 1}}) == "a kind of update that we do not serve"


def test_only_kinds_that_the_bot_api_knows_are_asked_for() -> None:
    assert set(ALLOWED_UPDATES) <= set(tg.Update.model_fields)


# -- junk

BROKEN: list[Any] = [
    None,
    [],
    "text",
    {},
    {"update_id": "7"},
    {"update_id": True},
    {"update_id": 1, "message": None},
    {"update_id": 1, "message": []},
    {"update_id": 1, "message": {"message_id": 1}},
    {"update_id": 1, "message": {"message_id": 1, "chat": {"id": "1", "type": "private"}, "text": "x"}},
    {"update_id": 1, "message": {"message_id": 1, "chat": {"id": 1, "type": "cave"}, "text": "x"}},
    {"update_id": 1, "message": {"message_id": 1, "chat": {"id": 1, "type": []}, "text": "x"}},
    {"update_id": 1, "message": {"message_id": 1, "chat": {"id": 1, "type": "private"}, "from": 5, "text": "x"}},
    {"update_id": 1, "message": {"message_id": 1, "chat": {"id": 1, "type": "private"}, "from": {"id": 1}, "text": 5}},
    {"update_id": 1, "message": {"chat": {"id": 1, "type": "private"}, "from": {"id": 1}, "text": "x"}},
    {"update_id": 1, "callback_query": {"id": 5}},
    {"update_id": 1, "stopped_message_generation": {"chat": 5}},
]


@pytest.mark.parametrize("update", BROKEN)
def test_a_malformed_update_is_poison_with_a_reason_and_its_raw_form(update: Any) -> None:
    found = meaning_of(update)
    assert isinstance(found, Poison)
    assert found.reason
    assert json.loads(found.raw) == update


def test_the_raw_form_of_a_huge_update_is_cut() -> None:
    found = meaning_of({"update_id": 1, "message": "x" * 1_000_000})
    assert isinstance(found, Poison)
    assert len(found.raw) == RAW_CHARACTERS


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)

SAMPLES: list[dict[str, Any]] = [
    said("/model@cohort_bot x", chat=GROUP),
    said("@cohort_bot hi", chat=FORUM, message_thread_id=8, is_topic_message=True),
    said("hi", kind="business_message", business_connection_id="b1"),
    said("better", kind="edited_message", edit_date=1),
    said(
        "yes",
        chat=GROUP,
        reply_to_message=message(chat=GROUP, sender=BEN, caption="look", photo=[size("p", 9, 9)]),
        quote=tg.TextQuote(text="look", position=0),
        entities=[tg.MessageEntity(type="text_mention", offset=0, length=3, user=BOT)],
    ),
    said(caption="see", photo=[size("p", 90, 60), size("q", 9, 6)], media_group_id="g"),
    *(said(**fields) for fields, _ in DESCRIBED),
    *(
        said(**{kind: tg.Message.model_fields[kind].annotation.__args__[0](file_id="F", file_unique_id="U", **fields)})
        for kind, fields in FILES
    ),
    said(chat=GROUP, migrate_to_chat_id=-100777),
    pressed("model:x", message("x", sender=BOT)),
    raw(tg.Update(update_id=9, stopped_message_generation=tg.MessageGenerationStopped(chat=PRIVATE, draft_id=3))),
]


def places(node: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) in a JSON value."""
    inner = list(node.items()) if isinstance(node, dict) else list(enumerate(node)) if isinstance(node, list) else []
    return [(node, key) for key, _ in inner] + [place for _, value in inner for place in places(value)]


@st.composite
def damaged(draw: st.DrawFn) -> Any:
    """A good update in which up to three values were replaced by junk, or removed."""
    update = copy.deepcopy(draw(st.sampled_from(SAMPLES)))
    for _ in range(draw(st.integers(0, 3))):
        container, key = draw(st.sampled_from(places(update)))
        if isinstance(container, dict) and draw(st.booleans()):
            container.pop(key, None)
        else:
            container[key] = draw(JUNK)
        if not places(update):
            break
    return update


@pytest.mark.promise("poison-update")
@settings(max_examples=300, deadline=None)
@given(damaged() | JUNK)
def test_whatever_comes_there_is_a_decision_that_the_store_can_take(update: Any) -> None:
    found = meaning_of(update)
    assert isinstance(found, Heard | Moved | Nothing | Poison)
    if isinstance(found, Heard):
        written = found.inbound.to_json()
        written.encode()
        assert Inbound.from_json(written) == found.inbound
        assert found.inbound.key.bot == 4242
    if isinstance(found, Poison):
        found.raw.encode()
