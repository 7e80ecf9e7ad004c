"""Redis behind Sentinels: which server is the master, and why there is none."""

from datetime import timedelta
from typing import Any

from redis import exceptions
from redis.asyncio import BlockingConnectionPool
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import MasterNotFoundError, Sentinel, SentinelConnectionPool

from tasks.config.redis_url import Sentinels


class BlockingSentinelPool(SentinelConnectionPool, BlockingConnectionPool):
    """A bounded pool of connections to whichever Redis is the master."""


class _Sentinels(Sentinel):
    """Says why there is no master: redis-py keeps of each Sentinel's error its class alone."""

    async def discover_master(self, service_name: str) -> Any:
        try:
            return await super().discover_master(service_name)
        except MasterNotFoundError as problem:
            missing = problem
        # Out of the `except`: there the cause would lose its own one, because each would be the context of the other.
        raise missing from await self._refusal()

    async def _refusal(self) -> exceptions.RedisError | None:
        for sentinel in self.sentinels:
            try:
                await sentinel.ping()
            except exceptions.RedisError as problem:
                return problem
        return None


def sentinel_of(watched: Sentinels, retry: Retry) -> Sentinel:
    """A client of the Sentinels that watch a master."""
    timeout = timedelta(seconds=1).total_seconds()
    own: dict[str, Any] = {"socket_timeout": timeout, "socket_connect_timeout": timeout}
    # Its own retry would try each Sentinel ten times before the next one.
    own |= {"password": watched.sentinel_password, "retry": retry}
    return _Sentinels(list(watched.hosts), sentinel_kwargs=own | watched.connection_options)
