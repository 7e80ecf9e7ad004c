"""Polling against the playground's Bot API, with a real store."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

from bot.api import LONG_POLL, Telegram
from bot.process.stop import Stop
from bot.receiving.poller import Poller
from botapi.errors import OtherPoller, TelegramAway
from playground.client import PlaygroundClient
from playground.state.world import State
from tasks.config.settings import Settings
from tasks.errors import CohortError
from tasks.store import Store
from tests.bot.conftest import BotUnderTest, make_bot, patient_watchdog, quick_backoff
from tests.bot.stand_ins import SOON, AwaySometimes, Tally

type Take = Callable[[Sequence[object]], Awaitable[object]]


def poller(telegram: Any, take: Take, hold: timedelta = timedelta(seconds=5)) -> Poller:
    return Poller(telegram, take, patient_watchdog(), backoff=quick_backoff(), hold=hold)


@asynccontextmanager
async def polling(telegram: Any, take: Take, hold: timedelta = timedelta(seconds=5)) -> AsyncGenerator[Stop]:
    """A poller at work; afterwards it is stopped cleanly."""
    stop = Stop()
    async with asyncio.timeout(SOON), asyncio.TaskGroup() as group:
        group.create_task(poller(telegram, take, hold).run(stop))
        yield stop
        stop.set()


class Taken:
    """An intake that only remembers."""

    def __init__(self) -> None:
        self.updates: list[Any] = []
        self._tally = Tally()

    async def __call__(self, updates: Sequence[object]) -> None:
        self.updates.extend(updates)
        await self._tally.add(len(updates))

    async def until(self, count: int) -> None:
        await self._tally.reaches(count)


class Counted:
    """An intake that counts how often it was asked."""

    def __init__(self, take: Take) -> None:
        self._take = take
        self._tally = Tally()

    async def __call__(self, updates: Sequence[object]) -> object:
        try:
            return await self._take(updates)
        finally:
            await self._tally.add()

    async def times(self, count: int) -> None:
        await self._tally.reaches(count)


def held(playground: State) -> int:
    """Updates that Telegram still keeps."""
    return len(playground.bot.queue)


async def test_updates_reach_the_intake_raw_with_fields_that_no_library_knows(
    telegram: Telegram, people: PlaygroundClient
) -> None:
    taken = Taken()
    chat = await people.chat()
    async with polling(telegram, taken):
        await people.say(chat["id"], "hello")
        await people.inject({"message": {"hologram": {"depth": 3}}, "brand_new": 1})
        await taken.until(2)
    first, second = taken.updates
    assert first["message"]["text"] == "hello"
    assert second["message"] == {"hologram": {"depth": 3}}
    assert second["brand_new"] == 1


@pytest.mark.promise("stored-then-confirmed")
async def test_a_batch_is_confirmed_only_after_it_was_accepted(
    settings: Settings, store: Store, telegram: Telegram, people: PlaygroundClient, playground: State
) -> None:
    intake = AwaySometimes(store)
    bot = make_bot(settings, store, intake=intake)
    chat = await people.chat()
    async with polling(telegram, take := Counted(bot.intake.take)):
        intake.away = True
        await people.say(chat["id"], "hello")
        await take.times(3)
        assert held(playground) == 1, "Redis was away: Telegram must keep it"
        intake.away = False
        await take.times(4)
    assert held(playground) == 0
    assert [entry.text for entry in await bot.inbox(f"4242:{chat['id']}")] == ["hello"]


async def test_a_clean_stop_finishes_the_batch_in_hand_and_confirms_it(
    bot: BotUnderTest, telegram: Telegram, people: PlaygroundClient, playground: State
) -> None:
    reached, go_on = asyncio.Event(), asyncio.Event()

    async def slowly(updates: Sequence[object]) -> None:
        reached.set()
        await go_on.wait()
        await bot.intake.take(updates)

    chat = await people.chat()
    await people.say(chat["id"], "hello")
    async with polling(telegram, slowly) as stop:
        async with asyncio.timeout(SOON):
            await reached.wait()
        stop.set()
        assert held(playground) == 1
        go_on.set()
    assert held(playground) == 0
    assert len(await bot.inbox(f"4242:{chat['id']}")) == 1


async def test_a_stop_does_not_wait_for_a_long_poll_to_end(telegram: Telegram, people: PlaygroundClient) -> None:
    class Endless:
        """A poll that holds ends with a message alone, however long it takes."""

        async def updates(self, offset: int | None, *, hold: timedelta, limit: int) -> list[Any]:
            while not (found := await telegram.updates(offset, hold=hold, limit=limit)) and hold:
                pass
            return found

        async def use_polling(self) -> None:
            await telegram.use_polling()

    async with polling(Endless(), taken := Taken(), hold=LONG_POLL) as stop:
        chat = await people.chat()
        await people.say(chat["id"], "hello")
        await taken.until(1)
        # A fetch is under way now, or begins before the stop can be seen.
        stop.set()


async def test_an_old_offset_is_forgotten_once_telegram_has_heard_it(
    people: PlaygroundClient, telegram: Telegram
) -> None:
    asked: list[int | None] = []
    fetches = Tally()

    class Listening:
        async def updates(self, offset: int | None, *, hold: timedelta, limit: int) -> list[Any]:
            asked.append(offset)
            found = await telegram.updates(offset, hold=timedelta(0), limit=limit)
            await fetches.add()
            return found

        async def use_polling(self) -> None:
            await telegram.use_polling()

    chat = await people.chat()
    said = await people.say(chat["id"], "hello")
    async with polling(Listening(), Taken()):
        await fetches.reaches(4)
    assert said.update_id is not None
    assert asked[:4] == [None, said.update_id + 1, None, None]


async def test_an_outage_of_telegram_is_two_lines_and_not_one_for_each_try(
    people: PlaygroundClient, telegram: Telegram, caplog: pytest.LogCaptureFixture
) -> None:
    troubles: list[CohortError] = [TelegramAway("away"), TelegramAway("502"), TelegramAway("away")]
    troubles += [OtherPoller("409"), OtherPoller("409")]

    class Faltering:
        async def updates(self, offset: int | None, *, hold: timedelta, limit: int) -> list[Any]:
            if troubles:
                raise troubles.pop(0)
            return await telegram.updates(offset, hold=hold, limit=limit)

        async def use_polling(self) -> None:
            await telegram.use_polling()

    caplog.set_level(logging.INFO, "cohort.bot")
    chat = await people.chat()
    await people.say(chat["id"], "hello")
    async with polling(Faltering(), taken := Taken()):
        await taken.until(1)
    told = [name for name in caplog.messages if name.startswith("poll.") and name != "poll.confirmed"]
    assert told == ["poll.failed", "poll.conflict", "poll.resumed", "poll.alone"]


async def killed(work: Coroutine[Any, Any, None], after: int) -> None:
    """Run ``work`` and end it after so many rounds of the event loop, whatever it is waiting for then."""
    loop = asyncio.get_running_loop()

    def count_down(task: asyncio.Task[None], left: int) -> None:
        if left:
            loop.call_soon(count_down, task, left - 1)
        else:
            task.cancel()

    async with asyncio.timeout(SOON), asyncio.TaskGroup() as group:
        count_down(group.create_task(work), after)


@pytest.mark.promise("stored-then-confirmed")
async def test_killed_at_any_await_of_a_batch_nothing_is_lost_and_nothing_doubled(
    bot: BotUnderTest, telegram: Telegram, people: PlaygroundClient
) -> None:
    chat = await people.chat()
    expected: list[str] = []
    accepted = 0
    for rounds in range(1, 181, 3):
        expected.append(f"message {rounds}")
        await people.say(chat["id"], expected[-1])
        await killed(poller(telegram, bot.intake.take, timedelta(0)).run(Stop()), rounds)
        accepted += len(await bot.inbox(f"4242:{chat['id']}")) == len(expected)
    assert 0 < accepted < 60, "some were killed before the batch was accepted, some after"
    # Whatever the kills left undone, a restarted bot finishes.
    async with polling(telegram, take := Counted(bot.intake.take)):
        expected.append("last")
        await people.say(chat["id"], "last")
        await take.times(1)
    assert [entry.text for entry in await bot.inbox(f"4242:{chat['id']}")] == expected
