"""Keeps the key of the logs' hashes current in this process: `cohort forget` makes a new one."""

import asyncio
from contextlib import suppress

from tasks.errors import StoreUnavailable
from tasks.store.trail import TrailStore
from tasks.telemetry import hash_sessions

_LOOK_EVERY_S = 2.0


async def follow_log_key(trail: TrailStore) -> None:
    """Until cancelled; without Redis the key stays as it is."""
    while True:
        with suppress(StoreUnavailable):
            hash_sessions(await trail.log_key())
        await asyncio.sleep(_LOOK_EVERY_S)
