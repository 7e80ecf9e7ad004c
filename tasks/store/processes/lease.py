"""Leases: which of several bot processes polls, and which worker has which name."""

from datetime import timedelta
from itertools import chain, count

from redis.asyncio import Redis

from tasks import keys
from tasks.store.connection.redis import Script


class PollerLease:
    """A lease on polling, one for each bot."""

    def __init__(self, redis: Redis) -> None:
        self._lease = Script(redis, "lease")

    async def acquire(self, bot: int, holder: str, ttl: timedelta) -> bool:
        """Take the lease, or renew it; False while another holder has it.

        Raises:
            StoreUnavailable: Redis is away.
        """
        return bool(await self._lease([keys.poller(bot)], [holder, int(ttl.total_seconds() * 1000)]))

    async def release(self, bot: int, holder: str) -> None:
        """Give it back, so that another may take it at once."""
        await self._lease([keys.poller(bot)], [holder, 0])


class NodeNames:
    """Names of workers for Celery and Flower: ``cohort-1@host``. A name outlives a worker and has one holder at a time.

    An incarnation fences what a worker writes, so it is new in each life; operators look for the same name again.
    """

    def __init__(self, redis: Redis) -> None:
        self._lease = Script(redis, "lease")

    async def take(self, host: str, incarnation: str, ttl: timedelta, *, first: int = 1) -> str:
        """Take the name with the number ``first`` if it is free, else the one with the lowest free number.

        Raises:
            StoreUnavailable: Redis is away.
        """
        for number in chain((first,), count(1)):
            name = f"cohort-{number}@{host}"
            if await self.keep(name, incarnation, ttl):
                return name
        raise AssertionError("numbers do not end")

    async def keep(self, name: str, incarnation: str, ttl: timedelta) -> bool:
        """Renew it; False when it expired and another worker has it now.

        Raises:
            StoreUnavailable: Redis is away.
        """
        return bool(await self._lease([keys.node(name)], [incarnation, int(ttl.total_seconds() * 1000)]))
