"""A group that the bot is added to is greeted, if the person who adds it may talk to it."""

from typing import Any

import pytest
from aiogram import types as tg

from bot import texts
from tasks.chats.access import Access
from tasks.config.settings import Settings
from tasks.store import Store
from tests.bot.conftest import BotUnderTest, make_bot
from tests.bot.updates import ANN, BEN, FORUM, GROUP, PRIVATE, SOME_DAY, raw
from tests.bot.updates import BOT as US

ONLY_ANN = Access(everybody=False, allow=frozenset({ANN.id}))
LEFT, MEMBER = tg.ChatMemberLeft(user=US), tg.ChatMemberMember(user=US)
GONE = tg.ChatMemberBanned(user=US, until_date=SOME_DAY)


def changed(old: Any, new: Any, *, chat: tg.Chat = GROUP, by: tg.User = ANN) -> dict[str, Any]:
    change = tg.ChatMemberUpdated(chat=chat, from_user=by, date=SOME_DAY, old_chat_member=old, new_chat_member=new)
    return raw(tg.Update(update_id=1, my_chat_member=change))


@pytest.fixture
def bot(settings: Settings, store: Store) -> BotUnderTest:
    return make_bot(settings, store, access=ONLY_ANN)


@pytest.mark.promise("commands")
@pytest.mark.parametrize(("old", "chat"), [(LEFT, GROUP), (GONE, GROUP), (LEFT, FORUM)])
async def test_a_group_is_greeted_once_and_no_turn_starts(bot: BotUnderTest, old: Any, chat: tg.Chat) -> None:
    for _ in range(2):
        await bot.intake.take([changed(old, MEMBER, chat=chat)])
    assert await bot.said() == [(f"4242:{chat.id}", texts.greeting(context=20, hears=False))]
    assert await bot.inbox(f"4242:{chat.id}") == []


async def test_a_stranger_who_adds_the_bot_hears_that_it_is_private(bot: BotUnderTest) -> None:
    await bot.intake.take([changed(LEFT, MEMBER, by=BEN)])
    assert await bot.said() == []
    assert await bot.lines_to_strangers() == [("4242:-55", texts.stranger(BEN.id, GROUP.id))]


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
async def test_no_other_change_is_answered(bot: BotUnderTest, change: dict[str, Any]) -> None:
    await bot.intake.take([change])
    assert await bot.said() == []
    assert await bot.lines_to_strangers() == []
