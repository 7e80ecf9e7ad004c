"""chats.yaml as the bot reads it: which messages of a group it attends to, and what it shows as answering."""

import asyncio
from pathlib import Path

import pytest
from aiogram import types as tg

from tasks.config.settings import load
from tasks.operator_files.chat_rules import ChatRulesFile
from tasks.session import SessionKey
from tasks.store import Store
from tests.bot.conftest import BotUnderTest, make_bot
from tests.bot.updates import BEN, FORUM, GROUP, said
from tests.support.redis_of import redis_of
from workers.runtime.cards.bot_rules import BotRules

GROUPS, TOPIC = "4242:-55", "4242:-1001234:t7"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "chats.yaml"


def rule(bot: BotUnderTest, text: str) -> None:
    """Write the file, and have the bot look at it."""
    bot.settings.chats.write_text(text)
    assert bot.chats.look()


@pytest.fixture
def bot(redis_url: str, store: Store, file: Path) -> BotUnderTest:
    given = {"REDIS_URL": redis_url, "TELEGRAM_BOT_TOKEN": "4242:x", "COHORT_MODELS": "a,b", "COHORT_MODEL": "plain"}
    return make_bot(load({**given, "COHORT_CHATS": str(file)}), store)


async def taken(bot: BotUnderTest, text: str, update_id: int, session: str = GROUPS) -> list[str]:
    """The texts that wait in a session after a message of its group."""
    more = {"message_thread_id": 7, "is_topic_message": True} if session == TOPIC else {}
    chat = FORUM if session == TOPIC else GROUP
    await bot.intake.take([said(text, sender=BEN, chat=chat, update_id=update_id, message_id=update_id, **more)])
    return [entry.text for entry in await bot.inbox(session)]


@pytest.mark.promise("chat-rules")
async def test_a_groups_mention_rule_holds_from_the_moment_the_file_changes(bot: BotUnderTest) -> None:
    assert await taken(bot, "between us", 1) == []
    rule(bot, "chats:\n  -55: {mention: always}\n")
    assert await taken(bot, "to all", 2) == ["to all"]
    rule(bot, "chats:\n  -55:\n    mention: never\n")
    assert await taken(bot, "@cohort_bot and now?", 3) == ["to all"]
    assert await taken(bot, "/new", 4) == ["to all", ""], "commands are carried out"
    rule(bot, "")
    assert await taken(bot, "@cohort_bot hello", 5) == ["to all", "", "hello"]


@pytest.mark.promise("chat-rules")
async def test_a_topic_has_a_rule_of_its_own_and_what_it_leaves_open_is_its_chats(bot: BotUnderTest) -> None:
    rule(bot, "chats:\n  -1001234: {mention: never, agent: poet, topics: {7: {mention: always, model: big}}}\n")
    assert await taken(bot, "hi", 1, TOPIC) == ["hi"]
    await taken(bot, "/status@cohort_bot", 2, TOPIC)
    ((_, shown),) = await bot.said()
    assert "poet" in shown
    assert "big" in shown


async def test_what_a_silent_chat_says_is_no_context_of_a_later_message(bot: BotUnderTest) -> None:
    rule(bot, "chats:\n  -55: {mention: never}\n")
    await taken(bot, "a secret", 1)
    rule(bot, "{}\n")
    await taken(bot, "@cohort_bot hi", 2)
    (entry,) = await bot.inbox(GROUPS)
    assert entry.overheard == ()


async def test_in_a_chat_with_always_a_live_location_that_moves_begins_no_turn(bot: BotUnderTest) -> None:
    rule(bot, "chats:\n  -55: {mention: always}\n")
    where = [tg.Location(latitude=latitude, longitude=13.4, live_period=60) for latitude in (52.5, 52.6)]
    await bot.intake.take([said(location=where[0], chat=GROUP, update_id=1, message_id=1)])
    await bot.intake.take([said(location=where[1], chat=GROUP, update_id=2, message_id=1, kind="edited_message")])
    assert await taken(bot, "where is Ben?", 3) == ["[live location: 52.5, 13.4]", "where is Ben?"]
    (*_, asked) = await bot.inbox(GROUPS)
    assert [one.text for one in asked.overheard] == ["[live location: 52.6, 13.4]"]


async def test_in_a_chat_with_always_service_messages_stay_unanswered(bot: BotUnderTest) -> None:
    rule(bot, "chats:\n  -55: {mention: always}\n")
    await bot.intake.take([said(None, chat=GROUP, update_id=1, pinned_message=None)])
    assert await bot.said() == []


@pytest.mark.promise("chat-rules")
async def test_the_rules_of_a_group_hold_for_the_supergroup_that_it_becomes_in_all_processes(bot: BotUnderTest) -> None:
    """Also in the same batch, and for a process that starts later or is a worker."""
    rule(bot, "chats:\n  -55: {mention: never, agent: poet}\n")
    other = make_bot(bot.settings, bot.store)
    moved = said(chat=GROUP, sender=None, migrate_to_chat_id=FORUM.id, update_id=1)
    await bot.intake.take([moved, said("@cohort_bot hi", chat=FORUM, message_id=2, update_id=2)])
    assert await bot.inbox(f"4242:{FORUM.id}") == []
    other.chats.moved = await other.store.people.followed()
    workers = BotRules(ChatRulesFile(bot.settings.chats), None, bot.store.people)
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        watching = group.create_task(workers.watch(frozenset))
        while workers.of(SessionKey(4242, FORUM.id)).agent is None:
            await redis_of(bot.store).ping()
        watching.cancel()
    for rules in (bot.chats, other.chats, workers):
        assert rules.of(SessionKey(4242, FORUM.id, 7)).agent == "poet"
        assert rules.of(SessionKey(4242, -1009)).agent is None
    rule(bot, f"chats:\n  -55: {{mention: never}}\n  {FORUM.id}: {{agent: a}}\n")
    assert bot.chats.of(SessionKey(4242, FORUM.id)).mention is None, "a rule of its own stands above"
