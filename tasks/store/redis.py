"""The connection to Redis: scripts from files, and redis-py's errors as ours."""

from collections.abc import AsyncGenerator, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from redis import exceptions
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff
from redis.commands.core import AsyncScript

from tasks.errors import Misconfigured, StoreUnavailable

_LUA = Path(__file__).parent / "lua"

# What a server that cannot serve right now answers; everything else that it answers is a defect of ours.
_REFUSALS = ("MISCONF", "READONLY", "OOM", "NOREPLICAS", "MASTERDOWN", "LOADING", "BUSY", "CLUSTERDOWN", "TRYAGAIN")


@contextmanager
def guard() -> Generator[None]:
    """Turn "not now" into ``StoreUnavailable``.

    Raises:
        StoreUnavailable: Redis is away, read-only, full, loading or failing over; the command may have been done.
    """
    try:
        yield
    except (exceptions.ConnectionError, exceptions.TimeoutError, OSError) as problem:
        raise StoreUnavailable(f"Redis cannot be reached ({type(problem).__name__})") from problem
    except (exceptions.OutOfMemoryError, exceptions.ReadOnlyError) as problem:
        raise StoreUnavailable(f"Redis refuses writes ({problem})") from problem
    except exceptions.ResponseError as problem:
        if str(problem).startswith(_REFUSALS) or any(f"{word} " in str(problem) for word in _REFUSALS):
            raise StoreUnavailable(f"Redis refuses writes ({problem})") from problem
        raise


class Script:
    """One atomic step, from ``lua/{name}.lua``."""

    def __init__(self, redis: Redis, name: str) -> None:
        self._redis = redis
        self._script: AsyncScript = redis.register_script((_LUA / f"{name}.lua").read_text(encoding="utf-8"))

    async def __call__(self, keys: Sequence[str], args: Sequence[str | bytes | int | float]) -> Any:
        """Run it.

        Raises:
            StoreUnavailable: see ``guard``.
        """
        with guard():
            try:
                # As the script object does it, without what redis-py's typed methods cost: half of a call.
                return await self._redis.execute_command("EVALSHA", self._script.sha, len(keys), *keys, *args)
            except exceptions.NoScriptError:
                return await self._script(keys=keys, args=args)


@asynccontextmanager
async def connection(url: str, *, connections: int = 256) -> AsyncGenerator[Redis]:
    """A client for this process.

    Every script may be sent twice (its answer was lost) and is written for it, so the client may retry.

    Raises:
        Misconfigured: ``url`` is no Redis URL.
    """
    try:
        redis: Redis = Redis.from_url(
            url,
            decode_responses=False,
            max_connections=connections,
            socket_timeout=timedelta(seconds=10).total_seconds(),
            socket_connect_timeout=timedelta(seconds=3).total_seconds(),
            health_check_interval=30,
            retry=Retry(ExponentialBackoff(cap=0.2, base=0.05), retries=2),
        )
    except ValueError as problem:
        raise Misconfigured(f"REDIS_URL: {problem}") from problem
    try:
        yield redis
    finally:
        await redis.aclose()


def text(value: Any) -> str:
    """Redis hands bytes; names are text."""
    return value.decode() if isinstance(value, bytes) else str(value)
