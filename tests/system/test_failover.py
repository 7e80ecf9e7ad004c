"""Redis fails over: what was confirmed is there afterwards, where the deployment waits for replicas."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from playground.client import PlaygroundClient
from tasks.config.settings import load
from tasks.envelope import Inbound
from tasks.errors import StoreUnavailable
from tasks.session import SessionKey
from tasks.store import connect
from tasks.store.intake import Accept
from tests.harness.confirmed import BOT, confirmed_over, moving_front
from tests.harness.failover import Failover
from tests.harness.nursery import nursery
from tests.harness.product import Harness


@pytest.fixture
async def group(tmp_path: Path) -> AsyncIterator[Failover]:
    async with Failover(tmp_path) as servers:
        yield servers


@pytest.mark.promise("failover")
async def test_nothing_that_was_confirmed_is_lost_over_failovers_of_both_kinds(group: Failover) -> None:
    found = await confirmed_over(group, [group.coordinated, group.killed, group.coordinated])
    assert (found.lost, found.unsaid) == ([], [])
    assert found.answers >= 60


@pytest.mark.soak  # A second way to a master that moves.
@pytest.mark.promise("failover")
async def test_nothing_that_was_confirmed_is_lost_behind_a_proxy_that_moves_to_the_new_master(group: Failover) -> None:
    async with moving_front(group) as url:
        found = await confirmed_over(group, [group.coordinated, group.killed], url=url)
    assert (found.lost, found.unsaid) == ([], [])
    assert found.answers >= 40


@pytest.mark.promise("failover")
async def test_without_enough_replicas_nothing_is_confirmed(group: Failover) -> None:
    settings = load({"REDIS_URL": group.url, "TELEGRAM_BOT_TOKEN": f"{BOT}:t", "COHORT_WAIT_REPLICAS": "2"})
    async with connect(settings) as store:
        inbound = Inbound(session=str(SessionKey(BOT, 1)), update_id=1, at=1.0, text="hi")
        with pytest.raises(StoreUnavailable, match="only 1 of 2 replicas have a write"):
            await store.intake.accept(BOT, [Accept(1, inbound=inbound)])


@pytest.mark.promise("failover")
async def test_bot_and_worker_behind_a_sentinel_answer_before_and_after_a_failover(
    group: Failover, tmp_path: Path
) -> None:
    with Harness(tmp_path / "system", group.url, await asyncio.to_thread(nursery)) as system:
        system.environ["COHORT_WAIT_REPLICAS"] = "1"
        page, _ = system.playground(), system.model()
        worker = system.worker(ready=False)
        system.bot()
        await asyncio.to_thread(worker.wait_line, "slots.served")
        async with PlaygroundClient(page) as people:
            chat = await people.chat()
            for number, failover in enumerate((None, group.coordinated, group.killed)):
                if failover is not None:
                    await failover()
                await people.say(chat["id"], f"hello {number}")
                await people.wait_for(chat["id"], number + 1, timeout=90)
        assert worker.alive
