"""COHORT_GROUP_CONTROL: who may start over, choose for all and press buttons in a group."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from aiogram import types as tg

from bot.groups.admin_lists import AdminLists
from bot.updates.commands import LOGINS
from bot.updates.meaning import Incoming
from botapi.errors import TelegramAway
from tasks.chats.access import Access
from tasks.chats.command_names import ADMINS, ASKS, CHOICES
from tasks.config.settings import load
from tasks.phrases import phrase
from tasks.store import Store
from tests.bot.conftest import BotUnderTest, make_bot
from tests.bot.meanings import meaning_of
from tests.bot.stand_ins import HandClock
from tests.bot.updates import ANN, BEN, CHANNEL, GROUP, message, pressed, raw, said
from tests.bot.updates import BOT as US
from tests.support.own_replies import own_replies

type Make = Callable[[str], BotUnderTest]
GROUPS = "4242:-55"
SWITCHED = phrase("switched", name="a")


class Admins:
    """Ann is an administrator; ``away``: Telegram does not say."""

    def __init__(self) -> None:
        self.asked = 0
        self.away = False
        self.ids = frozenset({ANN.id})

    async def __call__(self, _chat: int) -> frozenset[int]:
        self.asked += 1
        if self.away:
            raise TelegramAway("no answer in time")
        return self.ids


@pytest.fixture
def admins() -> Admins:
    return Admins()


@pytest.fixture
def make(redis_url: str, store: Store, admins: Admins) -> Make:
    def made(control: str, **more: Any) -> BotUnderTest:
        given = {"REDIS_URL": redis_url, "TELEGRAM_BOT_TOKEN": "4242:x", "COHORT_MODELS": "a,b"}
        return make_bot(load({**given, "COHORT_GROUP_CONTROL": control}), store, admins=admins, **more)

    return made


def press(data: str, sender: tg.User, *, asker: tg.User | None, update_id: int = 1) -> dict[str, Any]:
    question = message("q", sender=asker, chat=GROUP, message_id=5) if asker else None
    under = message("a", sender=US, chat=GROUP, message_id=6, reply_to_message=question)
    query = tg.CallbackQuery(id="99", from_user=sender, chat_instance="1", message=under, data=data)
    return raw(tg.Update(update_id=update_id, callback_query=query))


async def kinds(bot: BotUnderTest) -> list[str]:
    return [entry.kind for entry in await bot.inbox(GROUPS)]


@pytest.mark.promise("group-control")
@pytest.mark.parametrize("word", ["/new", "/undo", "/compact", "/model a", "@cohort_bot /new hi"])
async def test_with_admins_a_members_command_is_refused_and_an_admins_carried_out(make: Make, word: str) -> None:
    bot = make("admins")
    await bot.intake.take([said(word, sender=BEN, chat=GROUP, update_id=1)])
    assert await kinds(bot) == []
    assert await bot.said() == [(GROUPS, phrase("group-admins-only"))]
    await bot.intake.take([said(word, chat=GROUP, update_id=2)])
    assert len(await kinds(bot)) == 1


@pytest.mark.promise("group-control")
async def test_with_admins_questions_looks_and_stop_are_everyones(make: Make) -> None:
    bot = make("admins")
    words = ("@cohort_bot hi", "/stop", "/retry", "/model", "/help")
    await bot.intake.take([said(word, sender=BEN, chat=GROUP, update_id=n) for n, word in enumerate(words, 1)])
    assert await kinds(bot) == ["message", "stop", "retry"]
    assert phrase("group-admins-only") not in [text for _, text in await bot.said()]


@pytest.mark.promise("group-control")
@pytest.mark.parametrize("name", sorted(CHOICES - {"voice"}))
async def test_who_may_not_choose_reads_what_is_chosen_and_gets_no_buttons(make: Make, store: Store, name: str) -> None:
    async def shown(control: str, sender: tg.User, update_id: int) -> tuple[bool, bool]:
        bot = make(control)
        await bot.intake.take([said(f"/{name}", sender=sender, chat=GROUP, update_id=update_id)])
        (*_, (_, reply)) = await own_replies(store, 4242, 1000)
        return bool(reply.buttons), phrase("choose-how", command=name) in reply.text

    assert await shown("admins", BEN, 1) == (False, False)
    assert (await shown("admins", ANN, 2))[0]
    assert (await shown("asker", BEN, 3))[0]


@pytest.mark.promise("group-control")
@pytest.mark.parametrize(
    ("control", "data", "people", "says"),
    [
        ("admins", "stop", (BEN, ANN), phrase("group-admins-only")),
        ("admins", "stop", (BEN, BEN), None),
        ("admins", "undo:0123456789abcdef", (BEN, BEN), None),
        ("admins", "undo:0123456789abcdef", (BEN, ANN), phrase("group-admins-only")),
        ("admins", "model:a", (BEN, BEN), phrase("group-admins-only")),
        ("admins", "model:a", (ANN, BEN), SWITCHED),
        ("asker", "model:a", (BEN, ANN), phrase("picker-only", name="Ann Lee", command="model")),
        ("asker", "retry", (BEN, ANN), phrase("asker-only")),
        ("asker", "model:a", (BEN, BEN), SWITCHED),
        ("asker", "stop", (BEN, None), None),
        ("asker", "stop", (ANN, BEN), None),
        ("everyone", "model:a", (BEN, BEN), SWITCHED),
        ("everyone", "model:a", (ANN, BEN), SWITCHED),
        ("everyone", "model:a", (BEN, None), SWITCHED),
        ("everyone", "model:a", (BEN, US), SWITCHED),
        ("everyone", "stop", (BEN, ANN), None),
        ("everyone", "retry", (BEN, ANN), None),
        ("everyone", "undo:0123456789abcdef", (BEN, ANN), None),
    ],
)
async def test_a_button_is_for_those_who_may_press_it(
    make: Make, control: str, data: str, people: tuple[tg.User, tg.User | None], says: str | None
) -> None:
    bot, (sender, asker) = make(control), people
    await bot.intake.take([press(data, sender, asker=asker)])
    await bot.followed()
    assert bot.signs.pressed == [("99", says)]
    assert len(await kinds(bot)) == (says in (None, SWITCHED))
    assert await bot.said() == []


LISTS = {
    **{f"{name}:x": name for name in CHOICES},
    "sessions:2": "sessions",
    "resume:1": "sessions",
    "memory:2": "memory",
    "forget:all": "memory",
    "reminders:2": "reminders",
    "reminders:cancel all yes": "reminders",
}
"""Buttons of pickers and lists, with the command that shows them."""


def test_each_command_that_has_buttons_is_known_to_have_them() -> None:
    with_buttons = {name for name in ASKS if isinstance(meaning_of(press(f"{name}:x", BEN, asker=ANN)), Incoming)}
    assert {data.partition(":")[0] for data in LISTS} == with_buttons - ADMINS - LOGINS


@pytest.mark.promise("group-control")
async def test_with_everyone_a_picker_or_a_list_that_another_opened_says_whose_it_is(make: Make) -> None:
    """A name is a person's own choice: it may have any length, and lines."""
    bot, eve = make("everyone"), tg.User(id=702, is_bot=False, first_name="Eve\n" * 16, last_name="e" * 64)
    presses = [press(data, BEN, asker=eve, update_id=number) for number, data in enumerate(LISTS, 1)]
    await bot.intake.take(presses)
    await bot.followed()
    told = [says or "" for _, says in bot.signs.pressed]
    name = ("Eve " * 16)[:63] + "…"
    assert told == [phrase("picker-only", name=name, command=command) for command in LISTS.values()]
    assert max(map(len, told)) <= 200
    assert (await kinds(bot), await bot.said()) == ([], [])


