"""Operators hear of what they must act on, once an hour for each cause."""

import logging

import pytest

from tasks.chats.access import OperatorsWord, Person
from tasks.config.settings import load
from tasks.errors import StoreUnavailable
from tasks.phrases import phrase
from tasks.store import Store
from tasks.store.records.alerts import AlertStore
from tests.conftest import BOT, TOKEN
from tests.support.own_replies import own_replies
from tests.support.redis_of import redis_of
from tests.workers.pool import Pool, session
from tests.workers.pool_worker import alerts_of
from workers.interfaces import TurnFailed
from workers.sessions.alerts import in_charge


async def test_each_admin_is_told_of_a_cause_once(store: Store) -> None:
    settings = load({"TELEGRAM_BOT_TOKEN": TOKEN, "COHORT_ADMINS": "7, 8"})
    alerts = alerts_of(settings, store)
    await alerts.raise_("model", "401 from the provider")
    await alerts.raise_("model", "401 from the provider")
    await alerts.raise_("disk", "full")
    told = [(reply.session, reply.text) for _, reply in await own_replies(store, BOT)]
    assert told == [
        ("4242:7", "Operator: model: 401 from the provider"),
        ("4242:8", "Operator: model: 401 from the provider"),
        ("4242:7", "Operator: disk: full"),
        ("4242:8", "Operator: disk: full"),
    ]


async def test_that_an_operator_was_told_is_noted_in_one_round_trip(store: Store) -> None:
    async def reads() -> int:
        return (await redis_of(store).info("stats"))["total_reads_processed"]

    alerts = AlertStore(redis_of(store))
    assert await alerts.first_of(BOT, "model", "401")
    bare = await reads()
    bare = await reads() - bare
    before = await reads()
    await alerts.note_told(BOT, "model", "401")
    assert await reads() - before == bare + 1
    assert await alerts.was_told(BOT, "model", "401")


class Away(AlertStore):
    """Redis is away."""

    async def first(self, name: str) -> bool:
        raise StoreUnavailable


async def test_without_redis_an_alert_stands_in_the_log(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    settings = load({"TELEGRAM_BOT_TOKEN": TOKEN})
    with caplog.at_level(logging.ERROR):
        await alerts_of(settings, store, Away(redis_of(store))).raise_("model", "401 from the provider")
    assert [record.message for record in caplog.records] == ["operator.alert"]


async def test_a_fault_that_only_an_operator_can_mend_is_told_to_both(pool: Pool) -> None:
    worker = await pool.worker("w-one", COHORT_ADMINS="7")
    pool.model.fail("hello", TurnFailed("operator", "I cannot work right now.", "401 from the provider"))
    await pool.say(1, "hello")
    await worker.answer(session(1))
    assert pool.telegram.texts(session(1)) == [f"I cannot work right now. {phrase('told-operator')}"]
    ((_, reply),) = await own_replies(pool.store, BOT)
    assert reply.text == "Operator: model: 401 from the provider"


@pytest.mark.parametrize("bot", [None, BOT])
async def test_who_repeats_an_alert_learns_whether_the_first_was_told(store: Store, bot: int | None) -> None:
    alone = alerts_of(load({"TELEGRAM_BOT_TOKEN": TOKEN}), store)
    telling = alerts_of(load({"TELEGRAM_BOT_TOKEN": TOKEN, "COHORT_ADMINS": "7"}), store)
    said = [await one.raise_("model", "401", bot) for one in (alone, alone, telling)]
    assert said == [False, False, False], "the first was told to no one, so its repetitions are not told"
    said = [await one.raise_("disk", "full", bot) for one in (telling, telling, alone)]
    assert said == [True, True, True]
    (told,) = await own_replies(store, BOT)
    assert told[1].text == "Operator: disk: full"
    assert await telling.raise_("disk", "full", 7 if bot else None), "the same words, by another bot"
    assert 0 < await redis_of(store).ttl("cohort:alert:disk" if bot is None else f"cohort:alert:bot:{BOT}:disk") <= 3600


@pytest.mark.parametrize("ours", [{}, {"COHORT_ADMINS": "7"}])
async def test_who_is_in_charge_by_role_is_told_like_those_of_the_settings(store: Store, ours: dict[str, str]) -> None:
    settings = load({"TELEGRAM_BOT_TOKEN": TOKEN, **ours})
    for who, role in ((1, "owner"), (2, "admin"), (3, "member"), (7, "denied")):
        await store.people.put(BOT, who, Person.model_validate({"role": role}))
    await store.people.publish(BOT, OperatorsWord(mode="pairing", allow=(), admins=(8,)))
    told = [chat.chat for chat in await in_charge({BOT: settings}, store.people)]
    assert told == ([7, 1, 2] if ours else [8, 1, 2])


async def test_where_no_operator_is_set_an_apology_names_none_as_told(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    pool.model.fail("hello", TurnFailed("operator", "I cannot work right now.", "401 from the provider"))
    await pool.say(1, "hello")
    await worker.answer(session(1))
    assert pool.telegram.texts(session(1)) == ["I cannot work right now."]


@pytest.mark.parametrize(("seconds", "said"), [(90, "2 min old"), (5 * 3600, "5 h old"), (40 * 86400, "40 days old")])
async def test_how_old_the_data_is_that_came_back_is_said_in_few_digits(
    store: Store, caplog: pytest.LogCaptureFixture, seconds: int, said: str
) -> None:
    with caplog.at_level(logging.ERROR):
        await alerts_of(load({"TELEGRAM_BOT_TOKEN": TOKEN}), store).put_back(seconds)
    assert said in caplog.records[0].detail  # type: ignore[attr-defined]
