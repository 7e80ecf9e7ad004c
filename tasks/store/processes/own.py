"""Processes of sessions' own (``isolation: process``): which session has one, which needs one, and who starts them.

A session's place is a lease under the incarnation of its process. It decides nothing about turns, that is what claims
are for; it says whether a doorbell reaches a process or one has to be started first.
"""

from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

from redis.asyncio import Redis

from tasks import keys
from tasks.clock import Clock
from tasks.session import SessionKey
from tasks.status.worker import OwnHostStatus, WorkerStatus
from tasks.store.connection.erasure_scope import ErasureScope
from tasks.store.connection.redis import Script, guard, text

PREFIX = "own-"
"""Incarnations of such processes begin so: the owner in a claim tells where a doorbell has to go."""
STARTING = timedelta(seconds=15)
"""How long a place is kept for a process that starts, unless its host renews it."""
BEAT = timedelta(seconds=2)
"""How often a host of such processes describes itself."""
ALIVE = timedelta(seconds=10)
"""A host that was silent for longer has ended or hangs."""

DOORBELL, CONTROL, LEAVE, FORGET, RELOAD = "doorbell", "control", "leave", "forget", "reload"
"""What a session's process is told: look at the inbox; a control word is in it; end if you rest; end; read cards."""
YIELD = "yield"
"""And: end as soon as you rest. A process of an older release does not know it, and stays."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a session stands."""

    has_process: bool
    """One lives, or starts."""
    wanted_since: float | None
    """When a process was asked for that is not ordered yet."""
    hosts: tuple[OwnHostStatus, ...]
    """Who starts such processes now."""

    @property
    def full(self) -> bool:
        """Whether each place of each host has a process that works."""
        return all(host.busy >= host.most for host in self.hosts)

    @property
    def taken(self) -> bool:
        """Whether each place of each host has a process."""
        return all(host.alive >= host.most for host in self.hosts)


