"""Who said it, where, and whether to the bot; commands, buttons, and other updates."""

from typing import Any

import pytest
from aiogram import types as tg

from bot.updates.commands import Command
from bot.updates.meaning import Ignored, Malformed, Moved
from bot.updates.understand import ALLOWED_UPDATES
from tasks.session import SessionKey
from tests.bot.meanings import NOW, heard, ignored, inbound, meaning_of
from tests.bot.updates import ANN, BEN, BOT, CHANNEL, FORUM, GROUP, PRIVATE, SOME_DAY, message, pressed, raw, said, size

# -- who and where


def test_a_private_message_keeps_its_text_sender_and_place() -> None:
    found = inbound(said("  hello there\n", message_id=31, update_id=77))
    assert found.session == "4242:700"
    assert (found.update_id, found.message_id, found.at, found.kind) == (77, 31, NOW, "message")
    assert found.text == "  hello there\n"
    assert found.sender is not None
    assert (found.sender.id, found.sender.name) == (700, "Ann Lee")
    assert (found.sender.username, found.sender.language) == ("annlee", "en")
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
    assert isinstance(found, Malformed)


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


@pytest.mark.parametrize("shape", ["code", "pre", "url", "email", "text_link"])
def test_the_bots_name_in_code_or_in_an_address_does_not_call_it(shape: str) -> None:
    text = "see 😀 @cohort_bot/x"
    more: dict[str, Any] = {"url": "https://example.org"} if shape == "text_link" else {}
    inside = tg.MessageEntity(type=shape, offset=7, length=13, **more)
    assert not heard(said(text, chat=GROUP, entities=[inside])).addressed
    assert not heard(said(caption=text, photo=[], chat=GROUP, caption_entities=[inside])).addressed
    assert heard(said(f"{text} @cohort_bot", chat=GROUP, entities=[inside])).addressed
    before = tg.MessageEntity(type=shape, offset=0, length=3, **more)
    assert heard(said(text, chat=GROUP, entities=[before])).addressed


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
    assert [(one.file_id, one.ours) for one in inbound(said("and this?", chat=GROUP, reply_to_message=ours)).media] == [
        ("p", True)
    ]


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


@pytest.mark.parametrize("name", ["start", "help", "whoami", "status", "usage", "model", "agent", "reminders"])
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


# -- other updates


def test_a_group_that_became_a_supergroup_is_noticed() -> None:
    found = meaning_of(said(chat=GROUP, migrate_to_chat_id=-100777, update_id=5))
    assert found == Moved(5, SessionKey(4242, -55), SessionKey(4242, -100777))
    came = meaning_of(said(chat=FORUM, migrate_from_chat_id=-55, update_id=6))
    assert came == Moved(6, SessionKey(4242, -55), SessionKey(4242, FORUM.id))


def test_a_group_that_became_itself_is_not_understood() -> None:
    assert isinstance(meaning_of(said(chat=GROUP, migrate_to_chat_id=GROUP.id, update_id=5)), Malformed)


def test_what_is_said_with_new_keeps_what_it_answers() -> None:
    found = inbound(said("/new and this?", reply_to_message=said("quoted")["message"]))
    assert (found.kind, found.text, found.quote) == ("new", "and this?", "quoted")


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
    assert isinstance(found, Ignored)
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
