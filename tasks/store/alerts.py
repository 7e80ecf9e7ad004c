"""Alerts to operators, each raised once an hour however many chats run into it."""

from datetime import timedelta

from redis.asyncio import Redis

from tasks import keys
from tasks.store.redis import guard

QUIET_FOR = timedelta(hours=1)


class AlertStore:
    """Remembers which alerts were raised."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def first(self, name: str) -> bool:
        """Whether ``name`` was not raised within the last hour; the caller then raises it."""
        with guard():
            return bool(await self._redis.set(keys.alert(name), "1", nx=True, ex=QUIET_FOR))
