"""Topics to which a person gave their names: no model names them."""

from datetime import timedelta

from redis.asyncio import Redis

from tasks import keys
from tasks.session import SessionKey
from tasks.store.connection.redis import guard

KEPT = timedelta(days=1)
"""Longer than a topic's first turn takes: only that has a model name it."""


class NamedTopics:
    """Verbs; each may be said twice. The bot is told that a topic was named, and a worker has to know it."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def note(self, topic: SessionKey) -> None:
        """A person gave a topic its name.

        Raises:
            StoreUnavailable: Redis is away.
        """
        with guard():
            await self._redis.set(keys.named(topic), "1", ex=KEPT)

    async def has(self, topic: SessionKey) -> bool:
        """Whether a person gave a topic its name within the last day.

        Raises:
            StoreUnavailable: Redis is away.
        """
        with guard():
            return bool(await self._redis.exists(keys.named(topic)))
