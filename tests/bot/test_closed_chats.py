"""People who block the bot and groups that remove or mute it are known to operators."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from aiogram import types as tg

from bot.access.closed_chats import noting
from botapi.refusals import TABLE, Refusal
from tasks.chats.closed import why
from tasks.store import Store
from tasks.store.chats.closed_chats import MOST
from tests.bot.test_greeting import GONE, LEFT, MEMBER, changed
from tests.bot.updates import BOT, FORUM, GROUP, PRIVATE, SOME_DAY, said
from tests.harness.command import cohort
from tests.support.redis_of import redis_of

RIGHTS = {name: False for name in tg.ChatMemberRestricted.model_fields if name.startswith("can_")}


def restricted(**rights: bool) -> tg.ChatMemberRestricted:
    given = {**RIGHTS, "is_member": True, **rights}
    return tg.ChatMemberRestricted(user=BOT, until_date=SOME_DAY, **given)  # pyright: ignore[reportArgumentType]


async def seen(store: Store, *updates: object) -> set[tuple[int, str]]:
    """The closed chats after these updates, which come twice."""
    taken: list[object] = []

    async def take(batch: Sequence[object]) -> bool:
        taken.extend(batch)
        return False

    for _ in range(2):
        await noting(take, 4242, store.closed)(updates)
    assert len(taken) == 2 * len(updates), "the intake has all of them"
    return {(one.chat, one.why) for one in await store.closed.look()}


@pytest.mark.promise("closed-chats")
async def test_a_chats_last_word_about_the_bot_counts(store: Store) -> None:
    closing = (
        changed(MEMBER, GONE, chat=PRIVATE),
        changed(MEMBER, LEFT),
        changed(MEMBER, restricted(), chat=FORUM),
        said(None, chat=tg.Chat(id=-77, type="group", title="old"), migrate_to_chat_id=-10077),
    )
    expected = {(PRIVATE.id, "blocked"), (GROUP.id, "removed"), (FORUM.id, "muted"), (-77, "migrated")}
    assert await seen(store, *closing) == expected
    opening = (
        changed(GONE, MEMBER, chat=PRIVATE),
        changed(LEFT, MEMBER),
        changed(restricted(), restricted(can_send_messages=True), chat=FORUM),
    )
    assert await seen(store, *opening) == {(-77, "migrated")}


@pytest.mark.parametrize(
    "rubbish",
    [
        None,
        {"my_chat_member": 1},
        {"my_chat_member": {"chat": {"id": "x"}, "new_chat_member": {}}},
        {"my_chat_member": {"chat": {"id": 2**70}, "new_chat_member": {"status": ["left"]}}},
        {"message": {"migrate_to_chat_id": "x", "chat": {"id": 5}}},
    ],
)
async def test_rubbish_says_nothing(store: Store, rubbish: Any) -> None:
    assert await seen(store, rubbish) == set()


async def test_they_are_bounded(store: Store) -> None:
    async with redis_of(store).pipeline(transaction=False) as pipe:
        pipe.zadd("cohort:bot:4242:closed", {f"{number} muted": 1e12 + number for number in range(1, MOST + 9)})
        pipe.expire("cohort:bot:4242:closed", 60)
        await pipe.execute()
    await store.closed.close(4242, 5, "gone")
    assert len(await store.closed.look()) == MOST


@pytest.mark.promise("closed-chats")
async def test_they_are_shown_in_status_and_by_chats(store: Store, redis_url: str, tmp_path: Path) -> None:
    await store.closed.close(4242, -55, "muted")
    shown = cohort("status", home=tmp_path, REDIS_URL=redis_url).stdout
    assert "1 muted (`cohort chats`)" in shown
    assert json.loads(cohort("status", "--json", home=tmp_path, REDIS_URL=redis_url).stdout)["closed_chats"] == {
        "muted": 1
    }
    assert "muted     -55 (bot 4242)" in cohort("chats", home=tmp_path, REDIS_URL=redis_url).stdout
    told = json.loads(cohort("chats", "--json", home=tmp_path, REDIS_URL=redis_url).stdout)
    assert (told["muted"], told["chats"][0]["chat"]) == (1, -55)


def test_what_a_refusal_says_of_a_chat() -> None:
    assert why("Forbidden: bot was blocked by the user") == "blocked"
    assert why("Forbidden: bot was kicked from the supergroup chat") == "removed"
    assert why("Bad Request: not enough rights to send text messages to the chat") == "muted"
    assert why("Bad Request: chat not found") == "gone"
    assert why("Bad Request: message text is empty") is None
    assert why("Forbidden: the group chat was deleted") == "gone"
    assert why("Bad Request: USER_BANNED_IN_CHANNEL") == "muted"
    assert why("Bad Request: message thread not found") == "shut"


NOT_OF_A_CHAT = ("chat_id is empty", "business", "payment_required")


@pytest.mark.promise("closed-chats")
@pytest.mark.parametrize("opened", ["forum_topic_reopened", "general_forum_topic_unhidden"])
async def test_a_topic_that_opens_again_opens_a_chat_that_was_shut_and_no_muted_one(store: Store, opened: str) -> None:
    await store.closed.close(4242, FORUM.id, "shut")
    await store.closed.close(4242, GROUP.id, "muted")
    updates = [said(None, chat=chat, **{opened: {}}) for chat in (FORUM, GROUP)]
    assert await seen(store, *updates) == {(GROUP.id, "muted")}


@pytest.mark.promise("closed-chats")
def test_each_refusal_of_a_chat_for_good_says_why_it_is_closed() -> None:
    """Else a chat that takes nothing stands in no list of closed ones."""
    unsaid = [row for row, refusal in TABLE if refusal is Refusal.GONE and why(row) is None]
    assert [row for row in unsaid if not row.startswith(NOT_OF_A_CHAT)] == []
