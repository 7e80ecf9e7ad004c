"""A group that the bot is added to is greeted, if the person who adds it may talk to it."""

from typing import Any

import pytest
from aiogram import types as tg

from bot import texts
from tasks.chats.access import Access
from tasks.config.settings import Settings
from tasks.store import Store
from tests.bot.conftest import Doorway, make_doorway
from tests.bot.updates import ANN, BEN, FORUM, GROUP, PRIVATE, SOME_DAY, raw
from tests.bot.updates import BOT as US

ONLY_ANN = Access(everybody=False, allow=frozenset({ANN.id}))
LEFT, MEMBER = tg.ChatMemberLeft(user=US), tg.ChatMemberMember(user=US)
GONE = tg.ChatMemberBanned(user=US, until_date=SOME_DAY)


def changed(old: Any, new: Any, *, chat: tg.Chat = GROUP, by: tg.User = ANN) -> dict[str, Any]:
    change = tg.ChatMemberUpdated(chat=chat, from_user=by, date=SOME_DAY, old_chat_member=old, new_chat_member=new)
    return raw(tg.Update(update_id=1, my_chat_member=change))


@pytest.fixture
def doorway(settings: Settings, store: Store) -> Doorway:
    return make_doorway(settings, store, access=ONLY_ANN)


@pytest.mark.promise("commands")
@pytest.mark.parametrize(("old", "chat"), [(LEFT, GROUP), (GONE, GROUP), (LEFT, FORUM)])
async def test_a_group_is_greeted_once_and_no_turn_starts(doorway: Doorway, old: Any, chat: tg.Chat) -> None:
    for _ in range(2):
        await doorway.door.take([changed(old, MEMBER, chat=chat)])
    assert await doorway.said() == [(f"4242:{chat.id}", texts.greeting(context=20))]
    assert await doorway.inbox(f"4242:{chat.id}") == []


async def test_a_stranger_who_adds_the_bot_hears_that_it_is_private(doorway: Doorway) -> None:
    await doorway.door.take([changed(LEFT, MEMBER, by=BEN)])
    assert await doorway.said() == []
    assert await doorway.lines_to_strangers() == [("4242:-55", texts.stranger(BEN.id, GROUP.id))]


@pytest.mark.parametrize(
    "change",
    [
        changed(MEMBER, LEFT),
        changed(MEMBER, GONE),
        changed(MEMBER, MEMBER),
        changed(GONE, MEMBER, chat=PRIVATE),
        changed(LEFT, MEMBER, chat=tg.Chat(id=-1009, type="channel", title="News")),
    ],
)
async def test_no_other_change_is_answered(doorway: Doorway, change: dict[str, Any]) -> None:
    await doorway.door.take([change])
    assert await doorway.said() == []
    assert await doorway.lines_to_strangers() == []