@pytest.mark.promise("group-control")
async def test_what_is_opened_in_the_name_of_a_chat_is_for_admins_or_where_none_can_press_for_all(make: Make) -> None:
    bot = make("everyone")
    no_asker = tg.User(id=1087968824, is_bot=True, first_name="G")
    told = list[str | None]()
    for number, (person, name) in enumerate(((BEN, GROUP), (ANN, GROUP), (BEN, CHANNEL)), 1):
        question = message("q", sender=no_asker, sender_chat=name, chat=GROUP, message_id=5)
        under = message("a", sender=US, chat=GROUP, reply_to_message=question)
        await bot.intake.take([pressed("model:a", under, update_id=number, by=person)])
        await bot.followed()
        told.append(bot.signs.pressed[-1][1])
    assert told == [phrase("asker-only"), SWITCHED, SWITCHED]


async def test_the_list_of_admins_is_kept_for_a_minute_and_outlives_a_failure(make: Make, admins: Admins) -> None:
    bot = make("admins")

    async def tries(update_id: int) -> int:
        await bot.intake.take([said("/new", chat=GROUP, update_id=update_id)])
        return len(await kinds(bot))

    assert [await tries(1), await tries(2), admins.asked] == [1, 2, 1]
    bot.clock.time += 61
    admins.away = True
    assert [await tries(3), admins.asked] == [3, 2]
    bot.clock.time += 61
    admins.away, admins.ids = False, frozenset()
    assert [await tries(4), admins.asked] == [3, 3]


