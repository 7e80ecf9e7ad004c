"""Which workers live, and which slots each of them serves."""

from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

from redis.asyncio import Redis

from tasks import keys
from tasks.session import SessionKey
from tasks.status.worker import WorkerStatus
from tasks.store.connection.redis import Script, guard, text

LOOK = "look"
TAKEN = "took "
"""Stands in the news before the name of a session that was taken from an owner whose heartbeat stood still."""
FORGOTTEN = "forgot "
"""Stands in the news before the name of a session that was erased for its age."""
_DRAINING_KEPT = timedelta(hours=1)
"""A worker that drains says so with each heartbeat; one that was killed meanwhile is listed for so long at most."""
_DIGITS = 15
"""A number of more digits is damaged."""


@dataclass(frozen=True, slots=True)
class View:
    """What one look shows."""

    members: Mapping[str, WorkerStatus]
    """Incarnation -> what its heartbeat says of it, of the living only."""
    gone: tuple[str, ...]
    """Incarnations that are listed, but whose heartbeat stopped."""
    version: int
    """Of the stored assignment; grows with each."""
    slots: Mapping[int, str]
    """The stored assignment: slot -> incarnation."""

    def of(self, incarnation: str) -> frozenset[int]:
        """The slots it serves."""
        return frozenset(slot for slot, owner in self.slots.items() if owner == incarnation)


class Membership:
    """Heartbeats, the list of members, and the assignment of slots to them."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._assign = Script(redis, "assign")
        self._forget = Script(redis, "forget")
        self._lease = Script(redis, "lease")
        self._listed: tuple[str, ...] = ()
        """Who was listed at the last look."""

    async def beat(
        self, incarnation: str, status: WorkerStatus, ttl: timedelta, *, member: bool = True, drains: bool = False
    ) -> bool:
        """Say that this incarnation lives; as a ``member`` it takes slots, otherwise it only keeps its claims.

        ``drains``: it took slots before, and ends; operators see it.

        Returns:
            Whether the last heartbeat still stood, so no other worker took it for dead.
        """
        facts = status.model_dump_json()
        with guard():
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.set(keys.worker(incarnation), facts, px=int(ttl.total_seconds() * 1000), get=True)
                if member:
                    pipe.hset(keys.MEMBERS, incarnation, facts)
                else:
                    pipe.hdel(keys.MEMBERS, incarnation)
                if drains:
                    pipe.hset(keys.DRAINING, incarnation, facts)
                    pipe.expire(keys.DRAINING, _DRAINING_KEPT)
                stood, *_ = await pipe.execute()
        return stood is not None

    async def prolong(self, incarnation: str, ttl: timedelta) -> bool:
        """Have the last heartbeat live so much longer from now on; False when it has ended."""
        with guard():
            return bool(await self._redis.pexpire(keys.worker(incarnation), ttl))

    async def look(self) -> View:
        """Who is there, and who serves what: one round trip while the same ones are listed as at the last look."""
        known = self._listed
        with guard():
            async with self._redis.pipeline(transaction=False) as pipe:
                pipe.hgetall(keys.MEMBERS)
                pipe.hgetall(keys.ASSIGNMENT)
                for name in known:
                    pipe.exists(keys.worker(name))
                listed, stored, *found = await pipe.execute()
            alive = dict(zip(known, found, strict=True))
            names = tuple(text(name) for name in listed)
            if further := [name for name in names if name not in alive]:
                async with self._redis.pipeline(transaction=False) as pipe:
                    for name in further:
                        pipe.exists(keys.worker(name))
                    alive.update(zip(further, await pipe.execute(), strict=True))
            self._listed = names
        facts = zip(names, listed.values(), strict=True)
        members = {name: WorkerStatus.from_json(said) for name, said in facts if alive[name]}
        gone = tuple(name for name in names if name not in members)
        version = _number(stored.pop(b"version", b"0"))
        slots = {_number(slot): text(owner) for slot, owner in stored.items() if slot.isdigit()}
        return View(members, gone, version or 0, {slot: owner for slot, owner in slots.items() if slot is not None})

    async def draining(self) -> Mapping[str, WorkerStatus]:
        """Who drains: incarnation -> what its heartbeat says of it, of the living only."""
        with guard():
            listed: dict[bytes, bytes] = await cast("Any", self._redis).hgetall(keys.DRAINING)
            names = [text(name) for name in listed]
            async with self._redis.pipeline(transaction=False) as pipe:
                for name in names:
                    pipe.exists(keys.worker(name))
                alive = await pipe.execute() if names else []
        facts = zip(names, listed.values(), alive, strict=True)
        return {name: WorkerStatus.from_json(said) for name, said, there in facts if there}

    async def propose(self, version: int, slots: Mapping[int, str]) -> bool:
        """Store an assignment computed from ``version`` and tell all workers; False when another worker was faster."""
        pairs: list[str | int] = [part for slot, owner in sorted(slots.items()) for part in (slot, owner)]
        stored = bool(await self._assign([keys.ASSIGNMENT], [version, *pairs]))
        if stored:
            await self.announce()
        return stored

    async def forget(self, incarnation: str) -> bool:
        """Strike a member whose heartbeat has stopped; False while it lives."""
        return bool(await self._forget([keys.MEMBERS, keys.worker(incarnation)], [incarnation]))

    async def report_death(self, incarnation: str) -> None:
        """Free a worker's claims and name at once, not when its heartbeat runs out: the caller saw its process end."""
        with guard():
            said: Any = await self._redis.get(keys.worker(incarnation))
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.delete(keys.worker(incarnation))
                pipe.hdel(keys.MEMBERS, incarnation)
                pipe.hdel(keys.DRAINING, incarnation)
                pipe.publish(keys.NEWS, f"dead {incarnation}")
                await pipe.execute()
        if said is not None and (node := WorkerStatus.from_json(said).node):
            await self._lease([keys.node(node)], [incarnation, 0])

    async def announce(self) -> None:
        """Tell all workers to look at once."""
        with guard():
            await self._redis.publish(keys.NEWS, LOOK)

    async def tell_forgotten(self, sessions: Iterable[SessionKey]) -> None:
        """Have all workers remove what their machines have of these sessions; a worker that is away keeps it."""
        with guard():
            for session in sessions:
                await self._redis.publish(keys.NEWS, f"{FORGOTTEN}{session}")

    async def news(self) -> AsyncIterator[str]:
        """Yield whenever something was announced; ends with ``StoreUnavailable`` when the connection does."""
        with guard():
            async with self._redis.pubsub(ignore_subscribe_messages=True) as channel:
                await channel.subscribe(keys.NEWS)
                yield "subscribed"
                while True:
                    message = await channel.get_message(timeout=30.0)
                    if message is not None:
                        yield text(message["data"])


def _number(said: bytes) -> int | None:
    return int(said) if said.isdigit() and len(said) <= _DIGITS else None
