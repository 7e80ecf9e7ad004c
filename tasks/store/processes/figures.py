"""What processes publish of themselves, for the console: their metrics, and what workers did by minute and quarter."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from redis.asyncio import Redis

from tasks import keys
from tasks.store.connection.redis import guard
from tasks.telemetry.rollups import Bucket, PlotSpan, Together, together

EVERY = timedelta(seconds=5)
"""How often a process publishes."""
KEPT = 4 * EVERY
"""A process that has published nothing for so long is not shown."""


class FigureStore:
    """One round trip to publish, and one to read what is asked for."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def publish(
        self, process: str, exposition: bytes | None, buckets: Mapping[tuple[PlotSpan, int], Bucket] | None = None
    ) -> None:
        """Replace what this process has published before.

        Raises:
            StoreUnavailable, StateDamaged: it is not written, or not all of it; say it again.
        """
        with guard():
            async with self._redis.pipeline(transaction=False) as pipe:
                if exposition is not None:
                    pipe.set(keys.exposition(process), exposition, px=int(KEPT.total_seconds() * 1000))
                for (span, start), bucket in (buckets or {}).items():
                    key = keys.rollup(span.name, start)
                    pipe.hset(key, process, bucket.model_dump_json(exclude_defaults=True))
                    pipe.expire(key, span.kept_s)
                if len(pipe):
                    await pipe.execute()

    async def withdraw(self, process: str) -> None:
        """This process ends: its metrics are not shown any more.

        Raises:
            StoreUnavailable: Redis is away.
        """
        with guard():
            await self._redis.delete(keys.exposition(process))

    async def expositions(self, processes: Iterable[str]) -> dict[str, bytes]:
        """What those of these processes have published that still do.

        Raises:
            StoreUnavailable: Redis is away.
        """
        names = list(processes)
        with guard():
            found: Any = await self._redis.mget([keys.exposition(name) for name in names]) if names else []
        return {name: raw for name, raw in zip(names, found, strict=True) if raw is not None}

    async def series(self, span: PlotSpan, now: float) -> list[tuple[int, Together]]:
        """What all workers did, a bucket after the other, the oldest first. A damaged bucket counts nothing.

        Raises:
            StoreUnavailable: Redis is away.
        """
        starts = span.starts(now)
        with guard():
            async with self._redis.pipeline(transaction=False) as pipe:
                for start in starts:
                    pipe.hvals(keys.rollup(span.name, start))
                found: list[Any] = await pipe.execute(raise_on_error=False)
        return [
            (start, together(map(Bucket.read, raws if isinstance(raws, list) else [])))
            for start, raws in zip(starts, found, strict=True)
        ]
