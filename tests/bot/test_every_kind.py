"""Everything that a message can hold, in every kind of chat; and every kind of update."""

from typing import Any

import pytest
from aiogram import types as tg
from aiogram.enums import ContentType

from bot.updates.meaning import BotIdentity
from bot.updates.objects import SERVICE
from bot.updates.understand import ALLOWED_UPDATES, BUSINESS_UPDATES, CHANNEL_UPDATES, GUEST_UPDATES, INLINE_UPDATES
from tasks.config.settings import Settings
from tasks.store import Store
from tests.bot.conftest import BOT, make_bot
from tests.bot.meanings import DESCRIBED, FILES, ignored, inbound
from tests.bot.updates import BOT as US
from tests.bot.updates import CHANNEL, FORUM, GROUP, message, raw, size
from tests.support.redis_of import redis_of

ME = BotIdentity.of(BOT, "cohort_bot", channels=True, inline=True, guests=True)
PHOTO = [size("p", 9, 9)]


def as_sent(**content: Any) -> dict[str, Any]:
    return raw(tg.Update(update_id=1, message=message(**content)))["message"]


def file(kind: str, fields: dict[str, Any]) -> Any:
    return tg.Message.model_fields[kind].annotation.__args__[0](file_id="F", file_unique_id="U", **fields)


WORDS = [as_sent(text="@cohort_bot hello"), as_sent(caption="@cohort_bot see", photo=PHOTO)]
WORDLESS = [
    as_sent(photo=PHOTO),
    *(as_sent(**{kind: file(kind, fields)}) for kind, fields in FILES),
    *(as_sent(**content) for content, _ in DESCRIBED),
    as_sent() | {"rich_message": {"blocks": [{"type": "paragraph", "text": "rich"}]}},
    as_sent() | {"game": {"title": "Chess"}},
    as_sent() | {"paid_media": {"star_count": 5, "paid_media": []}},
    as_sent() | {"unique_gift": {"gift": {"name": "Cap-7"}}},
    as_sent() | {"gift_upgrade_sent": {"gift": {"star_count": 7}}},
]
"""What a turn begins with although it says nothing."""
UNREADABLE = [as_sent() | {"passport_data": {}}, as_sent() | {"hologram": {"depth": 3}}, as_sent()]
EVENTS = [as_sent() | {name: True} for name in sorted(SERVICE)]

TO_US = {"reply_to_message": as_sent(reply_to_message=message("Yes?", sender=US, message_id=5))["reply_to_message"]}
IN_GROUP = {"chat": as_sent(chat=GROUP)["chat"]}
PLACES: dict[str, tuple[str, dict[str, Any], str]] = {
    "private": ("message", {}, "4242:700"),
    "group": ("message", IN_GROUP | TO_US, "4242:-55"),
    "group, not to the bot": ("message", IN_GROUP, "4242:-55"),
    "topic": (
        "message",
        {"chat": as_sent(chat=FORUM)["chat"], "message_thread_id": 8, "is_topic_message": True} | TO_US,
        "4242:-1001234:t8",
    ),
    "channel": ("channel_post", {"chat": as_sent(chat=CHANNEL)["chat"], "from": None}, "4242:-1009"),
    "business": ("business_message", {"business_connection_id": "conn"}, "4242:700:bconn"),
    "guest": ("guest_message", IN_GROUP | {"guest_query_id": "g1"}, "4242:700:b~AAQ-g1"),
}
"""Where a message is sent: the kind of its update, what it has there, and its session."""

REACTIONS: dict[str, tuple[list[dict[str, Any]], int]] = {
    "private": (WORDS + WORDLESS, 3),
    "group": (WORDS + WORDLESS, 3),
    # What others say there is context at most.
    "group, not to the bot": (WORDS, 0),
    "topic": (WORDS + WORDLESS, 3),
    "channel": (WORDS, 0),
    # In the account's name, as all that the bot says there.
    "business": (WORDS + WORDLESS, 3),
    # A guest is called by words; one call of it is answered once.
    "guest": (WORDS[:1], 0),
}
"""What begins a turn there, and how many lines the bot says; all else is passed over in silence."""


def at(number: int) -> dict[str, int]:
    """A minute after the one before: a person writes them."""
    return {"date": 1_800_000_000 + 60 * number}


