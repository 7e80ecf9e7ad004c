"""/help and the greeting tell a group whether the bot is shown what its people say to each other."""

from dataclasses import replace

import pytest

from bot import texts
from bot.api import Telegram
from bot.groups.admin_lists import AdminLists
from bot.groups.hearing import GroupHearing
from bot.own_name import OwnName
from botapi.errors import TelegramAway
from playground.client import PlaygroundClient
from playground.state.world import State
from tasks.config.settings import Settings, load
from tasks.phrases import LANGUAGES, phrase, speaking
from tasks.store import Store
from tests.bot.conftest import BOT, ME, make_bot
from tests.bot.stand_ins import HandClock
from tests.bot.test_greeting import LEFT, MEMBER, changed
from tests.bot.updates import ANN, GROUP, said
from tests.conftest import TOKEN

KEYS = {True: "context-shown", False: "context-not-shown", None: "context-unknown"}


def told(*, hears: bool | None, count: int = 20) -> str:
    return phrase("context-not-shown") if hears is False else phrase(KEYS[hears], count=count)


@pytest.mark.promise("overheard")
@pytest.mark.parametrize(
    ("reads", "admins", "hears"),
    [
        (True, frozenset(), True),
        (False, frozenset({ANN.id, BOT}), True),
        (False, frozenset({ANN.id}), False),
        (False, None, None),
        (True, None, True),
    ],
)
async def test_a_group_is_told_as_a_fact_whether_the_bot_sees_its_messages(
    settings: Settings, store: Store, *, reads: bool, admins: frozenset[int] | None, hears: bool | None
) -> None:
    async def telegram(_chat: int) -> frozenset[int]:
        if admins is None:
            raise TelegramAway("away")
        return admins

    bot = make_bot(settings, store, admins=telegram, me=replace(ME, reads_groups=reads))
    await bot.intake.take([changed(LEFT, MEMBER), said("/help", chat=GROUP, update_id=2)])
    assert [text.splitlines()[-1] for _, text in await bot.said()] == [told(hears=hears)] * 2


async def test_where_it_takes_none_along_nothing_is_said_or_asked(redis_url: str, store: Store) -> None:
    async def telegram(_chat: int) -> frozenset[int]:
        raise AssertionError("asked for nothing")

    settings = load({"REDIS_URL": redis_url, "TELEGRAM_BOT_TOKEN": TOKEN, "COHORT_GROUP_CONTEXT": "0"})
    bot = make_bot(settings, store, admins=telegram)
    await bot.intake.take([changed(LEFT, MEMBER), said("/help", chat=GROUP, update_id=2)])
    assert [text.splitlines()[-1] for _, text in await bot.said()] == [phrase("greeting"), phrase("help-group")]


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_said_as_a_fact_has_no_if(language: str) -> None:
    with speaking(language):
        lines = {texts.greeting(context=count, hears=hears) for count in (1, 20) for hears in (True, False, None)}
        assert len(lines) == 5
        assert told(hears=True) not in told(hears=None)


async def test_a_switch_at_botfather_and_a_promotion_are_known_without_a_restart(
    telegram: Telegram, playground: State, people: PlaygroundClient
) -> None:
    await people.control("POST", "/privacy", {"on": True})
    me, clock = await telegram.me(), HandClock()
    hearing = GroupHearing(me, AdminLists(telegram.administrators, clock))
    name = OwnName(me, telegram.me, [hearing.changed])
    chat = (await people.chat("supergroup"))["id"]
    assert await hearing.all_of(chat) is False
    await people.member(chat, "administrator")
    clock.time += 6
    assert await hearing.all_of(chat) is True
    await people.member(chat, "member")
    clock.time += 61
    assert await hearing.all_of(chat) is False
    await people.control("POST", "/privacy", {"on": False})
    await name.look()
    assert await hearing.all_of(chat) is True
