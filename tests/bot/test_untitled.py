"""Topics whose name Telegram made up: how the bot tells them, and that a person's name takes that away."""

from typing import Any

import pytest
from aiogram import types as tg

from tasks.chats.access import Access
from tasks.config.settings import Settings
from tasks.session import SessionKey
from tasks.store import Store
from tests.bot.conftest import BotUnderTest, make_bot
from tests.bot.updates import FORUM, message, raw, said

TOPIC = {"message_thread_id": 8, "is_topic_message": True}


def root(*, implicit: bool | None = None, **more: Any) -> tg.Message:
    made = tg.ForumTopicCreated(name="New Chat", icon_color=1, is_name_implicit=implicit)
    return message(message_id=8, forum_topic_created=made, **TOPIC, **more)


async def untitled(bot: BotUnderTest, *updates: dict[str, Any]) -> list[bool]:
    for update in updates:
        await bot.intake.take([update])
    return [entry.untitled for entry in await bot.inbox("4242:700:t8")]


@pytest.mark.promise("topic-titles")
async def test_only_a_message_in_a_topic_with_a_made_up_name_says_so(bot: BotUnderTest) -> None:
    first = said("hi", update_id=1, reply_to_message=root(implicit=True), **TOPIC)
    second = said("hi", update_id=2, reply_to_message=root(), **TOPIC)
    third = said("hi", update_id=3, reply_to_message=message("earlier", **TOPIC), **TOPIC)
    assert await untitled(bot, first, second, third) == [True, False, False]
    (entry, *_) = await bot.inbox("4242:700:t8")
    assert entry.quote is None, "the topic's beginning is no quote"


@pytest.mark.promise("topic-titles")
async def test_a_name_that_a_person_gave_meanwhile_is_theirs(bot: BotUnderTest) -> None:
    named = raw(tg.Update(update_id=1, message=message(forum_topic_edited=tg.ForumTopicEdited(name="Mine"), **TOPIC)))
    recoloured = raw(
        tg.Update(
            update_id=3,
            message=message(forum_topic_edited=tg.ForumTopicEdited(icon_custom_emoji_id="5"), chat=FORUM, **TOPIC),
        )
    )
    await bot.intake.take([named])
    assert await bot.store.named_topics.has(SessionKey(4242, 700, 8)), "its worker asks for that"
    other = said("@cohort_bot hi", update_id=4, chat=FORUM, reply_to_message=root(implicit=True, chat=FORUM), **TOPIC)
    await bot.intake.take([recoloured, other])
    assert not await bot.store.named_topics.has(SessionKey(4242, FORUM.id, 8))
    assert [entry.untitled for entry in await bot.inbox("4242:-1001234:t8")] == [True]
    assert await bot.said() == []


@pytest.mark.promise("topic-titles")
async def test_a_topic_that_a_stranger_names_costs_nothing(settings: Settings, store: Store) -> None:
    bot = make_bot(settings, store, access=Access(everybody=False, allow=frozenset({1})))
    await bot.intake.take(
        [raw(tg.Update(update_id=1, message=message(forum_topic_edited=tg.ForumTopicEdited(name="Mine"), **TOPIC)))]
    )
    assert not await store.named_topics.has(SessionKey(4242, 700, 8))


@pytest.mark.parametrize("odd", [None, 7, "x", [], {"is_name_implicit": "yes"}, {"is_name_implicit": None}])
async def test_odd_shapes_of_a_topics_beginning_lose_no_message(bot: BotUnderTest, odd: object) -> None:
    update = said("hi", update_id=1, reply_to_message=root(implicit=True), **TOPIC)
    update["message"]["reply_to_message"]["forum_topic_created"] = odd
    assert await untitled(bot, update) == [False]
