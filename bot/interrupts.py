"""Cancels running turns from a thread: later updates must not wait until all workers were told."""

import asyncio
import logging
from collections.abc import Iterable
from typing import Protocol

from tasks.errors import StoreUnavailable
from tasks.session import SessionKey

log = logging.getLogger("cohort.bot")


class Remote(Protocol):
    """Remote control of the workers (``tasks.doorbell.Doorbells``)."""

    def interrupt(self, session: SessionKey) -> None:
        """Cancel the session's running turn. Blocking; may raise ``StoreUnavailable``."""
        ...


class Interrupts:
    """Queues interrupts without waiting; ``run`` sends them in order."""

    def __init__(self, remote: Remote) -> None:
        self._remote = remote
        self._orders: list[SessionKey] = []
        self._ordered = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()

    def order(self, sessions: Iterable[SessionKey]) -> None:
        """Queue an interrupt of these sessions' running turns."""
        self._orders.extend(sessions)
        if self._orders:
            self._idle.clear()
            self._ordered.set()

    async def run(self) -> None:
        """Send interrupts until cancelled."""
        while True:
            await self._ordered.wait()
            self._ordered.clear()
            while self._orders:
                await asyncio.to_thread(self._carry_out, self._orders.pop(0))
            self._idle.set()

    async def flush(self) -> None:
        """Wait until all queued interrupts were sent."""
        await self._idle.wait()

    def _carry_out(self, session: SessionKey) -> None:
        try:
            self._remote.interrupt(session)
        except StoreUnavailable as problem:
            log.warning("interrupt.missed", extra={"session": str(session), "problem": str(problem)})
        except Exception:
            # The control word waits in the inbox, so the bot goes on after any fault of the broker's client.
            log.exception("interrupt.failed", extra={"session": str(session)})
