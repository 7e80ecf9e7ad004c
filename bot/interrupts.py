"""Has running turns cancelled, in a thread: the updates behind must not wait until all workers were told."""

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
    """Takes orders at once, carries them out in order. ``run`` must be running."""

    def __init__(self, remote: Remote) -> None:
        self._remote = remote
        self._orders: list[SessionKey] = []
        self._ordered = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()

    def order(self, sessions: Iterable[SessionKey]) -> None:
        """Have the running turns of these sessions cancelled."""
        self._orders.extend(sessions)
        if self._orders:
            self._idle.clear()
            self._ordered.set()

    async def run(self) -> None:
        """Carry out orders until cancelled."""
        while True:
            await self._ordered.wait()
            self._ordered.clear()
            while self._orders:
                await asyncio.to_thread(self._carry_out, self._orders.pop(0))
            self._idle.set()

    async def flush(self) -> None:
        """Wait until everything ordered has been carried out."""
        await self._idle.wait()

    def _carry_out(self, session: SessionKey) -> None:
        try:
            self._remote.interrupt(session)
        except StoreUnavailable as problem:
            log.warning("interrupt.missed", extra={"session": str(session), "problem": str(problem)})
        except Exception:
            # Whatever the broker's client may raise: the control word takes its turn, a dead bot would not.
            log.exception("interrupt.failed", extra={"session": str(session)})
