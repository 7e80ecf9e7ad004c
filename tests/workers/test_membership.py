"""Workers among each other: slots are shared, moved and taken over, and everything pending in them is found."""

import asyncio
from collections import Counter

import pytest
from redis.asyncio import Redis

from tasks import keys
from tasks.session import SessionKey
from tasks.slots import queue_of, slot_of
from tests.support.redis_of import redis_of
from tests.support.until import until
from tests.workers.fakes import PATIENCE_S
from tests.workers.history import check
from tests.workers.pool import Pool, Worker, session
from workers.process.membership import _READS_OF_A_SWEEP, _SEEN_IN_SLOT

QUICK = {"COHORT_SWEEP_INTERVAL": "0.05"}
SLOW = {"COHORT_HEARTBEAT_TTL": "3600", "COHORT_SWEEP_INTERVAL": "3600"}


async def member(pool: Pool, name: str, lanes: int = 32, **more: str) -> Worker:
    return await pool.worker(name, sweeps=True, lanes=lanes, **{**QUICK, **more})


def slots_of(worker: Worker) -> frozenset[int]:
    assert worker.member is not None
    return worker.member.slots


async def shared_by(pool: Pool, *workers: Worker) -> None:
    """Wait until these have all slots, each its share."""

    def even() -> bool:
        held = [slots_of(worker) for worker in workers]
        sizes = [len(slots) for slots in held]
        consumed = all(worker.queues == {queue_of(slot) for slot in slots_of(worker)} for worker in workers)
        return sum(sizes) == len(frozenset().union(*held)) == 64 and max(sizes) - min(sizes) <= 1 and consumed

    await pool.changes.until(even)


async def test_workers_that_come_and_go_share_the_slots(pool: Pool) -> None:
    one = await member(pool, "w-one")
    await shared_by(pool, one)
    two = await member(pool, "w-two")
    await shared_by(pool, one, two)
    three = await member(pool, "w-three")
    await shared_by(pool, one, two, three)
    assert [worker.member.on_this_host for worker in (one, two, three) if worker.member] == [3, 3, 3]

    two.drain()
    await shared_by(pool, one, three)
    assert slots_of(two) == frozenset()
    await one.kill()
    await shared_by(pool, three)
    assert three.member is not None
    assert three.member.on_this_host == 1


async def test_a_worker_that_dies_unreported_is_missed_and_its_slots_and_sessions_taken(pool: Pool) -> None:
    mortal = {"COHORT_HEARTBEAT_TTL": "1"}
    one = await member(pool, "w-one", **mortal)
    await shared_by(pool, one)
    hold = pool.model.hold("hello")
    await pool.say(1, "hello")
    await hold.reached()
    hold.begun.clear()
    two = await member(pool, "w-two", **mortal)
    await shared_by(pool, one, two)
    one.cut()
    # Its death is not reported; its heartbeat runs out.
    await shared_by(pool, two)
    await hold.reached()
    hold.go.set()
    await pool.telegram.until_delivered(1)
    assert pool.model.calls[-1].worker == "w-two"


async def test_a_worker_taken_for_dead_while_it_lives_finds_out_and_ends_the_turns_that_others_own(pool: Pool) -> None:
    one = await member(pool, "w-one", **SLOW)
    await shared_by(pool, one)
    hold = pool.model.hold("hello")
    await pool.say(1, "hello")
    await hold.reached()
    hold.begun.clear()
    heir = await pool.worker("w-heir")
    async with Redis.from_url(pool.settings.redis_url) as redis:
        await redis.delete(keys.worker("w-one"))
    answer = heir.doorbell(session(1))
    await hold.reached()
    # It beats when there are news, long before its time.
    await pool.store.members.announce()
    await pool.model.changes.until(lambda: pool.model.calls[0].end == "CancelledError")
    hold.go.set()
    assert (await answer)["outcome"] == "answered"
    assert [call.end for call in pool.model.calls] == ["CancelledError", "answered"]
    assert pool.telegram.texts(session(1)) == ["answer to hello"]


