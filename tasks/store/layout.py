"""What the keys in this Redis look like: their version and the number of slots, fixed for a deployment's life."""

from collections.abc import Mapping
from secrets import token_hex
from typing import Any, cast

from redis.asyncio import Redis
from redis.exceptions import WatchError

from tasks import keys
from tasks.clock import SystemClock
from tasks.errors import Misconfigured
from tasks.store.connection.redis import guard
from tasks.store.connection.server_time import follow, follow_server

RESTORING = "restoring"
"""A field of the layout while a restore runs (``tasks.store.backup``). No process starts on such a Redis."""


async def open_layout(redis: Redis, slots: int) -> None:
    """Write the layout on a new deployment, compare with it on an old one.

    Raises:
        Misconfigured: a newer release laid this Redis out, or with another number of slots.
        StoreUnavailable: Redis is away.
    """
    with guard():
        async with redis.pipeline(transaction=True) as pipe:
            pipe.hsetnx(keys.LAYOUT, "version", str(keys.LAYOUT_VERSION))
            pipe.hsetnx(keys.LAYOUT, "slots", str(slots))
            pipe.hsetnx(keys.LAYOUT, "log_key", token_hex(16))
            pipe.hgetall(keys.LAYOUT)
            *_, stored = await pipe.execute()
        await follow_server(redis)
    _compare(stored, slots)


async def check_layout(redis: Redis, slots: int) -> None:
    """Compare with the layout as it is stored, and write nothing. A deployment that never ran has none, and passes.

    Raises:
        Misconfigured: as ``open_layout``.
        StoreUnavailable: Redis is away.
    """
    with guard():
        stored: Mapping[bytes, bytes] = await cast("Any", redis).hgetall(keys.LAYOUT)
        await follow_server(redis)
    _compare({b"version": b"0", b"slots": str(slots).encode(), **stored}, slots)


class LayoutStore:
    """The layout, as a process looks at it while it runs."""

    def __init__(self, redis: Redis, *, slots: int) -> None:
        self._redis = redis
        self._slots = slots
        self.marked: float | None = None
        """The time that processes have noted here last, as ``look`` has seen it."""

    async def look(self) -> bytes | None:
        """Follow the server's time, and give the key with which logs hash sessions. None: there is no layout any more.

        Raises:
            StoreUnavailable: Redis is away.
        """
        began = SystemClock().monotonic()
        with guard():
            async with self._redis.pipeline(transaction=False) as pipe:
                pipe.hmget(keys.LAYOUT, "log_key", "mark")
                pipe.time()
                found, told = await pipe.execute(raise_on_error=False)
            if isinstance(found, Exception):
                raise found
        follow(told, began)
        key, mark = found
        self.marked = float(mark) if isinstance(mark, bytes) and mark.isdigit() else None
        return key if isinstance(key, bytes) else None

    async def mark(self, now: float) -> None:
        """Note the time, by which processes know whether data of an earlier time has come back.

        Raises:
            StoreUnavailable: Redis is away.
        """
        with guard():
            await cast("Any", self._redis).hset(keys.LAYOUT, "mark", str(int(now)))

    async def evicts(self) -> str | None:
        """The server's ``maxmemory-policy`` where it takes keys away once it is full; None: it refuses writes then.

        Raises:
            StoreUnavailable: Redis is away.
        """
        with guard():
            told: Mapping[Any, Any] = await self._redis.info("memory")
        policy = str(told.get("maxmemory_policy", "noeviction"))
        return policy if policy != "noeviction" and told.get("maxmemory") else None

    async def put_back(self, log_key: bytes) -> bool:
        """Write the layout of before where none is; False where one is.

        Raises:
            StoreUnavailable: Redis is away.
        """
        facts: dict[Any, Any] = {"version": str(keys.LAYOUT_VERSION), "slots": str(self._slots), "log_key": log_key}
        with guard():
            async with self._redis.pipeline(transaction=True) as pipe:
                await pipe.watch(keys.LAYOUT)
                if await cast("Any", pipe).exists(keys.LAYOUT):
                    return False
                pipe.multi()
                pipe.hset(keys.LAYOUT, mapping=facts)
                try:
                    await pipe.execute()
                except WatchError:
                    return False
        return True


def _compare(stored: Mapping[bytes, bytes], slots: int) -> None:
    if RESTORING.encode() in stored:
        raise Misconfigured("a restore into this Redis was cut off: run `cohort restore` again, with the same file")
    version, laid_out = int(stored[b"version"]), int(stored[b"slots"])
    if version > keys.LAYOUT_VERSION:
        raise Misconfigured(
            f"this Redis has layout {version}, this release knows up to {keys.LAYOUT_VERSION}: upgrade Cohort"
        )
    if laid_out != slots:
        raise Misconfigured(
            f"COHORT_SLOTS is {slots}, but this Redis was laid out with {laid_out}: "
            f"set COHORT_SLOTS={laid_out} (the number is fixed for a deployment's life)"
        )
