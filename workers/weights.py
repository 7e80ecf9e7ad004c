"""A semaphore of bytes: so much at once, first come first served."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager


class Weights:
    """``most`` bytes may be held at once; what is heavier than that alone waits until nothing else is held."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._free = most
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    @property
    def held(self) -> int:
        """Bytes that are held now."""
        return self._most - self._free

    @asynccontextmanager
    async def hold(self, weight: int) -> AsyncGenerator[None]:
        """Hold so many bytes; waits in line."""
        weight = min(weight, self._most)
        await self._take(weight)
        try:
            yield
        finally:
            self._give_back(weight)

    async def _take(self, weight: int) -> None:
        if weight <= self._free and not self._waiting:
            self._free -= weight
            return
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((weight, place))
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():
                self._give_back(weight)
            else:
                self._waiting.remove((weight, place))
                self._lend()
            raise

    def _give_back(self, weight: int) -> None:
        self._free += weight
        self._lend()

    def _lend(self) -> None:
        while self._waiting and self._waiting[0][0] <= self._free:
            weight, place = self._waiting.popleft()
            if not place.done():
                self._free -= weight
                place.set_result(None)