async def test_a_worker_says_once_that_redis_is_away_and_once_that_it_is_back(
    pool: Pool, caplog: pytest.LogCaptureFixture
) -> None:
    def said(subject: str) -> list[str]:
        return [record.getMessage() for record in caplog.records if record.getMessage().startswith(f"{subject}.")]

    async def tried() -> bool:
        return one.cable.refused > 20

    async def back() -> bool:
        return "heartbeat.resumed" in said("heartbeat") and "sweep.resumed" in said("sweep")

    one = await member(pool, "w-one", COHORT_HEARTBEAT_TTL="1")
    await shared_by(pool, one)
    one.cable.cut()
    await until(tried)
    one.cable.mend()
    await until(back)
    assert [line for line in said("heartbeat") if line != "heartbeat.late"] == ["heartbeat.missed", "heartbeat.resumed"]
    assert [line for line in said("sweep") if line != "sweep.woken"] == ["sweep.missed", "sweep.resumed"]


async def test_each_time_that_a_worker_stood_still_for_too_long_is_told(
    pool: Pool, caplog: pytest.LogCaptureFixture
) -> None:
    one = await member(pool, "w-one", COHORT_HEARTBEAT_TTL="1")
    await shared_by(pool, one)
    for times in (1, 2, 3):
        pool.clock.advance(60)

        async def told(times: int = times) -> bool:
            return [record.getMessage() for record in caplog.records].count("heartbeat.late") >= times

        assert await until(told)


async def test_news_of_a_new_worker_needs_no_heartbeat(pool: Pool) -> None:
    one = await member(pool, "w-one", **SLOW)
    await shared_by(pool, one)
    two = await member(pool, "w-two", **SLOW)
    await shared_by(pool, one, two)


async def test_what_waits_in_slots_that_a_worker_gains_is_begun_at_once(pool: Pool) -> None:
    for chat in range(1, 20):
        await pool.say(chat, "waiting")
    await member(pool, "w-one", **SLOW)
    await pool.telegram.until_delivered(19)


async def test_what_a_dead_worker_held_is_taken_up_as_soon_as_its_death_is_known(pool: Pool) -> None:
    other = await pool.worker("w-other")
    hold = pool.model.hold("hello")
    await pool.say(1, "hello")
    other.doorbell(session(1))
    await hold.reached()
    heir = await member(pool, "w-heir", **SLOW)
    await shared_by(pool, heir)
    # That it gives slots away shows that it hears the news.
    guest = await member(pool, "w-guest", **SLOW)
    await shared_by(pool, heir, guest)
    guest.drain()
    await shared_by(pool, heir)
    hold.begun.clear()
    await other.kill()
    await hold.reached()
    hold.go.set()
    await pool.telegram.until_delivered(1)
    assert pool.model.calls[-1].worker == "w-heir"


async def test_a_message_without_a_doorbell_is_found_in_every_slot(pool: Pool) -> None:
    chats = range(1, 201)
    for chat in chats:
        await pool.say(chat, f"to {chat}")
    worker = await pool.worker("w-one", sweeps=True, capacity=7, **QUICK)
    await pool.telegram.until_delivered(len(chats))
    assert Counter(where.chat for where, _ in pool.telegram.delivered) == Counter(chats)
    assert worker.scheduler.awake <= 7


async def test_slots_with_always_more_work_than_room_take_turns(pool: Pool) -> None:
    worker = await pool.worker("w-one", capacity=1, sweeps=True, COHORT_SWEEP_INTERVAL="3600")
    await shared_by(pool, worker)
    assert worker.member is not None
    low, high = sorted((session(chat) for chat in range(1, 40)), key=slot)[::38]
    for where in (low, high):
        await pool.say(where.chat, "waiting")
    for count in (1, 2):
        await worker.member._sweep()
        await pool.telegram.until_delivered(count)
        async with asyncio.timeout(PATIENCE_S):
            await worker.scheduler._empty.wait()
        # There is always something in the first slot.
        await pool.say(low.chat, "more")
    # A sweep of the worker's own may have answered the next one in the first slot by now.
    assert [where for where, _ in pool.telegram.delivered][:2] == [low, high]


