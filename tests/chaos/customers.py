"""People who write to business accounts that the bot answers for, and to the bot itself."""

from random import Random

from playground.client import PlaygroundClient
from tests.chaos.people import Crowd, arrivals

_ACCOUNTS = 3


class Customers:
    """Each of them writes to one account, and half of them to the bot as well: two conversations."""

    def __init__(self, people: PlaygroundClient, crowd: Crowd, random: Random, rate: float) -> None:
        """``rate``: so many of them begin in a second."""
        self._people = people
        self._crowd = crowd
        self._random = random
        self._rate = rate

    async def come(self, until: float) -> None:
        """Until the loop's clock says so."""
        accounts = [(await self._people.connect(can_reply=True))["id"] for _ in range(_ACCOUNTS if self._rate else 0)]
        async for _ in arrivals(self._random, self._rate, until):
            place, own = await self._crowd.new_customer(self._random.choice(accounts))
            places = (place, own) if self._random.random() < 0.5 else (place,)
            for _ in range(self._random.randint(1, 4)):
                if self._random.random() < 0.2:
                    await self._crowd.send(place)
                else:
                    await self._crowd.say(self._random.choice(places))
