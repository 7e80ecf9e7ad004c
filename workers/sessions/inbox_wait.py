"""The wait for the rest of an album or a burst: it ends with its time, or when a doorbell says that something came."""

import asyncio
from collections.abc import Awaitable
from typing import Any

from workers.sessions.dependencies import Sleep


class InboxWait:
    """Waits between two reads of one session's inbox. It holds no lane."""

    def __init__(self, sleep: Sleep) -> None:
        self._sleep = sleep
        self._heard = False
        self._nap: asyncio.Task[None] | None = None

    def heard(self) -> None:
        """A doorbell or a control word came: what was read of the inbox is not all."""
        self._heard = True
        if self._nap is not None:
            self._nap.cancel()

    def reading(self) -> None:
        """The inbox is read now: what came before is seen."""
        self._heard = False

    async def wait(self, seconds: float) -> None:
        """Wait until something comes, or for ``seconds``."""
        if self._heard:
            return
        try:
            # A child that is cancelled ends the group; a cancellation of the loop itself goes on.
            async with asyncio.TaskGroup() as group:
                self._nap = group.create_task(self._nap_for(seconds), name="quiet")
        finally:
            self._nap = None

    async def first(self, task: asyncio.Task[Any]) -> bool:
        """Wait until a task has ended, or something comes (taken for seen then); returns whether it has ended."""
        if not self._heard:
            try:
                async with asyncio.TaskGroup() as group:
                    self._nap = group.create_task(_ended(task), name="quiet")
            finally:
                self._nap = None
        self._heard = False
        return task.done()

    async def _nap_for(self, seconds: float) -> None:
        await self._sleep(seconds)


async def _ended(task: asyncio.Task[Any]) -> None:
    await asyncio.wait({task})


class Arrivals:
    """What came for a session that is awake. An entry stands in the inbox before its doorbell is sent, so each later
    read of the inbox has it, and only a doorbell that came since the last one asks for another.
    """

    def __init__(self) -> None:
        self._came = self._seen = 0

    def came(self) -> None:
        """A doorbell or a control word came."""
        self._came += 1

    @property
    def unseen(self) -> bool:
        """Whether one came since the last read began."""
        return self._came > self._seen

    async def seen_by[T](self, read: Awaitable[T]) -> T:
        """Read the inbox, which has all that came by now. A read that fails has seen nothing."""
        came = self._came
        done = await read
        self._seen = came
        return done
