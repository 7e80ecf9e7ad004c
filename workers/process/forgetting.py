"""What is in a worker of a session that was erased: its running turn, its MCP servers, its files. And their disk."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Protocol

from tasks import session_files
from tasks.clock import Clock
from tasks.errors import StoreUnavailable
from tasks.outage import Outage
from tasks.session import SessionKey
from tasks.store import Store
from tasks.store.processes.own import FORGET, OwnStore
from tasks.whole_file import keeps_no_files

log = logging.getLogger("cohort.forgetting")

_LOOK_EVERY_S = 1.0
_LOOKED_AT_ONCE = 200
"""Keys that Redis looks at each second for old sessions: a million sessions take some hours, and no command is long."""
_TRY_EVERY_S = 10.0
_DAY_S = 86_400.0
_SENT_WITHIN = timedelta(days=7)
"""How long a file may wait for its chat: a turn waits for people, a token is refused, Telegram is away."""


class Awake(Protocol):
    """The sessions that are awake (``workers.sessions.scheduler.SessionScheduler``)."""

    def has(self, session: SessionKey) -> bool: ...

    async def end(self, session: SessionKey) -> None: ...


class Warm(Protocol):
    """The lanes, which may hold something of a session (``workers.runtime.lanes.pool.Lanes``)."""

    async def end_warm(self, session: str) -> None: ...


class Forgetting:
    """Ends and removes what this worker, and its machine, has of a session. Redis was cleared before."""

    def __init__(self, awake: Awake, warm: Warm, home: Path, own: OwnStore | None = None) -> None:
        """``own``: tells sessions' own processes, which have the turns and servers of their sessions."""
        self._own = own
        self._awake = awake
        self._warm = warm
        self._home = home

    async def forget(
        self, sessions: Sequence[SessionKey], struck: Sequence[SessionKey] = (), media: Sequence[str] = ()
    ) -> int:
        """End and remove.

        Args:
            sessions: Those that went whole.
            struck: Those that lost the messages of one person: a running turn, which may know them, is begun again.
            media: Files of the cache, by name.

        Returns:
            How many files and directories were removed.
        """
        for session in (*sessions, *struck):
            if self._own is not None:
                with suppress(StoreUnavailable):  # what it writes is refused anyway
                    await self._own.tell(session, FORGET)
            await self._awake.end(session)
        for session in sessions:
            await self._warm.end_warm(str(session))
        return await asyncio.to_thread(session_files.remove, self._home, sessions, media)

    async def expired(self, sessions: Sequence[SessionKey]) -> int:
        """The same of sessions that were erased for their age; one that is awake again keeps its files."""
        return await self.forget([session for session in sessions if not self._awake.has(session)])


async def tidy_files(home: Path, clock: Clock, ask_ttl: timedelta) -> None:
    """Once a day, until cancelled: remove files for chats that no turn and no answer has any use for."""
    while True:
        before = clock.now() - max(_SENT_WITHIN, 2 * ask_ttl).total_seconds()
        if gone := await asyncio.to_thread(session_files.tidy, home, before=before):
            log.info("files.tidied", extra={"files": gone})
        await asyncio.sleep(_DAY_S)


class HomeDisk:
    """``refuses``: why the state directory keeps no files of chats, as a line; empty: it keeps them."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self.refuses = ""

    async def look(self) -> None:
        """Try it once, in a thread: a disk may take long to answer."""
        before, self.refuses = self.refuses, await asyncio.to_thread(keeps_no_files, self._home) or ""
        if self.refuses and not before:
            log.warning("home.refuses", extra={"problem": self.refuses})
        if before and not self.refuses:
            log.warning("home.takes_again")

    async def follow(self) -> None:
        """Try it again and again, until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(_TRY_EVERY_S)


class Retention:
    """Erases the sessions that were not touched for ``COHORT_KEEP_DAYS``, a few at a time."""

    def __init__(self, store: Store, clock: Clock, *, keep_days: int) -> None:
        self._store = store
        self._clock = clock
        self._keep_s = keep_days * _DAY_S
        self._cursor = 0

    async def run(self, ours: Callable[[], bool]) -> None:
        """Until cancelled; without Redis, keep trying. ``ours``: whether this worker has to do it; one of all does."""
        away = Outage()
        while self._keep_s:
            await asyncio.sleep(_LOOK_EVERY_S)
            if not ours():
                self._cursor = 0
                continue
            try:
                await self.step(_LOOKED_AT_ONCE)
                if (lasted := away.ended()) is not None:
                    log.warning("sweep.resumed", extra={"after_s": lasted})
            except StoreUnavailable as problem:
                if away.began():
                    log.warning("sweep.missed", extra={"problem": str(problem)})

    async def step(self, count: int) -> int:
        """Look at about ``count`` keys; returns how many sessions were erased.

        Raises:
            StoreUnavailable: Redis is away.
        """
        now = self._clock.now()
        self._cursor, gone = await self._store.erasure.sweep(self._cursor, count, before=now - self._keep_s, now=now)
        if gone:
            log.info("sessions.expired", extra={"sessions": len(gone)})
            await self._store.members.tell_forgotten(gone)
        return len(gone)