@pytest.mark.promise("many-bots")
async def test_sessions_of_a_bot_that_was_taken_out_keep_a_sweep_from_no_other(pool: Pool) -> None:
    worker = await pool.worker("w-one", sweeps=True, COHORT_SWEEP_INTERVAL="3600")
    await shared_by(pool, worker)
    assert worker.member is not None
    there = keys.pending(slot(mine := session(7)))
    # More than one sweep reads, and all of them older: in this slot as those of a bot with many chats would be.
    held = {str(SessionKey(999, chat)): chat for chat in range(1, _SEEN_IN_SLOT * _READS_OF_A_SWEEP + 2)}
    await redis_of(pool.store).zadd(there, held)
    worker.scheduler._paused = lambda where: where.bot == 999
    await pool.say(mine.chat, "waiting")
    for _ in range(2):
        await worker.member._sweep()
    await pool.telegram.until_delivered(1)
    async with asyncio.timeout(PATIENCE_S):
        await worker.scheduler._empty.wait()
    assert await redis_of(pool.store).zcard(there) == len(held), "what was told to that bot is kept"
    await redis_of(pool.store).zrem(there, *held)


def slot(where: SessionKey) -> int:
    return slot_of(where, 64)


async def test_a_worker_whose_heartbeat_was_late_looks_whether_its_turns_are_still_its_own(pool: Pool) -> None:
    zombie = await member(pool, "w-zombie")
    await shared_by(pool, zombie)
    hold = pool.model.hold("hello")
    await pool.say(1, "hello")
    await hold.reached()
    hold.begun.clear()
    heir = await pool.worker("w-heir")
    zombie.cable.cut()
    await pool.store.members.report_death("w-zombie")
    doorbell = heir.doorbell(session(1))
    await hold.reached()
    pool.clock.advance(60)
    zombie.cable.mend()

    await pool.model.changes.until(lambda: pool.model.calls[0].end == "CancelledError")
    hold.go.set()
    await doorbell
    assert pool.telegram.texts(session(1)) == ["answer to hello"]
    # It is one of them again.
    await shared_by(pool, zombie)


@pytest.mark.parametrize("mode", ["collect", pytest.param("followup", marks=pytest.mark.soak)])
async def test_slots_that_move_under_load_lose_double_and_reorder_nothing(pool: Pool, mode: str) -> None:
    chats = range(1, 41)
    sent: dict[int, list[int]] = {chat: [] for chat in chats}

    async def load(some: range) -> None:
        for number in range(12):
            for chat in some:
                sent[chat].append(await pool.say(chat, f"{chat}.{number}"))

    more = {"COHORT_QUEUE_MODE": mode}
    # With so few lanes turns wait for one, and are handed back.
    one = await member(pool, "w-one", lanes=3, **more)
    async with asyncio.TaskGroup() as group:
        group.create_task(load(chats[:20]), name="load")
        await pool.telegram.until_delivered(20)
        two = await member(pool, "w-two", **more)
        await shared_by(pool, one, two)
        await pool.telegram.until_delivered(60)
        three = await member(pool, "w-three", **more)
        await shared_by(pool, one, two, three)
        one.drain()
        await shared_by(pool, two, three)
        group.create_task(load(chats[20:]), name="more load")
        await pool.telegram.until_delivered(120)
        await two.kill()
        await shared_by(pool, three)
    total = sum(len(updates) for updates in sent.values())
    await pool.telegram.changes.until(lambda: len(pool.telegram.ended()) >= total)
    await check(pool, sent)
