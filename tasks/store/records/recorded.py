"""Which bots have dead letters, or turns for `cohort find`: each has streams of its own, and an equal share."""

from collections.abc import Collection
from typing import Any, cast

from redis.asyncio import Redis

from tasks import keys
from tasks.errors import StateDamaged
from tasks.store.connection.redis import guard, mend, text
from tasks.text import is_digits

LEAST = 500
"""Entries that each bot may keep, however many bots there are."""


class RecordedBots:
    """The ``recorded`` set. A bot enters it before its stream is written, so no stream is overlooked."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def enter(self, bots: Collection[int], whole: int) -> int:
        """Count bots in; gives how many entries the stream of each may keep where all of them keep ``whole``.

        Raises:
            StoreUnavailable: Redis is away; their streams must not be written.
        """
        try:
            return share(whole, await self._enter(bots))
        except StateDamaged:
            # What the set said is lost; the streams say it again.
            await mend(self._redis, [keys.RECORDED])
            return share(whole, await self._enter([*bots, *await self._with_streams()]))

    async def _enter(self, bots: Collection[int]) -> int:
        with guard():
            async with self._redis.pipeline(transaction=False) as pipe:
                pipe.zadd(keys.RECORDED, {str(bot): 0 for bot in bots})
                pipe.zcard(keys.RECORDED)
                _, count = await pipe.execute()
        return int(count)

    async def known(self) -> list[int]:
        """The bots that were ever counted in."""
        try:
            with guard():
                found: list[bytes] = await cast("Any", self._redis).zrange(keys.RECORDED, 0, -1)
        except StateDamaged:
            return await self._with_streams()
        return sorted(int(name) for name in map(text, found) if is_digits(name))

    async def _with_streams(self) -> list[int]:
        found: set[int] = set()
        with guard():
            for pattern in (keys.dead("*"), keys.trail("*")):
                async for name in self._redis.scan_iter(match=pattern, count=1000):
                    found |= {bot} if (bot := keys.bot_in(text(name))) is not None else set()
        return sorted(found)


def share(whole: int, bots: int) -> int:
    """What each of so many bots may keep."""
    return max(LEAST, whole // max(1, bots))
