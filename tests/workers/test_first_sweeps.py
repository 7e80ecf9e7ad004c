"""A worker that takes slots over sweeps often at first: the last owner may have taken doorbells along."""

import asyncio

from tests.workers.fakes import PATIENCE_S
from tests.workers.pool import Pool, session

RARELY = {"COHORT_HEARTBEAT_TTL": "3600", "COHORT_SWEEP_INTERVAL": "3600"}


async def test_messages_whose_doorbells_went_with_a_slot_s_last_owner_are_found_at_once(pool: Pool) -> None:
    await pool.worker("w-one", sweeps=True, **RARELY)
    for number in range(1, 4):
        await pool.say(1, f"m{number}")
        await pool.telegram.until_delivered(number)
        async with asyncio.timeout(PATIENCE_S):
            while not await pool.idle(session(1)):
                pass  # a turn loop that is still awake would find the next one itself
