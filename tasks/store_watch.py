"""What each process looks at in Redis while it runs: the key of the logs' hashes, the time, and whether all is gone."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress

from tasks.clock import SystemClock
from tasks.errors import CohortError
from tasks.store.layout import LayoutStore
from tasks.telemetry.logs import hash_sessions

log = logging.getLogger("cohort.store")

_LOOK_EVERY_S = 2.0


_MARK_EVERY_S = 10.0
"""One process after the other notes the time; all of them read it."""
_PUT_BACK_S = 30.0
"""By so much data is older than what was there before; a failover loses less."""

_RESTS = 5
"""Looks after that at which no time is noted, so that the other processes see it, too."""


async def watch_store(
    layout: LayoutStore,
    renewed: Callable[[], None] = lambda: None,
    *,
    emptied: Callable[[], Awaitable[None]] | None = None,
    put_back: Callable[[float], Awaitable[None]] | None = None,
    every_s: float = _LOOK_EVERY_S,
) -> None:
    """Until cancelled; without Redis all stays as it is.

    Args:
        layout: Has all of it.
        renewed: Called when there is another key of hashes than before: something was erased.
        emptied: Called when all that was in Redis is gone.
        put_back: Called with seconds when Redis has data of so long ago (an old snapshot).
        every_s: How often to look.
    """
    known: bytes | None = None
    newest: float | None = None
    resting = 0
    apart = False
    while True:
        with suppress(CohortError):
            key = await layout.look()
            if key is None and known is not None and await layout.put_back(known):
                log.error("store.emptied")
                if emptied is not None:
                    await emptied()
            key = key or known
            if key is not None:
                hash_sessions(key)
            if known not in (None, key):
                renewed()
            known = key
            apart = _told(apart)
            if newest is not None and layout.marked is not None and (older := newest - layout.marked) > _PUT_BACK_S:
                log.error("store.put_back", extra={"seconds": round(older)})
                resting = _RESTS
                if put_back is not None:
                    await put_back(older)
            newest, resting = layout.marked, max(0, resting - 1)
            if key is not None and not resting and SystemClock().now() - (newest or 0.0) >= _MARK_EVERY_S:
                await layout.mark(SystemClock().now())
        await asyncio.sleep(every_s)


def _told(apart: bool) -> bool:  # noqa: FBT001 - what was told before
    seconds = SystemClock.put_right_by()
    if seconds and not apart:
        log.warning("clock.apart", extra={"seconds": round(seconds, 1)})
    elif apart and not seconds:
        log.info("clock.agrees")
    return bool(seconds)
