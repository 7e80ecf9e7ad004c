"""The files of the Redis server itself: what was erased stands in them until they are written again."""

import asyncio
from typing import Any, cast

from redis import exceptions
from redis.asyncio import Redis

from tasks.errors import CohortError, Misconfigured
from tasks.store.connection.redis import guard

_LOOK_EVERY_S = 0.05
_BUSY = ("aof_rewrite_in_progress", "aof_rewrite_scheduled", "rdb_bgsave_in_progress")


class NotRewritten(CohortError):  # noqa: N818 - an event
    """The server does not write its files again."""


async def rewrite(redis: Redis, patience: float = 120.0) -> None:
    """Have the server write its append-only file and its snapshot again, where it has them, and wait for the end.

    Raises:
        NotRewritten: it has no permission, or takes longer than ``patience`` seconds; the message says which.
        StoreUnavailable: Redis is away.
    """
    server = cast("Any", redis)
    try:
        with guard():
            about = await server.info("persistence")
            snapshots = (await server.config_get("save")).get("save", "")
            if not about.get("aof_enabled") and not snapshots:
                return
            await _idle(server, patience)
            if about.get("aof_enabled"):
                await server.bgrewriteaof()
                await _idle(server, patience)
            if snapshots:
                await server.bgsave()
                await _idle(server, patience)
            # What slow commands were given.
            await server.slowlog_reset()
            about = await server.info("persistence")
    except (exceptions.ResponseError, Misconfigured) as problem:
        raise NotRewritten(f"the server does not write its files again ({problem})") from None
    wrong = [name for name in ("aof_last_bgrewrite_status", "rdb_last_bgsave_status") if about.get(name, "ok") != "ok"]
    if wrong:
        raise NotRewritten(f"the server could not write its files again ({', '.join(wrong)})")


async def _idle(server: Any, patience: float) -> None:
    try:
        async with asyncio.timeout(patience):
            while True:
                about = await server.info("persistence")
                if not any(about.get(name) for name in _BUSY):
                    return
                await asyncio.sleep(_LOOK_EVERY_S)
    except TimeoutError:
        raise NotRewritten(f"the server takes longer than {patience:.0f} s to write its files again") from None
