"""A stop signal that ends waits at once and never interrupts work that must be finished."""

import asyncio
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager

from tasks.errors import CohortError
from tasks.waiting import came_within


class Stopped(CohortError):  # noqa: N818 - an event
    """The wait was ended, because the process stops."""


class Stop:
    """Set once, in the loop's thread."""

    def __init__(self) -> None:
        self._event = asyncio.Event()
        self._waits: set[asyncio.Timeout] = set()
        self._children: set[Stop] = set()

    @property
    def is_set(self) -> bool:
        return self._event.is_set()

    def set(self) -> None:
        """Stop this and all its children. A second call changes nothing."""
        if self.is_set:
            return
        self._event.set()
        for wait in self._waits:
            wait.reschedule(0)
        for child in self._children:
            child.set()

    async def wait(self) -> None:
        """Until it is set."""
        await self._event.wait()

    async def pause(self, seconds: float) -> None:
        """Sleep; a stop ends it early."""
        await came_within(self._event, seconds)

    @asynccontextmanager
    async def cuts(self) -> AsyncGenerator[None]:
        """Around a wait that may be given up: a stop cancels the code inside.

        Raises:
            Stopped: it was cut.
        """
        scope = asyncio.timeout(None)
        try:
            async with scope:
                self._waits.add(scope)
                try:
                    if self.is_set:
                        scope.reschedule(0)
                    yield
                finally:
                    self._waits.discard(scope)
        except TimeoutError:
            if scope.expired():
                raise Stopped from None
            raise

    @contextmanager
    def child(self) -> Generator["Stop"]:
        """A stop for a part of the work; it is set when this one is."""
        child = Stop()
        self._children.add(child)
        if self.is_set:
            child.set()
        try:
            yield child
        finally:
            self._children.discard(child)
