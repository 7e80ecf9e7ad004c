"""People who are not admitted: they hear so seldom, and reach no inbox."""

import pytest
from aiogram import types as tg

from bot import texts
from bot.updates.commands import ASKS, CONTROL
from tasks.chats.access import Access
from tasks.config.settings import Settings
from tasks.errors import StoreUnavailable
from tasks.phrases import phrase
from tasks.store import Store
from tests.bot.conftest import make_doorway
from tests.bot.stand_ins import AwaySometimes
from tests.bot.test_update_intake import ANNS
from tests.bot.updates import BOT, GROUP, PRIVATE, message, pressed, said

STRANGERS = Access(everybody=False, allow=frozenset({1}))


# -- access


@pytest.mark.promise("strangers")
async def test_a_stranger_hears_so_once_an_hour_and_reaches_no_inbox(settings: Settings, store: Store) -> None:
    doorway = make_doorway(settings, store, access=STRANGERS)
    await doorway.door.take([said("hi", update_id=1), said("hi?", update_id=2)])
    await doorway.door.take([said("hello?", update_id=3)])
    assert await doorway.lines_to_strangers() == [(ANNS, texts.stranger(700, 700))]
    assert "700" in texts.stranger(700, 700)
    doorway.clock.time += 3601
    await doorway.door.take([said("anybody?", update_id=4)])
    assert len(await doorway.lines_to_strangers()) == 2
    assert await doorway.inbox(ANNS) == []


async def test_a_stranger_whose_line_could_not_be_stored_hears_it_later(settings: Settings, store: Store) -> None:
    door = AwaySometimes(store)
    doorway = make_doorway(settings, store, access=STRANGERS, intake=door)
    door.away = True
    with pytest.raises(StoreUnavailable):
        await doorway.door.take([said("hi")])
    door.away = False
    await doorway.door.take([said("hi")])
    assert len(await doorway.lines_to_strangers()) == 1


async def test_strangers_in_a_group_hear_so_only_when_they_spoke_to_the_bot(settings: Settings, store: Store) -> None:
    doorway = make_doorway(settings, store, access=STRANGERS)
    await doorway.door.take([said("hi all", chat=GROUP, update_id=1)])
    assert await doorway.lines_to_strangers() == []
    await doorway.door.take([said("@cohort_bot hi", chat=GROUP, update_id=2)])
    assert await doorway.lines_to_strangers() == [("4242:-55", texts.stranger(700, -55))]


async def test_a_strangers_button_does_nothing(settings: Settings, store: Store) -> None:
    doorway = make_doorway(settings, store, access=STRANGERS)
    await doorway.door.take([pressed("stop", message("x", sender=BOT))])
    await doorway.followed()
    assert doorway.signs.pressed == [("99", phrase("private-bot"))]
    assert doorway.remote.interrupted == []
    assert await doorway.inbox(ANNS) == []


@pytest.mark.promise("strangers")
@pytest.mark.parametrize("chat", [PRIVATE, GROUP], ids=lambda chat: chat.type)
async def test_a_strangers_commands_get_the_one_line_and_do_nothing(
    settings: Settings, store: Store, chat: tg.Chat
) -> None:
    doorway = make_doorway(settings, store, access=STRANGERS)
    commands = [f"/{name}{argument}" for name in sorted({*CONTROL, *ASKS}) for argument in ("", " 700", " all")]
    await doorway.door.take([said(text, chat=chat, update_id=number) for number, text in enumerate(commands, 1)])
    await doorway.followed()
    assert len(await doorway.lines_to_strangers()) == 1
    assert (await doorway.said(), await store.redis.keys("cohort:s:*")) == ([], [])
    assert (doorway.remote.interrupted, doorway.signs.typed) == ([], [])


async def test_a_business_accounts_strangers_hear_nothing(settings: Settings, store: Store) -> None:
    doorway = make_doorway(settings, store, access=STRANGERS)
    await doorway.door.take([said("hi", kind="business_message", business_connection_id="b")])
    assert await doorway.lines_to_strangers() == []
