"""A bot that hears nothing ends itself."""

import asyncio
import threading
from datetime import timedelta

from bot.api import Telegram
from bot.process.stop import Stop
from bot.process.watchdog import Watchdog
from bot.receiving.poller import Poller
from playground.client import PlaygroundClient
from tests.bot.stand_ins import SOON, HandClock
from tests.bot.test_poller import Taken


def watched(clock: HandClock, bitten: threading.Event) -> Watchdog:
    # The clocks of these tests jump, and no process of theirs was stopped.
    return Watchdog(clock, every=timedelta(milliseconds=2), stood=timedelta(days=1), on_stall=bitten.set)


class LookedAt(HandClock):
    """Tells when the watchdog has looked again."""

    def __init__(self) -> None:
        super().__init__()
        self._looks = threading.Semaphore(0)

    def monotonic(self) -> float:
        self._looks.release()
        return super().monotonic()

    def looked(self) -> None:
        while self._looks.acquire(blocking=False):
            pass
        for _ in range(2):  # the first may have begun before
            assert self._looks.acquire(timeout=SOON)


def test_the_watchdog_ends_a_process_whose_polls_do_not_finish() -> None:
    clock, bitten = HandClock(), threading.Event()
    with watched(clock, bitten) as watchdog:
        clock.time += 119
        watchdog.beat()
        clock.time += 119
        assert not bitten.is_set()
        clock.time += 2
        assert bitten.wait(SOON)


def test_the_watchdog_does_not_count_the_time_in_which_the_process_was_stopped() -> None:
    clock, bitten = LookedAt(), threading.Event()
    every, stood = timedelta(milliseconds=2), timedelta(seconds=20)
    with Watchdog(clock, every=every, stood=stood, on_stall=bitten.set) as watchdog:
        watchdog.beat()
        clock.looked()
        clock.time += 3 * 60 * 60
        clock.looked()
        assert not bitten.is_set()
        for _ in range(6):
            clock.time += 19
            clock.looked()
        assert not bitten.is_set()
        clock.time += 19
        assert bitten.wait(SOON)


def test_the_watchdog_has_patience_for_a_wait_that_telegram_asked_for() -> None:
    clock, bitten = HandClock(), threading.Event()
    with watched(clock, bitten) as watchdog:
        watchdog.beat(600)
        clock.time += 719
        assert not bitten.wait(0.05)
        clock.time += 2
        assert bitten.wait(SOON)


async def test_every_finished_poll_feeds_the_watchdog(telegram: Telegram, people: PlaygroundClient) -> None:
    clock, bitten = HandClock(), threading.Event()
    stop, taken = Stop(), Taken()
    chat = await people.chat()
    async with asyncio.timeout(SOON), asyncio.TaskGroup() as group:
        group.create_task(Poller(telegram, taken, watched(clock, bitten), hold=timedelta(seconds=5)).run(stop))
        for number in range(1, 4):
            await people.say(chat["id"], "tick")
            await taken.until(number)
            clock.time += 100
        assert not bitten.is_set()
        clock.time += 100
        async with asyncio.timeout(SOON):
            assert await asyncio.to_thread(bitten.wait, SOON)
        stop.set()
