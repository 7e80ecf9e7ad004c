"""Time that tests move by hand."""

from collections.abc import Awaitable, Callable


class FakeClock:
    """Stands still until it is told to advance; ``sleep`` advances it and returns at once."""

    def __init__(self, now: float = 1_800_000_000.0) -> None:
        self.us = round(now * 1e6)
        self.slept: list[float] = []
        self.on_sleep: Callable[[], Awaitable[None]] | None = None

    def now(self) -> float:
        return self.us / 1e6

    def monotonic(self) -> float:
        return self.us / 1e6

    def advance(self, seconds: float) -> None:
        self.us += round(seconds * 1e6)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.advance(seconds)
        if self.on_sleep is not None:
            await self.on_sleep()
