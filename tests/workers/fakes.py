"""The outer parts of a worker, scripted: the agent runtime, Telegram, time. They satisfy ``workers.interfaces``."""

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass, field

PATIENCE_S = 60


def without_reference(text: str) -> str:
    """An apology without the reference at its end."""
    return re.sub(r" \(Ref [0-9a-f]{6}\)$", "", text)


class Killed(BaseException):
    """kill -9, as seen from inside."""


class Changes:
    """Something that tests wait for."""

    def __init__(self) -> None:
        self._changed = asyncio.Event()

    def tell(self) -> None:
        self._changed.set()

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not holds():
                self._changed.clear()
                await self._changed.wait()


class FakeClock:
    """Stands still until it is told to advance."""

    def __init__(self, now: float = 1_800_000_000.0) -> None:
        self._now = now

    def now(self) -> float:
        return self._now

    def monotonic(self) -> float:
        return self._now

    def advance(self, seconds: float) -> None:
        self._now += seconds


class Naps:
    """``sleep`` that returns at once, and moves the clock, unless it is held."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self.taken: list[float] = []
        self.changes = Changes()
        self.awake = asyncio.Event()
        self.awake.set()

    async def __call__(self, seconds: float) -> None:
        self.taken.append(seconds)
        self._clock.advance(seconds)
        self.changes.tell()
        await self.awake.wait()


@dataclass
class Hold:
    """A place where something waits until the test lets it go on."""

    begun: asyncio.Event = field(default_factory=asyncio.Event)
    go: asyncio.Event = field(default_factory=asyncio.Event)

    async def here(self) -> None:
        self.begun.set()
        await self.go.wait()

    async def reached(self) -> None:
        async with asyncio.timeout(PATIENCE_S):
            await self.begun.wait()
