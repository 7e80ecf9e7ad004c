"""The bot's processes as they describe themselves: which one polls, and when its last poll ended."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, cast

from redis.asyncio import Redis

from tasks import keys
from tasks.clock import Clock
from tasks.status.bot import BotStatus
from tasks.store.connection.redis import guard, text

BEAT = timedelta(seconds=3)
"""How often a process describes itself."""
ALIVE = timedelta(seconds=15)
"""Five of these beats; a process that was silent for longer has ended or hangs."""
KEPT = timedelta(minutes=10)
"""A process that ended without a word is listed for so long, as silent."""


class BotStore:
    """Verbs on the list of the bot's processes, each under the name with which it holds the lease."""

    def __init__(self, redis: Redis, clock: Clock) -> None:
        self._redis = redis
        self._clock = clock

    async def beat(self, holder: str, status: BotStatus) -> None:
        """Say that this process lives, and strike those that have been silent for ``KEPT``.

        Raises:
            StoreUnavailable: Redis is away.
        """
        now = self._clock.now()
        with guard():
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.hset(keys.BOTS, holder, status.model_copy(update={"at": now}).model_dump_json())
                pipe.expire(keys.BOTS, KEPT)
                pipe.hgetall(keys.BOTS)
                *_, listed = await pipe.execute()
        old = [name for name, other in _read(listed).items() if now - other.at > KEPT.total_seconds()]
        if old:
            with guard():
                await cast("Any", self._redis).hdel(keys.BOTS, *old)

    async def leave(self, holder: str) -> None:
        """Strike this process: it ends.

        Raises:
            StoreUnavailable: Redis is away.
        """
        with guard():
            await cast("Any", self._redis).hdel(keys.BOTS, holder)

    async def look(self) -> dict[str, BotStatus]:
        """All that are listed, the silent ones too.

        Raises:
            StoreUnavailable: Redis is away.
        """
        with guard():
            listed: Mapping[bytes, bytes] = await cast("Any", self._redis).hgetall(keys.BOTS)
        return _read(listed)


def _read(listed: Mapping[bytes, bytes]) -> dict[str, BotStatus]:
    return {text(holder): BotStatus.from_json(said) for holder, said in sorted(listed.items())}
