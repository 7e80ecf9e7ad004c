"""Signs of life after a message was accepted: typing, and the end of a pressed button's spinning. Best effort."""

import asyncio
import logging
from collections.abc import Iterable
from typing import Protocol

from botapi.errors import TelegramAway
from tasks.clock import Clock
from tasks.errors import CohortError
from tasks.session import SessionKey

log = logging.getLogger("cohort.bot")

_SENDERS = 4
"""Calls at the same time: enough for 40 a second, more than Telegram likes."""

_WAITING = 64
"""A sign that would come later than about two seconds is no sign any more; it is dropped."""


class Signs(Protocol):
    """Telegram as this module uses it."""

    async def typing(self, session: SessionKey) -> None:
        """Show "typing ..."."""
        ...

    async def answer_press(self, callback: str, said: str | None) -> None:
        """End a button's spinning."""
        ...


class Acks:
    """Takes orders at once; ``run`` must be running."""

    def __init__(self, signs: Signs, clock: Clock) -> None:
        self._signs = signs
        self._clock = clock
        self._orders: asyncio.Queue[SessionKey | tuple[str, str | None]] = asyncio.Queue(_WAITING)
        self._quiet_until = 0.0

    def typing(self, sessions: Iterable[SessionKey]) -> None:
        """Show "typing ..." in each, once."""
        if self._clock.monotonic() >= self._quiet_until:
            for session in dict.fromkeys(sessions):
                self._order(session)

    def press(self, callback: str, said: str | None = None) -> None:
        """End a button's spinning, showing ``said`` for a moment."""
        self._order((callback, said))

    def _order(self, order: SessionKey | tuple[str, str | None]) -> None:
        if not self._orders.full():
            self._orders.put_nowait(order)

    async def run(self) -> None:
        """Carry out orders until cancelled."""
        async with asyncio.TaskGroup() as group:
            for number in range(_SENDERS):
                group.create_task(self._carry_out(), name=f"ack-{number}")

    async def flush(self) -> None:
        """Wait until everything ordered has been carried out."""
        await self._orders.join()

    async def _carry_out(self) -> None:
        while True:
            order = await self._orders.get()
            try:
                if isinstance(order, SessionKey):
                    await self._signs.typing(order)
                else:
                    await self._signs.answer_press(*order)
            except TelegramAway as problem:
                # Limits count these calls too: the answer itself must not have to wait for them.
                self._quiet_until = self._clock.monotonic() + problem.wait
            except CohortError as problem:
                log.debug("ack.refused", extra={"problem": str(problem)})
            finally:
                self._orders.task_done()
