"""What each process looks at in Redis while it runs: the key of the logs' hashes, the time, whether all is gone, and
whether the server may take keys away.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress

from tasks.clock import SystemClock
from tasks.errors import CohortError
from tasks.kept_mark import KeptMark
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
_RESTS_AT_START = 30
"""The same where a process sees it at its start: others of this machine may take a minute to start."""


_NONE = float("inf")

_POLICY_EVERY_S = 60.0
"""How often the server's policy is asked for: an operator changes it."""


class _Marks:
    """The times that processes note in Redis, as one of them sees them."""

    def __init__(self, kept: KeptMark | None) -> None:
        self._kept = kept
        self._newest = kept.known() if kept is not None else None
        self._starts = self._newest is not None
        self._resting = 0

    def look(self, mark: float | None) -> float:
        """By how many seconds the data is older than what was there; 0: it is not; ``_NONE``: nothing was noted in it.

        That is told at a start alone: processes ran here with a Redis in which they did note the time.
        """
        starts, self._starts = self._starts, False
        older = 0.0
        if starts and mark is None:
            older = _NONE
        elif self._newest is not None and mark is not None and self._newest - mark > _PUT_BACK_S:
            older = self._newest - mark
        if older:
            self._resting = _RESTS_AT_START if starts else _RESTS
        self._newest, self._resting = mark, max(0, self._resting - 1)
        if self._kept is not None and mark is not None and not self._resting:
            self._kept.keep(mark)
        return older

    def due(self, now: float) -> bool:
        """Whether this process is to note the time."""
        return not self._resting and now - (self._newest or 0.0) >= _MARK_EVERY_S


class _Eviction:
    """Tells once that the server takes keys away when it is full; again when that was changed back in between."""

    def __init__(self, layout: LayoutStore, tell: Callable[[str], Awaitable[None]] | None) -> None:
        self._layout = layout
        self._tell = tell
        self._told = False
        self._next = 0.0

    async def look(self, *, now: bool = False) -> bool:
        """Whether it does; without ``now`` it is asked once a minute."""
        monotonic = SystemClock().monotonic()
        if not now and monotonic < self._next:
            return self._told
        self._next = monotonic + _POLICY_EVERY_S
        policy = await self._layout.evicts()
        if policy is not None and not self._told:
            log.error("store.evicts", extra={"policy": policy})
            if self._tell is not None:
                await self._tell(policy)
        self._told = policy is not None
        return self._told


async def watch_store(  # noqa: PLR0913 - what it tells of, and to whom
    layout: LayoutStore,
    renewed: Callable[[], None] = lambda: None,
    *,
    emptied: Callable[[], Awaitable[None]] | None = None,
    put_back: Callable[[float], Awaitable[None]] | None = None,
    evicts: Callable[[str], Awaitable[None]] | None = None,
    kept: KeptMark | None = None,
    every_s: float = _LOOK_EVERY_S,
) -> None:
    """Until cancelled; without Redis all stays as it is.

    Args:
        layout: Has all of it.
        renewed: Called when there is another key of hashes than before: something was erased.
        emptied: Called when all that was in Redis is gone.
        put_back: Called with seconds when Redis has data of so long ago (an old snapshot).
        evicts: Called with the server's policy, once, when it takes keys away where it is full.
        kept: What the state directory knows of this Redis, so that a start sees what came while all was stopped.
        every_s: How often to look.
    """
    known: bytes | None = None
    marks = _Marks(kept)
    eviction = _Eviction(layout, evicts)
    apart = False
    while True:
        with suppress(CohortError):
            key = await layout.look()
            gone = key is None and known is not None and await layout.put_back(known)
            # Where the server takes keys away one that is gone is no sign that all is, and it may go many times.
            if gone and not await eviction.look(now=True):
                await _tell_emptied(emptied)
            key = key or known
            if key is not None:
                hash_sessions(key)
            if known not in (None, key):
                renewed()
            known = key
            apart = _told(apart)
            await _tell_older(marks.look(layout.marked), emptied, put_back)
            if key is not None and marks.due(SystemClock().now()):
                await layout.mark(SystemClock().now())
            await eviction.look()
        await asyncio.sleep(every_s)


async def _tell_older(
    seconds: float,
    emptied: Callable[[], Awaitable[None]] | None,
    put_back: Callable[[float], Awaitable[None]] | None,
) -> None:
    if seconds is _NONE:
        await _tell_emptied(emptied)
    elif seconds:
        log.error("store.put_back", extra={"seconds": round(seconds)})
        if put_back is not None:
            await put_back(seconds)


async def _tell_emptied(emptied: Callable[[], Awaitable[None]] | None) -> None:
    log.error("store.emptied")
    if emptied is not None:
        await emptied()


def _told(apart: bool) -> bool:  # noqa: FBT001 - what was told before
    seconds = SystemClock.put_right_by()
    if seconds and not apart:
        log.warning("clock.apart", extra={"seconds": round(seconds, 1)})
    elif apart and not seconds:
        log.info("clock.agrees")
    return bool(seconds)
