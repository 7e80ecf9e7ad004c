"""Counts the tries of the message at the head of an inbox: only a turn that ran when its worker died is one.

The first try is counted by the claim, because that costs no write. A later one is counted when its turn runs. While a
turn waits its try is taken back: so a message that never ran has none, however many workers die. For the first try this
costs two writes, so it is left out where the wait is short. The last try before a message is given up is run beside no
other last try. So each death of a worker ends one message at most, and those that ran beside it are tried again.

A turn that finishes a new step gets on: a restart, or what runs beside it, ended its workers. So the write that keeps
the step sets the tries back to the one that runs. This is done ``RESETS`` times a turn, so a message that ends its
worker after each new step is given up all the same.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from weakref import WeakMethod

from workers.sessions.dependencies import Sleep

_LATER = 2
"""From this try on, an earlier worker died with the message."""
RESETS = 8
"""So often a turn's tries are set back. A turn of an hour whose workers die every few minutes comes to its end."""


class Tries:
    """The tries of one claimed session's head."""

    def __init__(self, number: int, write: Callable[[int], Awaitable[None]], last: asyncio.Lock) -> None:
        """Begin with a claim.

        Args:
            number: Of the running try; 0 where no message is begun.
            write: A method of what holds this; it records how many are counted.
            last: Held in this worker by the turn that is on its last try.
        """
        # Weak: what holds this would hold itself, and each turn's objects would wait for the garbage collector.
        self._recorder = WeakMethod(write)
        self._last = last
        self._is_last = self._holds_last = False
        self.begin(number)

    def begin(self, number: int) -> None:
        """The head is begun for the ``number``-th time. The first try is counted by then."""
        self.number = number
        self.counted = number < _LATER
        self.in_line = self._began = False
        """``in_line``: the turn waits, and nothing of it has begun in this worker."""

    @property
    def to_reset(self) -> int | None:
        """How many are counted once they are set back to the one that runs; None where no earlier one is."""
        return None if self.number < _LATER else int(self.counted)

    def reset(self) -> None:
        """They were set back: the worker's death would not give the message up now."""
        self.number, self._is_last = 1, False
        self._step_back()

    @staticmethod
    def counted_before(number: int) -> int:
        """How many are counted when the ``number``-th begins."""
        return max(number - 1, 1)

    @asynccontextmanager
    async def running(self, *, last: bool) -> AsyncGenerator[None]:
        """Run a turn as one try. ``last``: if the worker dies of it, the message is given up."""
        self._is_last = last
        try:
            await self._go_on()
            yield
        finally:
            self._step_back()

    async def pause(self, sleep: Sleep, seconds: float) -> None:
        """Wait between two attempts of the turn. Another message may have its last try meanwhile."""
        self._began = True
        await self.waits()
        self._step_back()
        await sleep(seconds)
        await self._go_on()

    async def runs(self) -> None:
        """What is done from here on may end this worker, so it counts."""
        self.in_line = False
        if not self.counted:
            # Before the write: where that is cancelled, a try too few is counted and never one too many.
            self.counted = True
            await self._write(self.number)

    async def waits(self, *, long: bool = True) -> None:
        """The turn does not run for now. If the worker dies, that is no try; a first one only if it waits ``long``."""
        self.in_line = not self._began
        if self.counted and self.number and (long or self.number >= _LATER):
            await self._write(self.number - 1)
            self.counted = False

    async def _write(self, counted: int) -> None:
        if (write := self._recorder()) is not None:
            await write(counted)

    async def _go_on(self) -> None:
        if self._is_last:
            if self._last.locked():
                await self.waits()
            await self._last.acquire()
            self._holds_last = True
        await self.runs()

    def _step_back(self) -> None:
        if self._holds_last:
            self._holds_last = False
            self._last.release()
