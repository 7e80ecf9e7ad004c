"""What the Redis server says of itself, for operators."""

from collections.abc import Mapping
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import NoScriptError

from tasks.clock import SystemClock
from tasks.errors import StoreForbidden
from tasks.store.connection.redis import guard, text
from tasks.store.connection.server_files import rewrite
from tasks.store.connection.server_time import compared, follow_server

_PERSISTENCE = ("appendonly", "appendfsync", "maxmemory", "maxmemory-policy")


class RedisServer:
    """Questions to the server itself; no data is read."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def info(self) -> Mapping[str, Any]:
        """The server's INFO.

        Raises:
            StoreUnavailable: Redis is away.
        """
        with guard():
            told: Mapping[Any, Any] = await self._redis.info()
        return {text(name): value for name, value in told.items()}

    async def forbids(self) -> str | None:
        """Why this user may run no scripts, which all writes are; None: it may. Nothing is run.

        Raises:
            StoreUnavailable: Redis is away.
        """
        try:
            with guard():
                await self._redis.execute_command("EVALSHA", "0" * 40, 0)
        except NoScriptError:
            return None
        except StoreForbidden as problem:
            return str(problem)
        return None

    async def identity(self) -> tuple[str, int]:
        """The server's run and the database in it: two addresses may lead to the same one.

        Raises:
            StoreUnavailable: Redis is away.
        """
        with guard():
            told: Mapping[Any, Any] = await self._redis.info("server")
        run = {text(name): value for name, value in told.items()}.get("run_id")
        return text(run or ""), int(self._redis.connection_pool.connection_kwargs.get("db") or 0)

    async def rewrite_files(self) -> None:
        """Have it write its own files again, without what was erased; raises as ``server_files.rewrite`` does."""
        await rewrite(self._redis)

    async def follow(self) -> None:
        """Have this process go by the server's time.

        Raises:
            StoreUnavailable: Redis is away.
        """
        with guard():
            await follow_server(self._redis)

    async def ahead(self) -> float | None:
        """Seconds by which the server's clock is ahead of this machine's; None when its answer took too long to say.

        Raises:
            StoreUnavailable: Redis is away.
        """
        with guard():
            began = SystemClock().monotonic()
            return compared(await self._redis.time(), began)

    async def persistence(self) -> Mapping[str, str]:
        """The settings of persistence and eviction; empty where the server hides them, as managed ones do.

        Raises:
            StoreUnavailable: Redis is away.
        """
        with guard():
            try:
                told: Mapping[Any, Any] = await self._redis.config_get(*_PERSISTENCE)
            except Exception as problem:
                # A managed Redis renames or forbids CONFIG; the error's text differs by provider.
                if "CONFIG" in str(problem).upper() or "PERM" in str(problem).upper():
                    return {}
                raise
        return {text(name): text(value) for name, value in told.items()}