class OwnStore:
    """Verbs on these processes. ``SessionStore`` fences what they write."""

    def __init__(self, redis: Redis, clock: Clock) -> None:
        self._redis = redis
        self._clock = clock
        self._lease = Script(redis, "lease")

    # -- what a shared worker asks

    async def look(self, session: SessionKey) -> Standing:
        """How a session stands. One round trip.

        Raises:
            StoreUnavailable: Redis is away.
        """
        with guard():
            async with self._redis.pipeline(transaction=False) as pipe:
                pipe.exists(keys.own(session))
                pipe.zscore(keys.OWN_WANTED, str(session))
                pipe.hgetall(keys.OWN_HOSTS)
                there, since, hosts = await pipe.execute()
        return Standing(bool(there), since, tuple(self._living(hosts).values()))

    async def ask(self, session: SessionKey) -> None:
        """Have a host start a process for the session.

        Raises:
            StoreUnavailable: Redis is away.
        """
        with guard():
            async with self._redis.pipeline(transaction=False) as pipe:
                pipe.zadd(keys.OWN_WANTED, {str(session): self._clock.now()}, nx=True)
                pipe.publish(keys.OWN_NEWS, "wanted")
                await pipe.execute()

    async def tell(self, session: SessionKey, word: str) -> None:
        """Tell the session's process; nothing happens where there is none.

        Raises:
            StoreUnavailable: Redis is away.
        """
        with guard():
            await self._redis.publish(keys.own_channel(session), word)

    async def tell_all(self, word: str) -> None:
        """Tell the processes of all sessions.

        Raises:
            StoreUnavailable: Redis is away.
        """
        with guard():
            await self._redis.publish(keys.own_channel("all"), word)

    async def forget(self, whose: ErasureScope) -> int:
        """Have no process started for what is erased; gives how many were asked for."""
        theirs = [session for session in await self.wanted() if whose.is_session(session)]
        for session in theirs:
            await self.drop_wanted(session)
        return len(theirs)

    # -- what a session's process does

    async def keep(self, session: SessionKey, incarnation: str, ttl: timedelta) -> bool:
        """Take or renew the session's place; False when another process has it.

        Raises:
            StoreUnavailable: Redis is away.
        """
        return bool(await self._lease([keys.own(session)], [incarnation, int(ttl.total_seconds() * 1000)]))

    async def reported(self) -> None:
        """Tell the hosts that a process has sent its first heartbeat: the next one may be started.

        Raises:
            StoreUnavailable: Redis is away.
        """
        with guard():
            await self._redis.publish(keys.OWN_NEWS, "reported")

    async def release(self, session: SessionKey, incarnation: str) -> None:
        """Give the place back: the next doorbell has another process started.

        Raises:
            StoreUnavailable: Redis is away.
        """
        await self._lease([keys.own(session)], [incarnation, 0])

    async def listen(self, session: SessionKey) -> AsyncIterator[str]:
        """Yield what the process is told, and the workers' news; first ``subscribed``.

        Raises:
            StoreUnavailable: the connection ended; words may be lost.
        """
        async for word in self._heard(keys.own_channel(session), keys.own_channel("all"), keys.NEWS):
            yield word

    # -- what a host does

    async def has_process(self, sessions: Iterable[SessionKey]) -> set[SessionKey]:
        """Those of these sessions whose process lives, or starts.

        Raises:
            StoreUnavailable: Redis is away.
        """
        asked = list(sessions)
        with guard():
            places: Any = await self._redis.mget([keys.own(one) for one in asked]) if asked else []
        return {one for one, place in zip(asked, places, strict=True) if place is not None}

    async def wanted(self) -> list[SessionKey]:
        """Sessions that need a process, the one that waits for the longest time first.

        Raises:
            StoreUnavailable: Redis is away.
        """
        with guard():
            names = [text(name) for name in await cast("Any", self._redis).zrange(keys.OWN_WANTED, 0, -1)]
        found: list[SessionKey] = []
        for name in names:
            try:
                found.append(SessionKey.parse(name))
            except ValueError:
                await self.drop_wanted(name)
        return found

    async def drop_wanted(self, session: SessionKey | str) -> None:
        """A process is ordered for the session.

        Raises:
            StoreUnavailable: Redis is away.
        """
        with guard():
            await cast("Any", self._redis).zrem(keys.OWN_WANTED, str(session))

    async def requests(self) -> AsyncIterator[str]:
        """Yield whenever a process is asked for, or has started.

        Raises:
            StoreUnavailable: the connection ended.
        """
        async for word in self._heard(keys.OWN_NEWS):
            yield word

    async def statuses(self, incarnations: Iterable[str]) -> dict[str, WorkerStatus]:
        """What the heartbeats of these processes say, of the living only.

        Raises:
            StoreUnavailable: Redis is away.
        """
        names = list(incarnations)
        with guard():
            said: Any = await self._redis.mget([keys.worker(name) for name in names]) if names else []
        found = {name: raw for name, raw in zip(names, said, strict=True) if raw is not None}
        return {name: WorkerStatus.from_json(raw) for name, raw in found.items()}

    async def beat(self, host: str, status: OwnHostStatus) -> None:
        """Say that this host starts processes, and strike those that are silent.

        Raises:
            StoreUnavailable: Redis is away.
        """
        said = status.model_copy(update={"at": self._clock.now()}).model_dump_json()
        with guard():
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.hset(keys.OWN_HOSTS, host, said)
                pipe.expire(keys.OWN_HOSTS, ALIVE)
                pipe.hgetall(keys.OWN_HOSTS)
                *_, listed = await pipe.execute()
            living = self._living(listed)
            if silent := [name for name in listed if text(name) not in living]:
                await cast("Any", self._redis).hdel(keys.OWN_HOSTS, *silent)

    async def leave(self, host: str) -> None:
        """This host starts no more processes.

        Raises:
            StoreUnavailable: Redis is away.
        """
        with guard():
            await cast("Any", self._redis).hdel(keys.OWN_HOSTS, host)

    async def seen(self) -> tuple[tuple[OwnHostStatus, ...], int]:
        """Who starts such processes now, and how many sessions wait for one. One round trip.

        Raises:
            StoreUnavailable: Redis is away.
        """
        with guard():
            async with self._redis.pipeline(transaction=False) as pipe:
                pipe.hgetall(keys.OWN_HOSTS)
                pipe.zcard(keys.OWN_WANTED)
                hosts, wanted = await pipe.execute()
        return tuple(self._living(hosts).values()), wanted

    async def hosts(self) -> dict[str, OwnHostStatus]:
        """Who starts such processes now.

        Raises:
            StoreUnavailable: Redis is away.
        """
        with guard():
            return self._living(await cast("Any", self._redis).hgetall(keys.OWN_HOSTS))

    def _living(self, listed: Mapping[bytes, bytes]) -> dict[str, OwnHostStatus]:
        hosts = {text(name): OwnHostStatus.from_json(said) for name, said in sorted(listed.items())}
        after = self._clock.now() - ALIVE.total_seconds()
        return {name: host for name, host in hosts.items() if host.at > after}

    async def _heard(self, *channels: str) -> AsyncIterator[str]:
        with guard():
            async with self._redis.pubsub(ignore_subscribe_messages=True) as heard:
                await heard.subscribe(*channels)
                yield "subscribed"
                while True:
                    message = await heard.get_message(timeout=30.0)
                    if message is not None:
                        yield text(message["data"])
