"""The last turns and their times, kept for `cohort find`: bounded, and no guarantee depends on them."""

from collections.abc import AsyncGenerator, Collection, Sequence
from datetime import timedelta
from secrets import token_hex
from typing import Any, cast

from redis.asyncio import Redis

from tasks import keys
from tasks.errors import StoreUnavailable
from tasks.store.redis import guard
from tasks.turn_record import TurnRecord, TurnRecords

BUNDLES_KEPT = 5_000
"""Entries, each with what one worker ended within a second: an hour and a half of a busy pool, weeks of a quiet one."""
KEPT = timedelta(days=7)
_READ_AT_ONCE = 500


class TrailStore:
    """The ``trail`` stream."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def append(self, records: Sequence[TurnRecord]) -> None:
        """Add turns that ended.

        Raises:
            StoreUnavailable, StateDamaged: they are not kept.
        """
        packed: dict[Any, Any] = {"turns": TurnRecords(records=tuple(records)).packed()}
        with guard():
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.xadd(keys.TRAIL, packed, maxlen=BUNDLES_KEPT, approximate=True)
                pipe.expire(keys.TRAIL, KEPT)
                await pipe.execute()

    async def forget(self, sessions: Collection[str]) -> int:
        """Take out the turns of these sessions; the other turns of their bundles are written again, as the newest.

        Returns:
            How many there were.

        Raises:
            StoreUnavailable: Redis is away; say it again.
        """
        gone = 0
        with guard():
            rows: list[Any] = await self._redis.xrange(keys.TRAIL) or []
        for name, fields in rows:
            records = TurnRecords.unpacked(fields.get(b"turns")).records
            others = [record for record in records if record.session not in sessions]
            if len(others) < len(records):
                gone += len(records) - len(others)
                if others:
                    await self.append(others)
                with guard():
                    await self._redis.xdel(keys.TRAIL, name)
        return gone

    async def newest(self) -> AsyncGenerator[TurnRecord]:
        """All that are kept, the newest first.

        Raises:
            StoreUnavailable: Redis is away.
        """
        last = "+"
        while True:
            with guard():
                rows: list[Any] = await self._redis.xrevrange(keys.TRAIL, max=last, count=_READ_AT_ONCE) or []
            for _, fields in rows:
                for record in reversed(TurnRecords.unpacked(fields.get(b"turns")).records):
                    yield record
            if len(rows) < _READ_AT_ONCE:
                return
            last = f"({rows[-1][0].decode()}"

    async def known_log_key(self) -> bytes | None:
        """The same; None on a Redis where no process has started yet.

        Raises:
            StoreUnavailable: Redis is away.
        """
        with guard():
            key: Any = await cast("Any", self._redis).hget(keys.LAYOUT, "log_key")
        return key if isinstance(key, bytes) else None

    async def renew_log_key(self) -> None:
        """Make a new key: with the old one gone, no hash in a log can be told to be a session's.

        Raises:
            StoreUnavailable: Redis is away; say it again.
        """
        with guard():
            await cast("Any", self._redis).hset(keys.LAYOUT, "log_key", token_hex(16))

    async def log_key(self) -> bytes:
        """The key with which logs hash sessions; the same in all processes of a deployment.

        Raises:
            StoreUnavailable: Redis is away.
        """
        if (key := await self.known_log_key()) is None:
            raise StoreUnavailable("this Redis was not laid out yet")
        return key
