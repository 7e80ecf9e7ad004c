"""A playground on a free port, with a clock that tests can move, and its client."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from playground.client import PlaygroundClient
from playground.server import serving
from playground.state.world import State


class MovedClock:
    """The loop's time, plus what a test adds; it stands still after ``stop``. ``now`` starts in 2027."""

    def __init__(self) -> None:
        self.ahead = 0.0
        self._stopped: float | None = None

    def stop(self) -> None:
        """Stand still: only ``ahead`` moves it on, however slow the machine is."""
        self._stopped = asyncio.get_running_loop().time()

    def now(self) -> float:
        return 1_800_000_000 + self.monotonic()

    def monotonic(self) -> float:
        running = asyncio.get_running_loop().time() if self._stopped is None else self._stopped
        return running + self.ahead


@pytest.fixture
async def clock() -> MovedClock:
    return MovedClock()


@pytest.fixture
async def state(clock: MovedClock) -> State:
    return State(clock)


@pytest.fixture
async def url(state: State) -> AsyncIterator[str]:
    async with serving(state) as url:
        yield url


@pytest.fixture
async def pg(url: str, state: State) -> AsyncIterator[PlaygroundClient]:
    async with PlaygroundClient(url, key=state.key) as client:
        yield client
