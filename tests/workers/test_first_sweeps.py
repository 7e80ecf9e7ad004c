"""A worker that takes slots over sweeps often at first: the last owner may have taken doorbells along."""

import asyncio
import logging

import pytest

from tests.support.redis_of import redis_of
from tests.support.until import until
from tests.workers.fakes import PATIENCE_S
from tests.workers.pool import Pool, session
from tests.workers.test_membership import SLOW, member, shared_by, slots_of

RARELY = {"COHORT_HEARTBEAT_TTL": "3600", "COHORT_SWEEP_INTERVAL": "3600"}


async def test_messages_whose_doorbells_went_with_a_slot_s_last_owner_are_found_at_once(pool: Pool) -> None:
    await pool.worker("w-one", sweeps=True, **RARELY)
    for number in range(1, 4):
        await pool.say(1, f"m{number}")
        await pool.telegram.until_delivered(number)
        async with asyncio.timeout(PATIENCE_S):
            while not await pool.idle(session(1)):
                pass  # a turn loop that is still awake would find the next one itself


async def test_sessions_that_a_sweep_wakes_again_and_again_are_told_once(
    pool: Pool, caplog: pytest.LogCaptureFixture
) -> None:
    chats = range(1, 25)
    one = await member(pool, "w-one", **SLOW)
    hold = pool.model.hold("stands still")
    for chat in chats:
        await pool.say(chat, f"{chat}. stands still")
        pool.doorbell(one, session(chat))
    await pool.model.changes.until(lambda: len(pool.model.calls) == len(chats))
    caplog.set_level(logging.INFO, "cohort.members")
    two = await member(pool, "w-two", COHORT_HEARTBEAT_TTL="60", COHORT_SWEEP_INTERVAL="0.05")
    await shared_by(pool, one, two)

    async def looks() -> int:
        return (await redis_of(pool.store).info("commandstats"))["cmdstat_zcard"]["calls"]

    enough = await looks() + 10 * len(slots_of(two))

    async def swept() -> bool:
        return await looks() >= enough

    assert await until(swept)
    told = [record.sessions for record in caplog.records if record.getMessage() == "sweep.woken"]  # type: ignore[attr-defined]
    assert len(told) == len(set(told)) <= 2, "its turns run on the last owner"
    hold.go.set()
    await pool.telegram.until_delivered(len(chats))
