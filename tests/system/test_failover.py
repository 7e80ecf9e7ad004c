"""Redis fails over: what was confirmed is there afterwards, where the deployment waits for replicas."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from redis.asyncio import Redis

from playground.client import PlaygroundClient
from tasks.envelope import Inbound, Reply
from tasks.errors import StoreUnavailable
from tasks.session import SessionKey
from tasks.settings import load
from tasks.store import Store, connect
from tasks.store.intake import Accept
from tasks.store.sessions import Claim, Commit
from tasks.worker_status import WorkerStatus
from tests.harness.failover import Failover
from tests.harness.nursery import nursery
from tests.harness.product import Harness

BOT = 4242
LONG = timedelta(minutes=5)


@pytest.fixture
async def group(tmp_path: Path) -> AsyncIterator[Failover]:
    async with Failover(tmp_path) as servers:
        yield servers


class Writer:
    """Accepts messages and answers them, and keeps what was confirmed."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.accepted: set[int] = set()
        self.answered: set[int] = set()
        self.stopping = asyncio.Event()
        self._answer = asyncio.Event()

    async def run(self, start: int) -> None:
        update = start
        while not self.stopping.is_set():
            update += 1
            session = SessionKey(BOT, update)
            inbound = Inbound(session=str(session), update_id=update, at=1.0, text="hi")
            with suppress(StoreUnavailable):
                await self._store.intake.accept(BOT, [Accept(update, inbound=inbound)])
                self.accepted.add(update)
                await self._store.members.beat("w-one", WorkerStatus(), LONG)
                claim = await self._store.sessions.claim(session, "w-one")
                assert isinstance(claim, Claim)
                await self._store.sessions.commit(claim, Commit(1, [Reply(text="answer", answers=(update,))]))
                self.answered.add(update)
                self._answer.set()

    async def answers(self, more: int) -> None:
        """Wait until so many more are answered."""
        wanted = len(self.answered) + more
        async with asyncio.timeout(60):
            while len(self.answered) < wanted:
                self._answer.clear()
                await self._answer.wait()


@pytest.mark.promise("failover")
async def test_nothing_that_was_confirmed_is_lost_over_failovers_of_both_kinds(group: Failover) -> None:
    settings = load({"REDIS_URL": group.url, "TELEGRAM_BOT_TOKEN": f"{BOT}:t", "COHORT_WAIT_REPLICAS": "1"})
    async with connect(settings) as store, asyncio.TaskGroup() as tasks:
        writer = Writer(store)
        for lane in range(4):
            tasks.create_task(writer.run(lane * 1_000_000))
        for failover in (group.coordinated, group.killed, group.coordinated):
            await failover()
            await writer.answers(20)
        writer.stopping.set()
    async with Redis(host="127.0.0.1", port=await group.master()) as master:
        lost = [
            update
            for update in writer.accepted
            if not (await master.llen(f"cohort:s:{BOT}:{update}:inbox"))
            and not (await master.llen(f"cohort:s:{BOT}:{update}:outbox"))
        ]
        unsaid = [update for update in writer.answered if not await master.llen(f"cohort:s:{BOT}:{update}:outbox")]
    assert (lost, unsaid) == ([], [])
    assert len(writer.answered) > 60


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
