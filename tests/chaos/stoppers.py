"""People who say /stop when the worker of their turn has died, and then something else."""

import asyncio
from random import Random

from playground.client import PlaygroundClient
from tasks.clock import Clock
from tests.chaos.people import Crowd, Place
from tests.harness import counters
from tests.harness.history import Said, Stop


class Stoppers:
    """``stops`` are for the checker. Each of them has a chat of their own."""

    def __init__(self, people: PlaygroundClient, crowd: Crowd, random: Random, clock: Clock) -> None:
        self._people = people
        self._crowd = crowd
        self._random = random
        self._clock = clock
        self.stops: list[Stop] = []

    async def begin(self) -> tuple[Place, Said]:
        """Say what takes long."""
        place = await self._crowd.new_place(group=False)
        return place, await self._crowd.say(place, self._long)

    def _long(self, word: str) -> str:
        calls = [
            counters.call(self._random.choice(counters.TOOLS), f"{word}-{number}", seconds=1.5)
            for number in range(1, 5)
        ]
        return " THEN ".join(calls)

    async def stop(self, place: Place, said: Said) -> None:
        """Say /stop, and a moment later something else."""
        told = await self._people.say(place.chat, "/stop")
        assert told.update_id is not None
        self.stops.append(Stop(said.session, told.update_id, self._clock.now()))
        # It may never be answered.
        self._crowd.waiting.pop(said.word, None)
        await asyncio.sleep(self._random.uniform(0, 3))
        await self._crowd.say(place)
