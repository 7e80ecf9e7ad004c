"""COHORT_BUSINESS: customers of business accounts are answered where it is on; else not one is asked for."""

import json
from datetime import timedelta
from typing import Any

import pytest
from aiogram import types as tg

from bot.api import client
from bot.updates.meaning import AccountChanged, BotIdentity, Malformed
from bot.updates.understand import BUSINESS_UPDATES
from playground.client import PlaygroundClient
from tasks import keys
from tasks.chats.access import Access
from tasks.config.settings import Settings
from tasks.phrases import phrase
from tasks.session import SessionKey
from tasks.store import Store
from tasks.store.state import StateField
from tests.bot.conftest import make_bot
from tests.bot.meanings import meaning_of
from tests.bot.updates import ANN, PRIVATE, SOME_DAY, raw, said
from tests.conftest import TOKEN
from tests.playground.conformance import check_update
from tests.support.redis_of import redis_of


@pytest.mark.promise("business")
@pytest.mark.parametrize("business", [True, False])
async def test_a_customers_message_is_taken_where_an_operator_wants_it(
    settings: Settings, store: Store, *, business: bool
) -> None:
    update = said("hi", kind="business_message", business_connection_id="conn")
    check_update(update)
    bot = make_bot(settings, store, me=BotIdentity.of(4242, "cohort_bot", business=business))
    await bot.intake.take([update])
    assert [entry.text for entry in await bot.inbox("4242:700:bconn")] == ["hi"] * business


@pytest.mark.promise("business")
@pytest.mark.parametrize("business", [True, False])
async def test_customers_messages_are_asked_for_where_an_operator_wants_them(
    api_url: str, people: PlaygroundClient, *, business: bool
) -> None:
    async with client(TOKEN, api_url, business=business) as telegram:
        assert (await telegram.me()).business == business
        await telegram.updates(None, hold=timedelta(0))
    journal = await people.journal()
    asked = next(call for call in journal if call["method"] == "getUpdates")["params"]["allowed_updates"]
    kinds = json.loads(asked) if isinstance(asked, str) else asked
    assert set(BUSINESS_UPDATES).isdisjoint(kinds) != business


@pytest.mark.promise("business")
@pytest.mark.parametrize("let_in", [True, False])
async def test_a_customer_whose_message_cannot_be_read_hears_so_and_a_stranger_among_them_nothing(
    settings: Settings, store: Store, *, let_in: bool
) -> None:
    update = said(kind="business_message", business_connection_id="conn")
    update["business_message"]["a_new_kind"] = {"x": 1}
    bot = make_bot(settings, store, access=Access(everybody=False, allow=frozenset({ANN.id} if let_in else ())))
    await bot.intake.take([update])
    assert await bot.said() == [("4242:700:bconn", phrase("unreadable"))] * let_in
    assert await bot.lines_to_strangers() == []


SESSION = "4242:700:bconn"


def customers(text: str, update_id: int, **fields: Any) -> dict[str, Any]:
    given = {"message_id": update_id, "business_connection_id": "conn", **fields}
    return said(text, kind="business_message", update_id=update_id, **given)


def connection(update_id: int, *, enabled: bool = True, reply: bool = True) -> dict[str, Any]:
    owner = tg.User(id=9, is_bot=False, first_name="Olga")
    rights = tg.BusinessBotRights(can_reply=reply)
    about = tg.BusinessConnection(
        id="conn", user=owner, user_chat_id=9, date=SOME_DAY, rights=rights, is_enabled=enabled
    )
    return raw(tg.Update(update_id=update_id, business_connection=about))


def deleted(update_id: int, *numbers: int) -> dict[str, Any]:
    gone = tg.BusinessMessagesDeleted(business_connection_id="conn", chat=PRIVATE, message_ids=list(numbers))
    return raw(tg.Update(update_id=update_id, deleted_business_messages=gone))


@pytest.mark.promise("business")
@pytest.mark.parametrize("together", [True, False])
async def test_a_deleted_message_is_not_answered_and_a_turn_that_answers_it_ends(
    settings: Settings, store: Store, *, together: bool
) -> None:
    bot = make_bot(settings, store)
    updates = [customers("one", 1), customers("two", 2), deleted(3, 1, 50)]
    for update in updates:
        check_update(update)
    for batch in [updates] if together else [updates[:2], updates[2:]]:
        await bot.intake.take(batch)
    await bot.followed()
    assert [entry.text for entry in await bot.inbox(SESSION)] == ["two"]
    assert bot.remote.begun_again == ([] if together else [SessionKey.parse(SESSION)])
    assert await bot.said() == [], "nothing is said of it in the account's name"
    await bot.intake.take([deleted(4, 77)])
    assert [entry.text for entry in await bot.inbox(SESSION)] == ["two"]


@pytest.mark.promise("business")
@pytest.mark.parametrize("ended", [True, False])
async def test_half_an_answer_to_a_deleted_message_is_deleted_and_that_of_an_ended_connection_stays(
    settings: Settings, store: Store, *, ended: bool
) -> None:
    bot = make_bot(settings, store)
    await bot.intake.take([customers("one", 1)])
    await redis_of(store).hset(keys.state(SessionKey.parse(SESSION)), StateField.live.value, "71")
    await bot.intake.take([connection(2, enabled=False) if ended else deleted(2, 1)])
    await bot.followed()
    assert bot.signs.deleted == ([] if ended else [(SessionKey.parse(SESSION), 71)])


@pytest.mark.promise("business")
@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize("how", [{"enabled": False}, {"reply": False}])
async def test_an_account_that_takes_no_answers_gets_none_from_that_moment_until_it_does(
    settings: Settings, store: Store, how: dict[str, bool], *, together: bool
) -> None:
    bot = make_bot(settings, store)
    updates = [customers("one", 1), said("mine", update_id=2), connection(3, **how), customers("late", 4)]
    check_update(updates[2])
    for batch in [updates] if together else [updates[:2], updates[2:]]:
        await bot.intake.take(batch)
    await bot.followed()
    assert await bot.inbox(SESSION) == []
    assert [entry.text for entry in await bot.inbox("4242:700")] == ["mine"]
    assert bot.remote.begun_again == ([] if together else [SessionKey.parse(SESSION)])
    await bot.intake.take([connection(5), customers("again", 6)])
    assert [entry.text for entry in await bot.inbox(SESSION)] == ["again"]
    assert await bot.said() == []


def test_a_connection_of_an_older_server_says_can_reply() -> None:
    for may in (True, False):
        update = {"update_id": 1, "business_connection": {"id": "conn", "is_enabled": True, "can_reply": may}}
        assert meaning_of(update) == AccountChanged(1, 4242, "conn", answers=may)


@pytest.mark.parametrize("kind", ["business_connection", "deleted_business_messages"])
def test_what_names_no_connection_is_malformed(kind: str) -> None:
    assert isinstance(meaning_of({"update_id": 1, kind: {}}), Malformed)
