"""A crowd of strangers stands behind everyone else, and leaves nothing behind."""

import asyncio

import pytest
from aiogram import types as tg

from bot import texts
from bot.recent import Allowance
from bot.replies import Replies
from playground.client import PlaygroundClient
from tasks.chats.access import Access
from tasks.config.settings import Settings
from tasks.envelope import Reply
from tasks.phrases import phrase
from tasks.store import Store
from tests.bot.conftest import BotUnderTest, make_bot
from tests.bot.stand_ins import SOON, HandClock
from tests.bot.test_replies import delivering, to
from tests.bot.updates import ANN, FORUM, GROUP, pressed, said
from tests.conftest import BOT
from tests.support.redis_of import redis_of

ONLY_ANN = Access(everybody=False, allow=frozenset({ANN.id}))


def stranger(number: int) -> dict[str, object]:
    who = tg.User(id=1000 + number, is_bot=False, first_name="Stranger")
    return said("hi", sender=who, chat=tg.Chat(id=who.id, type="private"), update_id=1000 + number)


@pytest.fixture
def bot(settings: Settings, store: Store) -> BotUnderTest:
    return make_bot(settings, store, access=ONLY_ANN)


@pytest.mark.promise("strangers")
async def test_an_answer_goes_out_before_the_lines_to_a_crowd_of_strangers(bot: BotUnderTest, store: Store) -> None:
    for first in range(0, 1500, 100):
        await bot.intake.take([stranger(number) for number in range(first, first + 100)])
    await bot.intake.take([said("/status", update_id=9)])
    assert [text.partition("\n")[0] for _, text in await bot.said()] == ["Ready."]
    lines = await bot.lines_to_strangers()
    assert len(lines) == 100, "a small list of their own"
    assert len(set(lines)) == 100
    assert 0 < await redis_of(store).ttl(f"cohort:bot:{BOT}:strangers") <= 60
    assert await redis_of(store).keys("cohort:s:*") == []


async def test_a_stranger_who_writes_everywhere_has_one_line(bot: BotUnderTest) -> None:
    ben = tg.User(id=701, is_bot=False, first_name="Ben")
    groups = [tg.Chat(id=-100 - number, type="group", title="G") for number in range(5)]
    await bot.intake.take(
        [said("@cohort_bot hi", sender=ben, chat=chat, update_id=number) for number, chat in enumerate(groups, 1)]
    )
    assert await bot.lines_to_strangers() == [("4242:-100", texts.stranger(701, -100))]


async def test_a_group_of_strangers_has_one_line(bot: BotUnderTest) -> None:
    people = [tg.User(id=800 + number, is_bot=False, first_name="S") for number in range(5)]
    await bot.intake.take(
        [said("@cohort_bot hi", sender=who, chat=GROUP, update_id=number) for number, who in enumerate(people, 1)]
    )
    assert await bot.lines_to_strangers() == [("4242:-55", texts.stranger(800, -55))]


async def test_old_lines_are_dropped_and_damaged_ones_passed_over(store: Store) -> None:
    key = f"cohort:bot:{BOT}:strangers"
    now = store.intake._clock.now()
    old, fresh = to(1, "old", at=now - 61), to(2, "fresh", at=now)
    await store.intake.push_strangers(BOT, [old], {})
    await redis_of(store).rpush(key, "not JSON", Reply(text="of no age").to_json())
    await store.intake.push_strangers(BOT, [fresh], {})
    assert await store.intake.pop_stranger(BOT) == fresh
    assert await store.intake.pop_stranger(BOT) is None


async def test_a_line_is_sent_when_nothing_else_is_to_be_sent(
    store: Store, telegram: object, people: PlaygroundClient
) -> None:
    chat, other = (await people.chat())["id"], (await people.chat())["id"]
    now = store.intake._clock.now()
    await store.intake.push_strangers(BOT, [to(chat, "you are a stranger", at=now), to(chat, "again", at=now)], {})
    await store.intake.push_replies(BOT, [to(other, "an answer")])
    async with delivering(store, telegram, HandClock()) as replies:  # type: ignore[arg-type]
        assert isinstance(replies, Replies)
        await people.wait_for(other, 1)
        (line,) = await people.wait_for(chat, 1)
        assert line["text"] == "you are a stranger"
    assert len(await redis_of(store).lrange(f"cohort:bot:{BOT}:strangers", 0, -1)) == 1, "one a second"


@pytest.mark.parametrize("chat", [GROUP, FORUM])
async def test_a_strangers_group_that_became_a_supergroup_leaves_nothing(bot: BotUnderTest, chat: tg.Chat) -> None:
    moved = {"migrate_to_chat_id": FORUM.id} if chat is GROUP else {"migrate_from_chat_id": GROUP.id}
    await bot.intake.take([said("@cohort_bot hi", sender=tg.User(id=5, is_bot=False, first_name="S"), chat=GROUP)])
    await bot.intake.take([said(chat=chat, sender=None, update_id=2, **moved)])
    assert await redis_of(bot.store).keys("cohort:s:*") == []
    assert await bot.doorbells() == []


async def test_a_group_in_which_someone_admitted_spoke_moves_also_within_one_batch(bot: BotUnderTest) -> None:
    moved = said(chat=GROUP, sender=None, migrate_to_chat_id=FORUM.id, update_id=2)
    await bot.intake.take([said("@cohort_bot hi", chat=GROUP), moved])
    assert [entry.kind for entry in await bot.inbox("4242:-55")] == ["message", "moved"]


async def test_a_group_whose_history_is_all_that_is_left_moves(bot: BotUnderTest) -> None:
    await redis_of(bot.store).hset("cohort:s:4242:-55:state", "epoch", "3")
    await bot.intake.take([said(chat=GROUP, sender=None, migrate_to_chat_id=FORUM.id, update_id=2)])
    assert [entry.kind for entry in await bot.inbox("4242:-55")] == ["moved"]


async def test_one_session_that_asks_without_end_gets_twenty_answers_a_minute_and_is_told_so_once(
    bot: BotUnderTest,
) -> None:
    await bot.intake.take([said("/help", update_id=number) for number in range(1, 80)])
    await bot.intake.take([said("/help", update_id=number) for number in range(80, 90)])
    answers = [text for _, text in await bot.said()]
    assert len(answers) == 21
    assert answers[20] == phrase("rate")
    await bot.intake.take([said("still heard", update_id=90), said("/stop", update_id=91)])
    assert [entry.kind for entry in await bot.inbox("4242:700")] == ["message", "stop"]
    bot.clock.time += 61
    await bot.intake.take([said("/help", update_id=92)])
    assert len(await bot.said()) == 22


async def test_a_pressed_button_is_answered_when_its_session_asks_without_end(bot: BotUnderTest) -> None:
    await bot.intake.take([said("/help", update_id=number) for number in range(1, 90)])
    from tests.bot.updates import BOT as US
    from tests.bot.updates import message

    await bot.intake.take([pressed("model:gpt", message("x", sender=US), update_id=95)])
    async with asyncio.timeout(SOON):
        await bot.followed()
    assert bot.signs.pressed == [("99", phrase("rate"))]


def test_an_allowance_forgets_the_oldest_names() -> None:
    from datetime import timedelta

    allowance = Allowance(1, timedelta(minutes=1), 2, HandClock())
    assert [allowance.take(name) for name in "aabcab"] == [True, False, True, True, True, True]
