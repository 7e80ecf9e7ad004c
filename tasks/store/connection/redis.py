"""The connection to Redis: scripts from files, and redis-py's errors as ours."""

import hashlib
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import cache, partial
from pathlib import Path
from typing import Any, cast

from redis import __version__, exceptions
from redis.asyncio import BlockingConnectionPool, ConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import SentinelConnectionPool
from redis.backoff import ExponentialBackoff, NoBackoff
from redis.driver_info import DriverInfo
from redis.maint_notifications import MaintNotificationsConfig

from tasks import keys as names
from tasks.clock import SystemClock
from tasks.config.redis_url import sentinels
from tasks.envelope import DeadLetter
from tasks.errors import Misconfigured, StateDamaged, StoreUnavailable
from tasks.store.connection.gate import AT_ONCE, Gate
from tasks.store.connection.guarding import guard
from tasks.store.connection.packing import packing
from tasks.store.connection.sentinel import BlockingSentinelPool, sentinel_of
from tasks.store.state import with_fields

log = logging.getLogger("cohort.store")

DEAD_KEPT = 10_000
"""Dead letters kept (about); beyond it the oldest go."""

NEW_CONNECTION: Mapping[str, Any] = {
    # By itself redis-py looks for its version among what is installed, each time.
    "driver_info": DriverInfo(lib_version=__version__),
    # One vendor's cloud knows the command. Elsewhere each new connection would ask and be refused, and the refusal
    # would keep the turn that opened the connection in memory until the next collection.
    "maint_notifications_config": MaintNotificationsConfig(enabled=False),
}
"""What a new connection says of itself, and what it does not ask; Celery's too."""

ANSWER_S = timedelta(seconds=10).total_seconds()
"""For so long a call waits for its answer, each of the times that it is tried."""

_TRIES = 3

_REPLICA_WAITS_MS = 1000
"""How long a step waits for replicas before it is given again."""

_LUA = Path(__file__).parents[1] / "lua"


class Client(Redis):
    """A client that knows how many replicas must have a write before it counts as done; so many commands at a time."""

    wait_replicas: int = 0
    gate: Gate | None = None

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        command: Callable[..., Awaitable[Any]] = super().execute_command
        if self.gate is None:
            return await command(*args, **options)
        return await self.gate.through(partial(command, *args, **options))


@cache
def script(name: str) -> str:
    """The text of ``lua/{name}.lua`` as it goes to Redis: with the names of the state's fields in it."""
    return with_fields((_LUA / f"{name}.lua").read_text(encoding="utf-8"))


@cache
def digest(text: str) -> str:
    """The name by which Redis knows a script that it was given before."""
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


class Script:
    """One atomic step, from ``lua/{name}.lua``.

    Where the client waits for replicas, the step counts as done when they have it. Otherwise it is told as Redis being
    away, and given again: a failover may have lost it, and every script may be sent twice.
    """

    def __init__(self, redis: Redis, name: str) -> None:
        self._redis = redis
        self._replicas = redis.wait_replicas if isinstance(redis, Client) else 0
        self._gate = redis.gate if isinstance(redis, Client) else None
        self._text = script(name)
        self.sha = digest(self._text)

    async def __call__(self, keys: Sequence[str | bytes], args: Sequence[str | bytes | int | float]) -> Any:
        """Run it. A key that something else than Cohort overwrote is taken away first: what it held is lost already.

        Raises:
            StoreUnavailable, StateDamaged: see ``guard``.
        """
        try:
            return await self._run(keys, args)
        except StateDamaged:
            if not await mend(self._redis, keys):
                raise
        return await self._run(keys, args)

    async def _run(self, keys: Sequence[str | bytes], args: Sequence[str | bytes | int | float]) -> Any:
        with guard():
            try:
                # As the script object does it, without what redis-py's typed methods cost: half of a call.
                return await self._evaluate("EVALSHA", self.sha, keys, args)
            except exceptions.NoScriptError:
                # With its text, and not loaded first: while servers change their roles behind a proxy, the load and
                # the call would reach two of them.
                return await self._evaluate("EVAL", self._text, keys, args)

    async def _evaluate(
        self, how: str, what: str, keys: Sequence[str | bytes], args: Sequence[str | bytes | int | float]
    ) -> Any:
        try:
            return await self._sent((how, what, len(keys), *keys, *args))
        except exceptions.ReadOnlyError:
            # The master of before, behind a name or a proxy that leads to another one by now.
            await self._redis.connection_pool.disconnect(inuse_connections=False)
            raise

    async def _sent(self, command: Sequence[Any]) -> Any:
        if not self._replicas:
            return await self._redis.execute_command(*command)
        reply, have = await (self._gate.through(lambda: self._waited(command)) if self._gate else self._waited(command))
        if have < self._replicas:
            raise StoreUnavailable(f"only {have} of {self._replicas} replicas have a write (COHORT_WAIT_REPLICAS)")
        return reply

    async def _waited(self, command: Sequence[Any]) -> tuple[Any, int]:
        """The command's reply, and how many replicas have what it wrote."""
        # On one connection: WAIT looks at what this connection has written.
        async with self._redis.pipeline(transaction=False) as pipe:
            pipe.execute_command(*command)
            pipe.execute_command("WAIT", self._replicas, _REPLICA_WAITS_MS)
            reply, have = await pipe.execute()
        return reply, have


