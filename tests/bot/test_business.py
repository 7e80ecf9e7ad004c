"""COHORT_BUSINESS: customers of business accounts are answered where it is on; else not one is asked for."""

import json
from datetime import timedelta

import pytest

from bot.api import client
from bot.updates.meaning import BotIdentity
from playground.client import PlaygroundClient
from tasks.chats.access import Access
from tasks.config.settings import Settings
from tasks.phrases import phrase
from tasks.store import Store
from tests.bot.conftest import make_doorway
from tests.bot.updates import ANN, said
from tests.conftest import TOKEN
from tests.playground.conformance import check_journal, check_update


@pytest.mark.promise("business")
@pytest.mark.parametrize("business", [True, False])
async def test_a_customers_message_is_taken_where_an_operator_wants_it(
    settings: Settings, store: Store, *, business: bool
) -> None:
    update = said("hi", kind="business_message", business_connection_id="conn")
    check_update(update)
    doorway = make_doorway(settings, store, me=BotIdentity.of(4242, "cohort_bot", business=business))
    await doorway.door.take([update])
    assert [entry.text for entry in await doorway.inbox("4242:700:bconn")] == ["hi"] * business


@pytest.mark.promise("business")
@pytest.mark.parametrize("business", [True, False])
async def test_customers_messages_are_asked_for_where_an_operator_wants_them(
    api_url: str, people: PlaygroundClient, *, business: bool
) -> None:
    async with client(TOKEN, api_url, business=business) as telegram:
        assert (await telegram.me()).business == business
        await telegram.updates(None, hold=timedelta(0))
    journal = await people.journal()
    check_journal(journal)
    asked = next(call for call in journal if call["method"] == "getUpdates")["params"]["allowed_updates"]
    kinds = json.loads(asked) if isinstance(asked, str) else asked
    assert {"business_message", "edited_business_message"}.isdisjoint(kinds) != business


@pytest.mark.promise("business")
@pytest.mark.parametrize("let_in", [True, False])
async def test_a_customer_whose_message_cannot_be_read_hears_so_and_a_stranger_among_them_nothing(
    settings: Settings, store: Store, *, let_in: bool
) -> None:
    update = said(kind="business_message", business_connection_id="conn")
    update["business_message"]["a_new_kind"] = {"x": 1}
    doorway = make_doorway(settings, store, access=Access(everybody=False, allow=frozenset({ANN.id} if let_in else ())))
    await doorway.door.take([update])
    assert await doorway.said() == [("4242:700:bconn", phrase("unreadable"))] * let_in
    assert await doorway.lines_to_strangers() == []