@pytest.mark.promise("group-control")
async def test_who_was_just_made_an_admin_may_within_seconds_and_a_telegram_away_is_asked_once_a_minute() -> None:
    clock, asked, ids = HandClock(), list[int](), set[int]()

    async def telegram(chat: int) -> frozenset[int]:
        asked.append(chat)
        if not ids:
            raise TelegramAway("away")
        return frozenset(ids)

    lists = AdminLists(telegram, clock)
    ids.add(ANN.id)
    assert [await lists.has(BEN.id, -55), await lists.has(BEN.id, -55), len(asked)] == [False, False, 1]
    ids.add(BEN.id)
    clock.time += 6
    assert [await lists.has(ANN.id, -55), len(asked)] == [True, 1]
    assert [await lists.has(BEN.id, -55), len(asked)] == [True, 2]
    ids.clear()
    clock.time += 6
    assert [await lists.has(77, -55), len(asked)] == [False, 3]
    clock.time += 6
    assert [await lists.has(77, -55), await lists.has(BEN.id, -55), len(asked)] == [False, True, 3]


@pytest.mark.promise("group-control")
async def test_a_member_who_was_made_an_admin_since_they_were_refused_may(make: Make, admins: Admins) -> None:
    bot = make("admins")
    await bot.intake.take([said("/new", sender=BEN, chat=GROUP, update_id=1)])
    assert await kinds(bot) == []
    admins.ids = frozenset({ANN.id, BEN.id})
    bot.clock.time += 6
    await bot.intake.take([said("/new", sender=BEN, chat=GROUP, update_id=2)])
    assert await kinds(bot) == ["new"]


@pytest.mark.promise("group-control")
async def test_where_telegram_does_not_tell_the_admins_none_is_told_that_they_are_no_admin(
    make: Make, admins: Admins
) -> None:
    bot, admins.away = make("admins"), True
    await bot.intake.take([said("/new", chat=GROUP, update_id=1), press("stop", BEN, asker=ANN, update_id=2)])
    await bot.followed()
    unknown = phrase("group-admins-unknown")
    assert (await bot.said(), bot.signs.pressed) == ([(GROUPS, unknown)], [("99", unknown)])
    assert (await kinds(bot), admins.asked) == ([], 1)
    bot.clock.time += 61
    admins.away = False
    await bot.intake.take([said("/new", chat=GROUP, update_id=3)])
    assert await kinds(bot) == ["new"]


async def test_a_telegram_that_does_not_answer_holds_up_no_other_chat_for_long() -> None:
    may, clock = asyncio.Event(), HandClock()
    asked: list[int] = []

    async def telegram(chat: int) -> frozenset[int]:
        asked.append(chat)
        await may.wait()
        return frozenset({ANN.id})

    lists = AdminLists(telegram, clock, patience_s=0.01)
    assert [await lists.of(-55), await lists.of(-55), asked] == [None, None, [-55]]
    clock.time += 61
    may.set()
    assert await lists.of(-55) == {ANN.id}
    clock.time += 61
    may.clear()
    assert [await lists.of(-55), asked] == [{ANN.id}, [-55] * 3]


async def test_the_groups_own_name_and_the_bots_admins_may(make: Make) -> None:
    bot = make("admins")
    anonymous = said("/new", chat=GROUP, sender=tg.User(id=1087968824, is_bot=True, first_name="G"), sender_chat=GROUP)
    await bot.intake.take([anonymous])
    bots = Access(everybody=True, allow=frozenset(), admins=frozenset({BEN.id}))
    other = make("admins", access=bots)  # type: ignore[call-arg]
    await other.intake.take([said("/new", sender=BEN, chat=GROUP, update_id=2)])
    assert await kinds(other) == ["new", "new"]


@pytest.mark.promise("group-control")
@pytest.mark.parametrize("control", ["asker", "admins"])
async def test_an_answer_to_several_people_is_stopped_by_each_of_them_and_by_no_other_one(
    make: Make, admins: Admins, control: str
) -> None:
    """It stands under the question of one of them."""
    bot, admins.ids = make(control), frozenset()
    eve = tg.User(id=702, is_bot=False, first_name="Eve")
    questions = [
        said("@cohort_bot mine", chat=GROUP, update_id=1, message_id=4),
        said("@cohort_bot hers", sender=BEN, chat=GROUP, update_id=2, message_id=5),
    ]
    await bot.intake.take(questions)
    await bot.intake.take([press("stop", eve, asker=BEN, update_id=3)])
    assert await kinds(bot) == ["message", "message"]
    await bot.intake.take([press("stop", ANN, asker=BEN, update_id=4)])
    assert await kinds(bot) == ["message", "message", "stop"]
