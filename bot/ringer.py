"""Rings doorbells from a thread, while the next batch is fetched.

So a batch may be confirmed to Telegram before its doorbells were rung, and a bot killed right then never rings them.
That is harmless: the messages are in their inboxes and their slots are marked pending, both written by the one accept
call that came before; each slot's owner looks at what is pending every 2 s (COHORT_SWEEP_INTERVAL) and wakes it.
"""

import asyncio
import logging
from collections.abc import Iterable, Sequence
from typing import Protocol

from tasks.errors import StoreUnavailable
from tasks.session import SessionKey

log = logging.getLogger("cohort.bot")

CHUNK = 500
"""Doorbells in one go; they hold the interpreter, and accepting goes first."""

BEHIND = 2000
"""More waiting than this, and one doorbell a session must do: it stands for all its messages."""

MOST = 20_000
"""More sessions waiting than this are left to the sweep."""


class Bells(Protocol):
    """The doorbells; both block, and both may raise ``StoreUnavailable``."""

    def ring(self, items: Sequence[tuple[SessionKey, int]]) -> None:
        """Ring for each (session, update id)."""
        ...

    def interrupt(self, session: SessionKey) -> None:
        """Cancel the session's running turn."""
        ...


class Ringer:
    """Takes orders at once, carries them out in order. ``run`` must be running."""

    def __init__(self, bells: Bells) -> None:
        self._bells = bells
        self._items: list[tuple[SessionKey, int]] = []
        self._stops: list[SessionKey] = []
        self._ordered = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()

    def ring(self, items: Iterable[tuple[SessionKey, int]], *, interrupt: Iterable[SessionKey] = ()) -> None:
        """Ring for each (session, update id), and have running turns of some sessions cancelled."""
        self._items.extend(items)
        self._stops.extend(interrupt)
        if len(self._items) > BEHIND:
            latest = dict(self._items)
            if len(latest) > MOST:
                log.warning("doorbells.left_to_sweep", extra={"count": len(latest) - MOST})
            self._items = list(latest.items())[-MOST:]
        if self._items or self._stops:
            self._idle.clear()
            self._ordered.set()

    async def run(self) -> None:
        """Carry out orders until cancelled."""
        while True:
            await self._ordered.wait()
            self._ordered.clear()
            while self._items or self._stops:
                items, self._items = self._items[:CHUNK], self._items[CHUNK:]
                stops, self._stops = self._stops, []
                await asyncio.to_thread(self._carry_out, items, stops)
            self._idle.set()

    async def flush(self) -> None:
        """Wait until everything ordered has been carried out."""
        await self._idle.wait()

    def _carry_out(self, items: Sequence[tuple[SessionKey, int]], stops: Sequence[SessionKey]) -> None:
        try:
            # Stopping first: whoever asked for it is waiting.
            for session in stops:
                self._bells.interrupt(session)
            if items:
                self._bells.ring(items)
        except StoreUnavailable as problem:
            log.warning("doorbells.missed", extra={"count": len(items), "problem": str(problem)})
        except Exception:
            # Whatever the broker's client may raise: the sweep makes up for it, a dead bot would not.
            log.exception("doorbells.failed", extra={"count": len(items)})
