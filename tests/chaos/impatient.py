"""People who write while a turn runs (``/queue steer``), and who edit what they wrote: answered, waiting or running."""

import asyncio
from random import Random

from playground.client import PlaygroundClient
from tests.chaos.people import Crowd, Place, arrivals
from tests.harness import counters
from tests.harness.history import Said


class Impatient:
    """Each of them has a chat of their own; in most of these a message joins the turn that runs."""

    def __init__(self, people: PlaygroundClient, crowd: Crowd, random: Random, rate: float) -> None:
        """``rate``: so many of them begin in a second."""
        self._people = people
        self._crowd = crowd
        self._random = random
        self._rate = rate

    async def come(self, until: float) -> None:
        """Until the loop's clock says so."""
        async with asyncio.TaskGroup() as group:
            async for _ in arrivals(self._random, self._rate, until):
                group.create_task(self._one(until), name="impatient")

    async def _one(self, until: float) -> None:
        place = await self._crowd.new_place(group=False)
        if self._random.random() < 0.7:
            await self._people.say(place.chat, "/queue steer")
        said: list[Said] = []
        clock = asyncio.get_running_loop().time
        for _ in range(self._random.randint(1, 3)):
            said.append(await self._crowd.say(place, self._slow))
            for _ in range(self._random.randint(1, 3)):
                await asyncio.sleep(self._random.uniform(0.3, 3))
                if clock() < until:
                    await self._again(place, said)
            await asyncio.sleep(self._random.uniform(0, 4))
            if clock() >= until:
                return

    async def _again(self, place: Place, said: list[Said]) -> None:
        """One more message, or the edit of one of the last."""
        if self._random.random() < 0.6:
            said.append(await self._crowd.say(place))
            return
        kept = self._random.randrange(max(len(said) - 3, 0), len(said))
        if self._random.random() < 0.3:
            await self._crowd.edit_nothing(place, said[kept])
        else:
            said[kept] = await self._crowd.edit(place, said[kept])

    def _slow(self, word: str) -> str:
        """A turn long enough for a message to join it."""
        tools = (*counters.TOOLS, counters.ATTACHING)
        return " THEN ".join(
            counters.call(
                self._random.choice(tools), f"{word}-{number}", seconds=round(self._random.uniform(0.2, 1.5), 2)
            )
            for number in range(1, self._random.randint(2, 4) + 1)
        )
