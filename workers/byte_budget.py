"""A byte budget: a semaphore that counts bytes and lends them in fair shares."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

_LEFT_TO_OTHERS = 4
"""A party that holds bytes already leaves one byte in so many to the others."""


@dataclass(eq=False, slots=True)
class _Place:
    """A request that waits or holds."""

    weight: int
    parties: tuple[str, ...]
    granted: asyncio.Future[None]


class Weights:
    """Lends at most ``most`` bytes at once. A request for more than that waits until nothing else is held.

    Requests are served by party: first the party that holds the least, then the one that was served the longest ago,
    then first come, first served.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._free = most
        self._waiting: list[_Place] = []
        self._held: Counter[str] = Counter()
        self._served: dict[str, int] = {}
        self._time = 0

    @property
    def held(self) -> int:
        """How many bytes are held now."""
        return self._most - self._free

    @asynccontextmanager
    async def hold(self, weight: int, parties: tuple[str, ...] = ()) -> AsyncGenerator[None]:
        """Wait for ``weight`` bytes and hold them; ``parties`` are the chats and people they are counted for."""
        place = _Place(min(weight, self._most), parties, asyncio.get_running_loop().create_future())
        self._waiting.append(place)
        self._lend()
        try:
            await place.granted
        except asyncio.CancelledError:
            if place.granted.done() and not place.granted.cancelled():
                self._give_back(place)
            else:
                self._waiting.remove(place)
                self._lend()
            raise
        try:
            yield
        finally:
            self._give_back(place)

    def _give_back(self, place: _Place) -> None:
        self._free += place.weight
        self._held.subtract(dict.fromkeys(place.parties, place.weight))
        if not self.held:
            self._held.clear()
            if not self._waiting:
                self._served.clear()
        self._lend()

    def _lend(self) -> None:
        while (place := self._next()) is not None and place.weight <= self._free:
            self._waiting.remove(place)
            self._free -= place.weight
            self._time += 1
            self._held.update(dict.fromkeys(place.parties, place.weight))
            self._served.update(dict.fromkeys(place.parties, self._time))
            place.granted.set_result(None)

    def _next(self) -> _Place | None:
        """The request to serve next; of equal ones the first."""
        may = (place for place in self._waiting if not place.granted.done() and self._within_share(place))
        return min(may, key=self._rank, default=None)

    def _within_share(self, place: _Place) -> bool:
        held = self._holds(place)
        return not held or held + place.weight <= self._most - self._most // _LEFT_TO_OTHERS

    def _rank(self, place: _Place) -> tuple[int, int]:
        return self._holds(place), max((self._served.get(party, 0) for party in place.parties), default=0)

    def _holds(self, place: _Place) -> int:
        return max((self._held[party] for party in place.parties), default=0)
