"""What is promised when another worker takes a session while a turn runs."""

import asyncio

import pytest

from tasks.envelope import Reply
from tasks.errors import Retryable
from tasks.session import SessionKey
from tasks.status.worker import WorkerStatus
from tests.workers.cable import Fate
from tests.workers.fakes import PATIENCE_S
from tests.workers.pool import Pool, Worker, session
from tests.workers.pool_worker import LONG

ONE = session(1)


@pytest.fixture
async def heir(pool: Pool) -> Worker:
    return await pool.worker("w-heir")


@pytest.mark.promise("fenced-commit")
async def test_a_worker_that_lost_its_claim_while_a_turn_ran_commits_and_delivers_nothing(
    pool: Pool, heir: Worker
) -> None:
    zombie = await pool.worker("w-zombie")
    hold = pool.model.hold("hello")
    await pool.say(1, "hello")
    turn = zombie.doorbell(ONE)
    await hold.reached()
    hold.begun.clear()
    await pool.store.members.report_death("w-zombie")
    answer = heir.doorbell(ONE)
    await hold.reached()
    await pool.store.members.beat("w-zombie", WorkerStatus(), LONG, member=False)
    hold.go.set()

    assert (await turn)["outcome"] == "elsewhere"
    assert (await answer)["outcome"] == "answered"
    assert [call.end for call in pool.model.calls] == ["answered", "answered"]
    assert pool.telegram.texts(ONE) == ["answer to hello"]
    assert (await pool.store.sessions.glance(ONE)).usage_in == 10
    assert await pool.idle(ONE)


async def test_a_worker_that_was_paused_before_it_delivered_does_not_say_it_again(pool: Pool, heir: Worker) -> None:
    zombie = await pool.worker("w-zombie")
    told = asyncio.Event()
    taken = asyncio.Event()

    async def held_by_a_flood(_session: SessionKey, _reply: Reply) -> None:
        if not told.is_set():
            told.set()
            await taken.wait()
            # It was not paced in all that time, and then there came a SIGSTOP.
            pool.clock.advance(60)
            raise Retryable("not now")

    zombie.delivery.before = held_by_a_flood
    await pool.say(1, "hello")
    turn = zombie.doorbell(ONE)
    async with asyncio.timeout(PATIENCE_S):
        await told.wait()
    await pool.store.members.report_death("w-zombie")
    await heir.answer(ONE)
    await pool.store.members.beat("w-zombie", WorkerStatus(), LONG, member=False)
    taken.set()

    assert (await turn)["outcome"] == "elsewhere"
    assert pool.telegram.texts(ONE) == ["answer to hello"]


async def test_a_worker_that_was_paused_right_after_its_commit_does_not_say_it_again(pool: Pool, heir: Worker) -> None:
    zombie = await pool.worker("w-zombie")
    sha = zombie.store.sessions._commit.sha.encode()
    committed, taken = asyncio.Event(), asyncio.Event()

    async def paused(sent: bytes) -> Fate:
        # Its connections go silent: everything behind the commit waits.
        if committed.is_set():
            await taken.wait()
        if sha in sent:
            committed.set()
        return "passes"

    def stops_there(step: str) -> bool:
        if step == "committed":
            pool.clock.advance(60)
        return False

    zombie.cable.heard, zombie.at_step = paused, stops_there
    await pool.say(1, "hello")
    turn = zombie.doorbell(ONE)
    async with asyncio.timeout(PATIENCE_S):
        await committed.wait()
    await pool.store.members.report_death("w-zombie")
    async with asyncio.timeout(PATIENCE_S):
        while not pool.telegram.delivered:
            await heir.answer(ONE)
    await pool.store.members.beat("w-zombie", WorkerStatus(), LONG, member=False)
    taken.set()

    assert (await turn)["outcome"] == "elsewhere"
    assert pool.telegram.texts(ONE) == ["answer to hello"]


async def test_a_worker_that_was_paused_does_not_write_over_what_its_heir_shows(pool: Pool, heir: Worker) -> None:
    zombie = await pool.worker("w-zombie")
    hold = pool.model.hold("hello")
    pool.model.partial["hello"] = "Once"
    await pool.say(1, "hello")
    turn = zombie.doorbell(ONE)
    await hold.reached()
    await pool.telegram.changes.until(lambda: bool(pool.telegram.noted))
    # A SIGSTOP for longer than its heartbeat holds.
    await pool.store.members.report_death("w-zombie")
    pool.clock.advance(60)
    hold.begun.clear()
    answer = heir.doorbell(ONE)
    await hold.reached()
    heirs, hold.go = hold.go, asyncio.Event()
    heirs.set()
    del pool.model.partial["hello"]
    assert (await answer)["outcome"] == "answered"
    await pool.store.members.beat("w-zombie", WorkerStatus(), LONG, member=False)
    pool.model.more["hello"] = "Once upon a"
    hold.go.set()

    assert (await turn)["outcome"] == "elsewhere"
    assert list(pool.telegram.chat(ONE).shown.values()) == ["answer to hello"]


@pytest.mark.parametrize(("beats", "asked"), [(0, 2), (1, 1)])
async def test_before_a_frame_redis_is_asked_only_after_a_pause(pool: Pool, beats: int, asked: int) -> None:
    worker = await pool.worker("w-one")
    hold = pool.model.hold("hello")
    pool.model.partial["hello"] = "Once"
    proofs = 0

    async def counting(sent: bytes) -> Fate:
        nonlocal proofs
        proofs += b"HMGET" in sent
        return "passes"

    await pool.say(1, "hello")
    worker.cable.heard = counting
    turn = worker.doorbell(ONE)
    await hold.reached()
    await pool.telegram.changes.until(lambda: bool(pool.telegram.noted))
    assert proofs == 0
    pool.clock.advance(60)
    for _ in range(beats):
        # The heartbeat woke up before the turn did: it lives again, which says nothing of its sessions.
        worker.heartbeat.renewed(worker.heartbeat.now())
    pool.model.more["hello"] = "Once upon a"
    hold.go.set()
    await turn
    # For the frame and, while there is no heartbeat that holds, for the reply.
    assert proofs == asked
    assert pool.telegram.texts(ONE) == ["answer to hello"]


async def test_a_turn_whose_session_another_worker_owns_ends_once_that_is_found_out(pool: Pool, heir: Worker) -> None:
    zombie = await pool.worker("w-zombie")
    await pool.say(1, "hello")
    hold = pool.model.hold("hello")
    turn = zombie.doorbell(ONE)
    await hold.reached()
    await zombie.scheduler.revalidate_claims()
    assert pool.model.calls[0].end == "running"

    hold.begun.clear()
    await pool.store.members.report_death("w-zombie")
    other = heir.doorbell(ONE)
    await hold.reached()
    await zombie.scheduler.revalidate_claims()
    assert (await turn)["outcome"] == "elsewhere"
    assert pool.model.calls[0].end == "CancelledError"
    hold.go.set()
    await other
    assert len(pool.telegram.delivered) == 1


async def test_a_worker_without_a_heartbeat_of_its_own_begins_nothing(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    await pool.say(1, "hello")
    await pool.store.members.report_death("w-one")
    assert (await worker.answer(ONE))["outcome"] == "elsewhere"
    assert pool.model.calls == []
