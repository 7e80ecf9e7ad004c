"""What strangers were told, and admins asked, holds when the bot starts again, and for a second process of it."""

import pytest
from aiogram import types as tg

from bot import texts
from tasks.chats.access import Access, Applicant, Person
from tasks.config.settings import Settings
from tasks.phrases import speaking
from tasks.store import Store
from tasks.store.connection.erasure_scope import ErasureScope
from tests.bot.conftest import BotUnderTest, make_bot
from tests.bot.updates import ANN, BEN, GROUP, message, pressed, said
from tests.bot.updates import BOT as US
from tests.conftest import BOT
from tests.support.redis_of import redis_of

BENS = tg.Chat(id=BEN.id, type="private", first_name="Ben")
REQUEST = message("x", sender=US, message_id=33)
TOLD, ASKED = f"cohort:bot:{BOT}:told", f"cohort:bot:{BOT}:asked:{BEN.id}"


async def started(settings: Settings, store: Store) -> BotUnderTest:
    """A process of the bot that remembers nothing of its own."""
    await store.people.put(BOT, ANN.id, Person(role="owner"))
    return make_bot(settings, store, access=Access(everybody=False, allow=frozenset()))


@pytest.mark.promise("strangers")
async def test_a_stranger_and_admins_hear_once_an_hour_also_across_a_restart(settings: Settings, store: Store) -> None:
    for number in (1, 2):
        bot = await started(settings, store)
        await bot.intake.take([said("hi", sender=BEN, chat=BENS, update_id=number)])
    assert await bot.lines_to_strangers() == [("4242:701", texts.stranger(BEN.id, BEN.id))]
    assert await bot.said() == [("4242:700", texts.request("Ben", BEN.id))]
    assert 0 < await redis_of(store).ttl(TOLD) <= 3600
    await redis_of(store).zadd(TOLD, {str(BEN.id): bot.clock.now() - 3601})
    bot = await started(settings, store)
    await bot.intake.take([said("hi", sender=BEN, chat=BENS, update_id=3)])
    assert len(await bot.lines_to_strangers()) == 2, "an hour later"


@pytest.mark.promise("strangers")
async def test_an_hour_begins_with_the_line_whichever_process_said_it(settings: Settings, store: Store) -> None:
    bot = await started(settings, store)
    other = tg.User(id=803, is_bot=False, first_name="S")
    others = tg.Chat(id=803, type="private", first_name="S")
    await redis_of(store).zadd(TOLD, {str(BEN.id): bot.clock.now() - 3500, "803": bot.clock.now() - 3500})
    third = said("hi", sender=ANN.model_copy(update={"id": 804}), chat=others.model_copy(update={"id": 804}))
    await bot.intake.take([said("hi", sender=BEN, chat=BENS, update_id=2), third])
    assert await bot.lines_to_strangers() == [("4242:804", texts.stranger(804, 804))]
    bot.clock.time += 101
    await bot.intake.take([said("hi", sender=BEN, chat=BENS, update_id=3)])
    assert len(await bot.lines_to_strangers()) == 2, "this process has only seen that it was said"
    again = await started(settings, store)
    again.clock.time = bot.clock.time
    await again.intake.take([said("hi", sender=other, chat=others, update_id=4)])
    assert len(await again.lines_to_strangers()) == 3, "a line to others has not moved it"


@pytest.mark.promise("strangers")
async def test_a_group_of_strangers_hears_once_across_a_restart(settings: Settings, store: Store) -> None:
    for number in (1, 2):
        who = tg.User(id=800 + number, is_bot=False, first_name="S")
        bot = await started(settings, store)
        await bot.intake.take([said("@cohort_bot hi", sender=who, chat=GROUP, update_id=number)])
    assert await bot.lines_to_strangers() == [("4242:-55", texts.stranger(801, -55))]


@pytest.mark.promise("admission")
async def test_a_person_who_is_let_in_after_a_restart_hears_so_by_name_and_in_their_language(
    settings: Settings, store: Store
) -> None:
    ben = BEN.model_copy(update={"language_code": "de"})
    await (await started(settings, store)).intake.take([said("hi", sender=ben, chat=BENS, update_id=1)])
    bot = await started(settings, store)
    await bot.intake.take([pressed(f"allow:{BEN.id}", REQUEST, update_id=2)])
    lines = await bot.said()
    with speaking("de"):
        assert ("4242:701", texts.paired("member")) in lines
    assert ("4242:700", texts.decided("Ben", BEN.id, "member")) in lines
    assert (await store.people.look(BOT)).entries[BEN.id].name == "Ben"
    assert not await redis_of(store).exists(ASKED)


async def test_what_is_kept_of_a_stranger_ends_by_itself_can_be_erased_and_may_be_damaged(store: Store) -> None:
    await store.people.ask(BOT, BEN.id, Applicant(name="Ben", tongue="de"))
    assert 0 < await redis_of(store).ttl(ASKED) <= 7 * 86400
    await redis_of(store).zadd(TOLD, {str(BEN.id): 1.0})
    await store.erasure.erase(ErasureScope(user=BEN.id), media=lambda _: (), strike=lambda _: None)
    assert await redis_of(store).exists(ASKED) == await redis_of(store).exists(TOLD) == 0
    await redis_of(store).set(ASKED, "no JSON", ex=60)
    assert await store.people.asked(BOT, BEN.id) is None
