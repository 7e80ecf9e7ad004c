"""The heartbeat: a process of the bot says that it lives, whether it polls, and when its last poll ended."""

import asyncio
from itertools import product

import pytest

from bot.process.heartbeat import BotHeartbeat
from tasks.clock import SystemClock
from tasks.status.bot import BotStatus
from tasks.status.worker import Sends
from tasks.store import Store


async def seen(store: Store, *, leads: bool) -> BotStatus:
    async with asyncio.timeout(60):
        while True:  # Each look is a round trip to Redis.
            for status in (await store.bots.look()).values():
                if status.leads is leads:
                    return status


@pytest.mark.promise("status-true")
async def test_a_bot_tells_at_once_that_it_polls_or_stands_by_and_leaves_when_it_ends(store: Store) -> None:
    clock = SystemClock()
    heartbeat = BotHeartbeat(store.bots, "host-1", BotStatus(bot=4242), clock, sends=lambda: Sends(sent=2))
    async with asyncio.TaskGroup() as group:
        beating = group.create_task(heartbeat.run())
        assert (await seen(store, leads=False)).polled_at is None
        heartbeat.leads(True)
        polls = await seen(store, leads=True)
        assert polls.sends.sent == 2
        assert polls.polled_at is not None
        heartbeat.leads(False)
        await seen(store, leads=False)
        beating.cancel()
    assert await store.bots.look() == {}


@pytest.mark.promise("metrics-shown")
def test_a_poll_is_due_only_in_the_process_that_leads_and_polls_while_the_intake_is_not_paused(store: Store) -> None:
    for mode, leads, paused in product(("polling", "webhook"), (True, False), (True, False)):
        heartbeat = BotHeartbeat(store.bots, "host-1", BotStatus(bot=4242, mode=mode), SystemClock())
        heartbeat.leads(leads)
        assert heartbeat.poll_is_due(paused=paused) is ((mode, leads, paused) == ("polling", True, False))
