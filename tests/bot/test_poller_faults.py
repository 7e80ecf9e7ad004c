"""Polling goes on: after failures, strange updates, another poller, and while Redis is away."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from bot.api import Telegram
from bot.process.stop import Stop
from playground.client import PlaygroundClient
from playground.state.world import State
from tasks.errors import Misconfigured, StoreUnavailable
from tests.bot.conftest import BotUnderTest
from tests.bot.stand_ins import SOON
from tests.bot.test_poller import Counted, Taken, held, poller, polling


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("500", {}),
        ("502", {}),
        ("429", {"retry_after": 1}),
        ("garbage", {}),
        ("cut_before", {}),
        ("cut_after", {}),
        ("error", {"code": 409, "description": "Conflict: terminated by other getUpdates request"}),
        ("error", {"code": 404, "description": "Not Found"}),
        ("error", {"code": 400, "description": "Bad Request: whatever"}),
    ],
)
async def test_polling_goes_on_after_every_kind_of_failure(
    telegram: Telegram, people: PlaygroundClient, kind: str, fields: dict[str, Any]
) -> None:
    taken = Taken()
    await people.fault(kind, "getUpdates", times=2, **fields)
    chat = await people.chat()
    await people.say(chat["id"], "hello")
    async with polling(telegram, taken):
        await taken.until(1)
    assert taken.updates[0]["message"]["text"] == "hello"


async def test_a_token_that_telegram_rejects_ends_polling_with_one_clear_line(
    telegram: Telegram, people: PlaygroundClient
) -> None:
    await people.fault("error", "getUpdates", code=401, description="Unauthorized")
    with pytest.raises(Misconfigured, match=r"^TELEGRAM_BOT_TOKEN is wrong: Telegram answered 401$"):
        async with asyncio.timeout(SOON):
            await poller(telegram, Taken()).run(Stop())


async def test_a_webhook_left_from_another_time_does_not_stop_polling(
    telegram: Telegram, people: PlaygroundClient
) -> None:
    await telegram.use_webhook("http://127.0.0.1:9/hook", "secret")
    chat = await people.chat()
    await people.say(chat["id"], "kept")
    taken = Taken()
    async with polling(telegram, taken):
        await taken.until(1)
    assert taken.updates[0]["message"]["text"] == "kept"


async def test_updates_without_a_number_make_no_hot_loop_and_stop_no_others(
    bot: BotUnderTest, telegram: Telegram, people: PlaygroundClient
) -> None:
    await people.inject({"message": {}}, "junk", bare=True)
    chat = await people.chat()
    await people.say(chat["id"], "hello")
    async with polling(telegram, take := Counted(bot.intake.take)):
        await take.times(1)
    assert [entry.text for entry in await bot.inbox(f"4242:{chat['id']}")] == ["hello"]
    assert len(await bot.store.dead.list()) == 2


@pytest.mark.promise("poison-update")
async def test_an_update_that_kills_every_parser_does_not_block_the_next(
    bot: BotUnderTest, telegram: Telegram, people: PlaygroundClient, playground: State
) -> None:
    await people.inject({"message": {"chat": [], "date": "yesterday"}}, {"callback_query": 7})
    chat = await people.chat()
    await people.say(chat["id"], "hello")
    async with polling(telegram, take := Counted(bot.intake.take)):
        await take.times(1)
    assert held(playground) == 0
    assert [entry.text for entry in await bot.inbox(f"4242:{chat['id']}")] == ["hello"]
    assert len(await bot.store.dead.list()) == 2


@pytest.mark.promise("redis-away")
async def test_redis_away_for_long_stops_nothing_and_is_told_once(
    people: PlaygroundClient, telegram: Telegram, caplog: pytest.LogCaptureFixture
) -> None:
    failures = 30
    taken = Taken()

    async def reluctant(updates: Sequence[object]) -> None:
        nonlocal failures
        failures -= 1
        if failures > 0:
            raise StoreUnavailable
        await taken(updates)

    chat = await people.chat()
    await people.say(chat["id"], "hello")
    async with polling(telegram, reluctant):
        await taken.until(1)
    assert len(taken.updates) == 1
    said = [record.getMessage() for record in caplog.records if record.getMessage().startswith("store.")]
    assert said[0] == "store.unavailable"
    assert said.count("store.unavailable") == 1