@pytest.mark.parametrize("place", PLACES)
async def test_all_that_a_message_can_hold_begins_a_turn_or_is_told_in_one_line_or_is_passed_over(
    settings: Settings, store: Store, place: str
) -> None:
    kind, there, session = PLACES[place]
    bot = make_bot(settings.model_copy(update={"rate": 0}), store, me=ME)
    contents = [*WORDS, *WORDLESS, *UNREADABLE, *EVENTS]
    updates = [
        {"update_id": number, kind: {k: v for k, v in {**content, **there, **at(number)}.items() if v is not None}}
        for number, content in enumerate(contents, 1)
    ]
    for update in updates:
        await bot.intake.take([update])
        # Of what comes in a row that cannot be read one is told so within the hour.
        bot.clock.time += 3600
    turns, lines = REACTIONS[place]
    begun = [entry.update_id for entry in await bot.inbox(session)]
    wanted = [number for number, content in enumerate(contents, 1) if content in turns]
    assert begun == wanted
    assert len(await bot.said()) == lines
    assert await store.dead.count() == 0
    assert await redis_of(store).keys("cohort:s:*:inbox") == [f"cohort:s:{session}:inbox".encode()]


PARTS = {name: value for content in (*WORDS, *WORDLESS, *UNREADABLE, *EVENTS) for name, value in content.items()}


@pytest.mark.parametrize("name", sorted(PARTS.keys() - as_sent().keys() - {"entities", "caption_entities"}))
def test_whatever_a_message_holds_an_answer_to_it_says_what_it_answers(name: str) -> None:
    answered = as_sent() | {name: PARTS[name]}
    asked = as_sent(text="What is this?") | {"reply_to_message": answered}
    quote = inbound({"update_id": 1, "message": asked}).quote or ""
    if name == "forum_topic_created":
        assert not quote, "every message of a topic answers it"
        return
    assert quote
    known = name not in SERVICE and name not in ("passport_data", "hologram")
    assert (quote == "[a message whose words are not told]") != (known or name in SERVICE)
    assert (quote == f"[an event in the chat: {name.replace('_', ' ')}]") == (name in SERVICE)


def test_an_answer_to_a_message_that_cannot_be_seen_any_more_says_so() -> None:
    asked = as_sent(text="What is this?") | {"reply_to_message": {"message_id": 3, "date": 0}}
    assert inbound({"update_id": 1, "message": asked}).quote == "[a message whose words are not told]"
    in_topic = asked | PLACES["topic"][1] | {"reply_to_message": {"message_id": 8, "date": 0}, "text": "@cohort_bot hi"}
    assert inbound({"update_id": 1, "message": in_topic}).quote is None, "what opened the topic is no answer"


SEEN = {name for content in (*WORDS, *WORDLESS) for name in content}
OTHERWISE = {
    ContentType.UNKNOWN: "its author is told that the bot cannot read it",
    ContentType.PASSPORT_DATA: "as an unknown one",
    ContentType.LIVE_PHOTO: "its photo comes beside it",
    ContentType.MIGRATE_FROM_CHAT_ID: "the session moves",
    ContentType.MIGRATE_TO_CHAT_ID: "the session moves",
    ContentType.ANY: "a filter's word",
}


@pytest.mark.parametrize("kind", ContentType)
def test_each_of_aiograms_types_of_content_is_told_or_answered_or_known_as_an_event(kind: ContentType) -> None:
    assert (kind.value in SEEN) + (kind.value in SERVICE) + (kind in OTHERWISE) == 1


OPTIONAL = (*BUSINESS_UPDATES, *CHANNEL_UPDATES, *INLINE_UPDATES, *GUEST_UPDATES)
UNSERVED = (
    "message_reaction_count",
    "shipping_query",
    "pre_checkout_query",
    "purchased_paid_media",
    "poll",
    "poll_answer",
    "chat_member",
    "chat_join_request",
    "chat_boost",
    "removed_chat_boost",
    "managed_bot",
    "subscription",
)


def test_every_kind_of_update_is_asked_for_or_wanted_by_an_operator_or_known_as_none_of_ours() -> None:
    kinds = [*ALLOWED_UPDATES, *OPTIONAL, *UNSERVED]
    assert sorted(kinds) == sorted(set(tg.Update.model_fields) - {"update_id"})


@pytest.mark.parametrize("value", [{}, {"id": "1", "chat": 5}, [], "?", None])
def test_a_kind_of_update_that_was_not_asked_for_is_passed_over(value: Any) -> None:
    for kind in UNSERVED:
        assert ignored({"update_id": 1, kind: value}) == "a kind of update that we do not serve"
