"""The heartbeat of this process: it says in Redis that it lives, whether it polls, and when its last poll ended."""

import asyncio
import os
import socket
from collections.abc import Callable
from contextlib import suppress

from tasks.clock import Clock
from tasks.errors import StoreUnavailable
from tasks.status.bot import BotStatus
from tasks.status.worker import Sends
from tasks.store.processes.bots import BEAT, BotStore
from tasks.telemetry import metrics
from tasks.waiting import came_within


class BotHeartbeat:
    """Beats beside the bot's work, and never stops it."""

    def __init__(
        self, store: BotStore, holder: str, about: BotStatus, clock: Clock, *, sends: Callable[[], Sends] = Sends
    ) -> None:
        """Prepare it.

        Args:
            store: Where it is written.
            holder: This process, as it holds the lease.
            about: What hardly changes.
            clock: Time.
            sends: What this process sent to Telegram lately.
        """
        self._store = store
        self.holder = holder
        self._about = about.model_copy(update={"host": socket.gethostname(), "pid": os.getpid()})
        self._clock = clock
        self._sends = sends
        self._leads = False
        self._polled_at: float | None = None
        self._now = asyncio.Event()

    def renamed(self, username: str) -> None:
        """The bot has another name."""
        self._about = self._about.model_copy(update={"username": username})

    def leads(self, leads: bool) -> None:  # noqa: FBT001 - the one thing it says
        """This process polls (and sends the bot's own lines), or stands by. The first poll counts from its begin."""
        self._leads = leads
        metrics.LEADS.set(leads)
        self._polled_at = self._clock.now() if leads else None
        self._now.set()

    def polled(self) -> None:
        """A poll ended, or in webhook mode an update came."""
        self._polled_at = self._clock.now()

    def poll_age(self) -> float:
        """Seconds since the last poll ended; 0 in a process that stands by."""
        return 0.0 if self._polled_at is None else max(0.0, self._clock.now() - self._polled_at)

    def poll_is_due(self, *, paused: bool) -> bool:
        """Whether this process is to poll now: it leads, Telegram does not push, and the intake is not ``paused``."""
        return self._leads and self._about.mode == "polling" and not paused

    async def run(self) -> None:
        """Beat until cancelled."""
        try:
            while True:
                self._now.clear()
                with suppress(StoreUnavailable):
                    await self._store.beat(self.holder, self._status())
                await came_within(self._now, BEAT.total_seconds())
        finally:
            with suppress(StoreUnavailable):
                await self._store.leave(self.holder)

    def _status(self) -> BotStatus:
        return self._about.model_copy(
            update={"leads": self._leads, "polled_at": self._polled_at, "sends": self._sends()}
        )
