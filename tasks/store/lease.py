"""Who polls: one bot process of several holds the lease, the others stand by."""

from datetime import timedelta

from redis.asyncio import Redis

from tasks import keys
from tasks.store.redis import Script


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
