"""Redis is away in the middle: an update that comes again counts once, and its person loses nothing."""

import pytest

from bot import texts
from tasks.chats.access import Access
from tasks.chats.pairing import new_code
from tasks.config.settings import load
from tasks.errors import StoreUnavailable
from tasks.store import Store
from tests.bot.conftest import BotUnderTest, make_bot
from tests.bot.stand_ins import AwaySometimes
from tests.bot.updates import ANN, said
from tests.conftest import BOT

TIMES = 30


def limited(
    redis_url: str, store: Store, access: Access | None = None, **more: str
) -> tuple[BotUnderTest, AwaySometimes]:
    intake = AwaySometimes(store)
    settings = load({"REDIS_URL": redis_url, "TELEGRAM_BOT_TOKEN": "4242:x", **more})
    return make_bot(settings, store, access=access, intake=intake), intake


async def refused(bot: BotUnderTest, update: object) -> None:
    for _ in range(TIMES):
        with pytest.raises(StoreUnavailable):
            await bot.intake.take([update])


@pytest.mark.promise("rate")
async def test_a_message_that_redis_could_not_take_at_once_is_not_refused_as_one_too_many(
    redis_url: str, store: Store
) -> None:
    bot, intake = limited(redis_url, store, COHORT_RATE="3")
    intake.away = True
    await refused(bot, said("hi", update_id=1))
    intake.away = False
    await bot.intake.take([said("hi", update_id=1)])
    assert [entry.text for entry in await bot.inbox("4242:700")] == ["hi"]
    assert await bot.said() == []
    await bot.intake.take([said(f"m{number}", update_id=number) for number in range(2, 6)])
    assert [entry.text for entry in await bot.inbox("4242:700")] == ["hi", "m2", "m3"]


async def test_a_command_that_redis_could_not_take_at_once_is_answered(redis_url: str, store: Store) -> None:
    bot, intake = limited(redis_url, store)
    intake.away = True
    await refused(bot, said("/whoami", update_id=1))
    intake.away = False
    await bot.intake.take([said("/whoami", update_id=1)])
    assert [text for _, text in await bot.said()] == [texts.whoami(ANN.id, ANN.id, None)]


async def test_a_code_that_was_sent_while_redis_was_away_still_counts(
    redis_url: str, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    bot, _ = limited(redis_url, store, Access(everybody=False, allow=frozenset()))
    code = new_code()
    await store.people.offer(BOT, code, "owner")
    pair = store.people.pair

    async def away(*_: object, **_more: object) -> None:
        raise StoreUnavailable("away")

    with monkeypatch.context() as patched:
        patched.setattr(store.people, "pair", away)
        await refused(bot, said(code, update_id=1))
    assert store.people.pair == pair
    await bot.intake.take([said(code, update_id=1)])
    assert [text for _, text in await bot.said()] == [texts.paired("owner")]
