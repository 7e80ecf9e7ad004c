"""chats.yaml as the bot reads it: which messages of a group it attends to, and what it shows as answering."""

import asyncio
from pathlib import Path

import pytest

from tasks.config.settings import load
from tasks.operator_files.chat_rules import ChatRulesFile
from tasks.session import SessionKey
from tasks.store import Store
from tests.bot.conftest import Doorway, make_doorway
from tests.bot.updates import BEN, FORUM, GROUP, said
from workers.runtime.cards.bot_rules import BotRules

GROUPS, TOPIC = "4242:-55", "4242:-1001234:t7"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "chats.yaml"


def rule(doorway: Doorway, text: str) -> None:
    """Write the file, and have the bot look at it."""
    doorway.settings.chats.write_text(text)
    assert doorway.chats.look()


@pytest.fixture
def doorway(redis_url: str, store: Store, file: Path) -> Doorway:
    given = {"REDIS_URL": redis_url, "TELEGRAM_BOT_TOKEN": "4242:x", "COHORT_MODELS": "a,b", "COHORT_MODEL": "plain"}
    return make_doorway(load({**given, "COHORT_CHATS": str(file)}), store)


async def taken(doorway: Doorway, text: str, update_id: int, session: str = GROUPS) -> list[str]:
    """The texts that wait in a session after a message of its group."""
    more = {"message_thread_id": 7, "is_topic_message": True} if session == TOPIC else {}
    chat = FORUM if session == TOPIC else GROUP
    await doorway.door.take([said(text, sender=BEN, chat=chat, update_id=update_id, message_id=update_id, **more)])
    return [entry.text for entry in await doorway.inbox(session)]


@pytest.mark.promise("chat-rules")
async def test_a_groups_mention_rule_holds_from_the_moment_the_file_changes(doorway: Doorway) -> None:
    assert await taken(doorway, "between us", 1) == []
    rule(doorway, "chats:\n  -55: {mention: always}\n")
    assert await taken(doorway, "to all", 2) == ["to all"]
    rule(doorway, "chats:\n  -55:\n    mention: never\n")
    assert await taken(doorway, "@cohort_bot and now?", 3) == ["to all"]
    assert await taken(doorway, "/new", 4) == ["to all", ""], "commands are carried out"
    rule(doorway, "")
    assert await taken(doorway, "@cohort_bot hello", 5) == ["to all", "", "hello"]


@pytest.mark.promise("chat-rules")
async def test_a_topic_has_a_rule_of_its_own_and_what_it_leaves_open_is_its_chats(doorway: Doorway) -> None:
    rule(doorway, "chats:\n  -1001234: {mention: never, agent: poet, topics: {7: {mention: always, model: big}}}\n")
    assert await taken(doorway, "hi", 1, TOPIC) == ["hi"]
    await taken(doorway, "/status@cohort_bot", 2, TOPIC)
    ((_, shown),) = await doorway.said()
    assert "poet" in shown
    assert "big" in shown


async def test_what_a_silent_chat_says_is_no_context_of_a_later_message(doorway: Doorway) -> None:
    rule(doorway, "chats:\n  -55: {mention: never}\n")
    await taken(doorway, "a secret", 1)
    rule(doorway, "{}\n")
    await taken(doorway, "@cohort_bot hi", 2)
    (entry,) = await doorway.inbox(GROUPS)
    assert entry.overheard == ()


async def test_in_a_chat_with_always_service_messages_stay_unanswered(doorway: Doorway) -> None:
    rule(doorway, "chats:\n  -55: {mention: always}\n")
    await doorway.door.take([said(None, chat=GROUP, update_id=1, pinned_message=None)])
    assert await doorway.said() == []


@pytest.mark.promise("chat-rules")
async def test_the_rules_of_a_group_hold_for_the_supergroup_that_it_becomes_in_all_processes(doorway: Doorway) -> None:
    """Also in the same batch, and for a process that starts later or is a worker."""
    rule(doorway, "chats:\n  -55: {mention: never, agent: poet}\n")
    other = make_doorway(doorway.settings, doorway.store)
    moved = said(chat=GROUP, sender=None, migrate_to_chat_id=FORUM.id, update_id=1)
    await doorway.door.take([moved, said("@cohort_bot hi", chat=FORUM, message_id=2, update_id=2)])
    assert await doorway.inbox(f"4242:{FORUM.id}") == []
    other.chats.moved = await other.store.people.followed()
    workers = BotRules(ChatRulesFile(doorway.settings.chats), None, doorway.store.people)
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        watching = group.create_task(workers.watch())
        while workers.of(SessionKey(4242, FORUM.id)).agent is None:
            await doorway.store.redis.ping()
        watching.cancel()
    for rules in (doorway.chats, other.chats, workers):
        assert rules.of(SessionKey(4242, FORUM.id, 7)).agent == "poet"
        assert rules.of(SessionKey(4242, -1009)).agent is None
    rule(doorway, f"chats:\n  -55: {{mention: never}}\n  {FORUM.id}: {{agent: a}}\n")
    assert doorway.chats.of(SessionKey(4242, FORUM.id)).mention is None, "a rule of its own stands above"
