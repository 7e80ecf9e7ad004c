"""People who are not admitted: they hear so seldom, and reach no inbox."""

import pytest
from aiogram import types as tg

from bot import texts
from tasks.chats.access import Access
from tasks.chats.command_names import ASKS, CONTROL
from tasks.config.settings import Settings
from tasks.errors import StoreUnavailable
from tasks.phrases import phrase
from tasks.store import Store
from tests.bot.conftest import make_bot
from tests.bot.stand_ins import AwaySometimes
from tests.bot.test_update_intake import ANNS
from tests.bot.updates import BOT, GROUP, PRIVATE, message, pressed, said
from tests.support.redis_of import redis_of

STRANGERS = Access(everybody=False, allow=frozenset({1}))


# -- access


@pytest.mark.promise("strangers")
async def test_a_stranger_hears_so_once_an_hour_and_reaches_no_inbox(settings: Settings, store: Store) -> None:
    bot = make_bot(settings, store, access=STRANGERS)
    await bot.intake.take([said("hi", update_id=1), said("hi?", update_id=2)])
    await bot.intake.take([said("hello?", update_id=3)])
    assert await bot.lines_to_strangers() == [(ANNS, texts.stranger(700, 700))]
    assert "700" in texts.stranger(700, 700)
    bot.clock.time += 3601
    await bot.intake.take([said("anybody?", update_id=4)])
    assert len(await bot.lines_to_strangers()) == 2
    assert await bot.inbox(ANNS) == []


async def test_a_stranger_whose_line_could_not_be_stored_hears_it_later(settings: Settings, store: Store) -> None:
    intake = AwaySometimes(store)
    bot = make_bot(settings, store, access=STRANGERS, intake=intake)
    intake.away = True
    with pytest.raises(StoreUnavailable):
        await bot.intake.take([said("hi")])
    intake.away = False
    await bot.intake.take([said("hi")])
    assert len(await bot.lines_to_strangers()) == 1


async def test_strangers_in_a_group_hear_so_only_when_they_spoke_to_the_bot(settings: Settings, store: Store) -> None:
    bot = make_bot(settings, store, access=STRANGERS)
    await bot.intake.take([said("hi all", chat=GROUP, update_id=1)])
    assert await bot.lines_to_strangers() == []
    await bot.intake.take([said("@cohort_bot hi", chat=GROUP, update_id=2)])
    assert await bot.lines_to_strangers() == [("4242:-55", texts.stranger(700, -55))]


async def test_a_strangers_button_does_nothing(settings: Settings, store: Store) -> None:
    bot = make_bot(settings, store, access=STRANGERS)
    await bot.intake.take([pressed("stop", message("x", sender=BOT))])
    await bot.followed()
    assert bot.signs.pressed == [("99", phrase("private-bot"))]
    assert bot.remote.interrupted == []
    assert await bot.inbox(ANNS) == []


@pytest.mark.promise("strangers")
@pytest.mark.parametrize("chat", [PRIVATE, GROUP], ids=lambda chat: chat.type)
async def test_a_strangers_commands_get_the_one_line_and_do_nothing(
    settings: Settings, store: Store, chat: tg.Chat
) -> None:
    bot = make_bot(settings, store, access=STRANGERS)
    commands = [f"/{name}{argument}" for name in sorted({*CONTROL, *ASKS}) for argument in ("", " 700", " all")]
    await bot.intake.take([said(text, chat=chat, update_id=number) for number, text in enumerate(commands, 1)])
    await bot.followed()
    assert len(await bot.lines_to_strangers()) == 1
    assert (await bot.said(), await redis_of(store).keys("cohort:s:*")) == ([], [])
    assert (bot.remote.interrupted, bot.signs.typed) == ([], [])


async def test_a_business_accounts_strangers_hear_nothing(settings: Settings, store: Store) -> None:
    bot = make_bot(settings, store, access=STRANGERS)
    await bot.intake.take([said("hi", kind="business_message", business_connection_id="b")])
    assert await bot.lines_to_strangers() == []
