"""Keeps the key of the logs' hashes current in this process: `cohort forget` makes a new one."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from tasks.errors import CohortError
from tasks.store.trail import TrailStore
from tasks.telemetry import hash_sessions

_LOOK_EVERY_S = 2.0


async def follow_log_key(
    trail: TrailStore, renewed: Callable[[], None] = lambda: None, *, every_s: float = _LOOK_EVERY_S
) -> None:
    """Until cancelled; without Redis the key stays as it is.

    Args:
        trail: Has the key.
        renewed: Called when there is another key than before: something was erased.
        every_s: How often to look.
    """
    known: bytes | None = None
    while True:
        with suppress(CohortError):
            key = await trail.log_key()
            hash_sessions(key)
            if known not in (None, key):
                renewed()
            known = key
        await asyncio.sleep(every_s)