async def mend(redis: Redis, keys: Sequence[str | bytes]) -> list[str]:
    """Take away those of ``keys`` that are not of their declared type; the log and a dead letter say so.

    Returns:
        The keys that are gone.

    Raises:
        StoreUnavailable: see ``guard``.
    """
    declared: dict[str, str] = {}
    for name in map(text, keys):
        kind = names.kind_of(name)
        if kind is not None:
            declared[name] = kind.type
        elif name.startswith("chats."):
            # A slot's queue, as Celery's transport keeps it.
            declared[name] = "list"
    letter = DeadLetter(
        reason=f"a key of another type was taken away, one of: {', '.join(declared)}"[:1000], at=SystemClock().now()
    )
    with guard():
        found: list[bytes] = await cast("Any", redis).eval(
            script("mend"), len(declared) + 1, names.DEAD, *declared, letter.to_json(), DEAD_KEPT, *declared.values()
        )
    gone = [text(key) for key in found]
    for key in gone:
        log.error("store.damaged", extra={"key": key})
    return gone


@asynccontextmanager
async def connection(
    url: str,
    *,
    connections: int = 256,
    waits: float | None = None,
    wait_replicas: int = 0,
    patience_s: float | None = None,
) -> AsyncGenerator[Redis]:
    """A client for this process, with at most so many ``connections``; ``waits``: seconds for a free one, else none.

    With ``patience_s`` a call that has no answer after so many seconds fails, and is not repeated.

    Every script may be sent twice (its answer was lost) and is written for it, so the client may retry.

    Raises:
        Misconfigured: ``url`` is no Redis URL.
    """
    options: dict[str, Any] = {
        "decode_responses": False,
        "max_connections": connections,
        "socket_timeout": ANSWER_S,
        "socket_connect_timeout": timedelta(seconds=3).total_seconds(),
        "health_check_interval": 30,
        **NEW_CONNECTION,
        "retry": Retry(ExponentialBackoff(cap=0.2, base=0.05), retries=_TRIES - 1),
    }
    if waits is not None:
        options["timeout"] = waits
    if patience_s is not None:
        once = Retry(NoBackoff(), retries=0)
        # Without the PING before the first command: a Redis that cannot write its files refuses it, and still reads.
        options |= {"socket_timeout": patience_s, "socket_connect_timeout": patience_s, "health_check_interval": 0}
        options |= {"retry": once}
    try:
        redis = packing(_client(url, options, blocking=waits is not None))
    except ValueError as problem:
        raise Misconfigured(f"REDIS_URL: {problem}") from problem
    redis.wait_replicas = wait_replicas
    # One that waits for a connection needs no gate.
    limit = ANSWER_S if patience_s is not None else ANSWER_S * _TRIES
    redis.gate = Gate(min(AT_ONCE, connections), ANSWER_S, limit) if waits is None else None
    try:
        yield redis
    finally:
        await redis.aclose()


def _client(url: str, options: Mapping[str, Any], *, blocking: bool) -> Client:
    """A client of a Redis, or of the master that Sentinels name; ``blocking``: a call waits for a free connection."""
    watched = sentinels(url)
    if watched is None:
        kind = BlockingConnectionPool if blocking else ConnectionPool
        return cast("Client", Client.from_pool(kind.from_url(url, **options)))
    found = sentinel_of(watched, options["retry"]).master_for(
        watched.master,
        redis_class=Client,
        connection_pool_class=BlockingSentinelPool if blocking else SentinelConnectionPool,
        db=watched.db,
        username=watched.username,
        password=watched.password,
        **watched.connection_options,
        **options,
    )
    return cast("Client", found)


def text(value: Any) -> str:
    """Redis hands bytes; names are text. What is no UTF-8 (a damaged field) keeps a mark in place of it."""
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)
