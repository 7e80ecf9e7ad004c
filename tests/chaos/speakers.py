"""People who speak: voice messages, alone, several together, and between written ones."""

from random import Random

from tests.chaos.people import Crowd, arrivals

DEAF = 0.5
"""The share of requests that the server which writes recordings down fails."""


class Speakers:
    """Each of them has a chat of their own."""

    def __init__(self, crowd: Crowd, random: Random, rate: float) -> None:
        """``rate``: so many of them begin in a second."""
        self._crowd = crowd
        self._random = random
        self._rate = rate

    async def come(self, until: float) -> None:
        """Until the loop's clock says so."""
        async for _ in arrivals(self._random, self._rate, until):
            place = await self._crowd.new_place(group=False)
            for _ in range(self._random.randint(1, 3)):
                await self._crowd.speak(place)
                if self._random.random() < 0.4:
                    await self._crowd.say(place)
