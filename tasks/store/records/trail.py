"""The last turns and their times, kept for `cohort find`: bounded for each bot, and no guarantee depends on them."""

from collections.abc import AsyncGenerator, Sequence
from datetime import timedelta
from heapq import heappop, heappush
from secrets import token_hex
from typing import Any, cast

from redis.asyncio import Redis

from tasks import keys
from tasks.errors import StoreUnavailable
from tasks.store.connection.erasure_scope import ErasureScope
from tasks.store.connection.redis import guard, text
from tasks.store.records.recorded import RecordedBots
from tasks.turn_record import TurnRecord, TurnRecords

BUNDLES_KEPT = 5_000
"""Entries, each with what one worker ended within a second: an hour and a half of a busy pool, weeks of a quiet one.
Several bots share them equally.
"""
KEPT = timedelta(days=7)
_READ_AT_ONCE, _LEAST_READ = 500, 20
"""Bundles of all bots, and of one of many bots, that are read in one go."""


class TrailStore:
    """The ``trail`` streams: one of each bot, and that of an earlier release."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._recorded = RecordedBots(redis)

    async def append(self, records: Sequence[TurnRecord]) -> None:
        """Add turns that ended.

        Raises:
            StoreUnavailable, StateDamaged: they are not kept.
        """
        by_bot: dict[int, list[TurnRecord]] = {}
        for record in records:
            by_bot.setdefault(record.bot, []).append(record)
        if not by_bot:
            return
        most = await self._recorded.enter(by_bot, BUNDLES_KEPT)
        with guard():
            async with self._redis.pipeline(transaction=True) as pipe:
                for bot, some in by_bot.items():
                    packed: dict[Any, Any] = {"turns": TurnRecords(records=tuple(some)).packed()}
                    pipe.xadd(keys.trail(bot), packed, maxlen=most, approximate=True)
                    pipe.expire(keys.trail(bot), KEPT)
                await pipe.execute()

    async def forget(self, whose: ErasureScope) -> int:
        """Take out the turns of sessions that go whole, and what cannot be read.

        The streams that had some are written again: XDEL only marks an entry.

        Returns:
            How many there were.

        Raises:
            StoreUnavailable: Redis is away; say it again.
        """
        return sum([await self._strike(name, whose) for name in await self._names(whose.within)])

    async def _strike(self, name: str, whose: ErasureScope) -> int:
        with guard():
            rows: list[Any] = await self._redis.xrange(name) or []
        gone, left = 0, list[tuple[Any, Any]]()
        for ident, fields in rows:
            records = TurnRecords.unpacked(fields.get(b"turns")).records
            if not records:
                continue
            others = tuple(record for record in records if not whose.is_session_named(record.session))
            gone += len(records) - len(others)
            if len(others) == len(records):
                left.append((ident, fields))
            elif others:
                left.append((ident, {"turns": TurnRecords(records=others).packed()}))
        if gone or len(left) < len(rows):
            with guard():
                async with self._redis.pipeline(transaction=True) as pipe:
                    pipe.unlink(name)
                    for ident, fields in left:
                        pipe.xadd(name, fields, id=ident)
                    pipe.expire(name, KEPT)
                    await pipe.execute()
        return gone

    async def newest(self, bot: int | None = None) -> AsyncGenerator[TurnRecord]:
        """All that are kept, the newest first; ``bot``: its own.

        Raises:
            StoreUnavailable: Redis is away.
        """
        names = await self._names(bot)
        readers = [self._bundles(name, max(_LEAST_READ, _READ_AT_ONCE // len(names))) for name in names]
        # A heap of the newest bundle of each stream: (its id, counted down; which stream; its turns).
        heap: list[tuple[tuple[int, int], int, list[TurnRecord]]] = []
        for place, reader in enumerate(readers):
            await _push(heap, place, reader)
        while heap:
            _, place, records = heappop(heap)
            for record in reversed(records):
                if bot is None or record.bot == bot:
                    yield record
            await _push(heap, place, readers[place])

    async def _names(self, bot: int | None) -> list[str]:
        bots = await self._recorded.known() if bot is None else [bot]
        return [*map(keys.trail, bots), keys.TRAIL]

    async def _bundles(self, name: str, count: int) -> AsyncGenerator[tuple[tuple[int, int], list[TurnRecord]]]:
        last = "+"
        while True:
            with guard():
                rows: list[Any] = await self._redis.xrevrange(name, max=last, count=count) or []
            for ident, fields in rows:
                at, _, number = text(ident).partition("-")
                yield (-int(at), -int(number)), list(TurnRecords.unpacked(fields.get(b"turns")).records)
            if len(rows) < count:
                return
            last = f"({text(rows[-1][0])}"

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


async def _push(heap: list[Any], place: int, reader: AsyncGenerator[tuple[tuple[int, int], list[TurnRecord]]]) -> None:
    async for order, records in reader:
        heappush(heap, (order, place, records))
        return
