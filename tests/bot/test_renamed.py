"""A bot whose @name is changed at BotFather while it runs answers to the new one."""

from bot.api import Telegram
from bot.own_name import OwnName
from playground.state.world import State
from tests.bot.conftest import BotUnderTest, make_bot
from tests.bot.updates import GROUP, said


async def test_a_renamed_bot_is_called_by_its_new_name_and_no_longer_by_the_old_one(
    telegram: Telegram, playground: State, bot: BotUnderTest
) -> None:
    me, names = await telegram.me(), list[str]()
    renamed = make_bot(bot.settings, bot.store, me=me)
    name = OwnName(me, telegram.me, (renamed.attention.renamed, lambda now: names.append(now.username)))
    await name.look()
    assert names == []
    playground.bot.user["username"] = "Tea_Time_Bot"
    await name.look()
    await name.look()
    assert names == ["tea_time_bot"]
    for number, words in enumerate((f"@{me.username} hi", "@Tea_Time_Bot hello", "/new@tea_time_bot")):
        await renamed.intake.take([said(words, chat=GROUP, message_id=number + 1, update_id=number + 1)])
    waiting = await renamed.inbox(f"{me.id}:{GROUP.id}")
    assert [(entry.kind, entry.text) for entry in waiting] == [("message", "hello"), ("new", "")]
