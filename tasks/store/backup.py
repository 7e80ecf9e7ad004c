"""Everything that a deployment keeps, read from a running Redis key by key and written into an empty one.

Not a dump of the server's own: a Redis 7.0 cannot read what Valkey 9 writes to disk.
"""

from collections.abc import AsyncGenerator, AsyncIterable, Sequence
from dataclasses import dataclass, replace
from itertools import batched
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.client import Pipeline

from tasks import keys
from tasks.clock import Clock
from tasks.errors import Misconfigured
from tasks.session import SessionKey
from tasks.slots import slot_of
from tasks.store.connection.redis import guard, text
from tasks.store.layout import RESTORING

_SESSION = f"{keys.PREFIX}s:*"
_PARTS = tuple(kind.pattern.removeprefix(_SESSION) for kind in keys.KINDS if kind.backup == "session")
_DEAD = (keys.LETTERS, keys.DEAD)
_DATA = [kind for kind in keys.KINDS if kind.pattern not in (keys.LAYOUT, *_DEAD)]
_FIRST = (keys.LAYOUT, *(kind.pattern for kind in _DATA if kind.backup == "first"), *_DEAD)
_LAST = (*(kind.pattern for kind in _DATA if kind.backup == "last"), *_DEAD)
"""Dead letters again, because a message may leave an inbox for it."""
_CHUNK = 500
"""Elements that one command writes; even, so that pairs stay together."""
_STREAM = 3
"""Elements that a stream's entry is: its id, and one field with its value."""
_TOGETHER = 50
"""Sessions, or other keys, that one transaction reads: a round trip takes longer than most sessions' keys do. Some 900
commands hold other clients up for about a millisecond.
"""


@dataclass(frozen=True, slots=True)
class StoredKey:
    """One key and what it holds."""

    key: str
    type: str
    expires: float | None
    """Seconds since the epoch, None: never."""
    value: tuple[bytes, ...]
    """One form for each type. String: the string. List: its elements. Hash: field, value, field, value. Zset: member,
    score, member, score. Stream: id, field, value, id, field, value; each of our entries has one field.
    """


async def dump(redis: Redis, clock: Clock) -> AsyncGenerator[StoredKey]:
    """Everything that has to outlive the server; a session's keys are read in one transaction, with those of others.

    Messages accepted and turns committed after the call may be missing. What is in the dump fits together: a message is
    in an inbox or in the history that answers it, and no reminder and no dead letter falls between two reads.

    Raises:
        StoreUnavailable: Redis is away.
    """
    letters: dict[str, bytes] = {}
    async for record in _read_all(redis, clock, _FIRST):
        if record.type == "stream":
            letters[record.key] = record.value[-_STREAM]
        yield record
    async for sessions in _together(_sessions(redis)):
        names = [f"{keys.PREFIX}s:{session}{part}" for session in sessions for part in _PARTS]
        for record in await _read(redis, clock, names):
            yield record
    async for record in _read_all(redis, clock, _LAST):
        if (last := letters.get(record.key)) is None:
            yield record
        elif further := _further(record.value, last):
            yield replace(record, value=further)


async def _read_all(redis: Redis, clock: Clock, patterns: Sequence[str]) -> AsyncGenerator[StoredKey]:
    for pattern in patterns:
        async for names in _together(_names(redis, pattern)):
            for record in await _read(redis, clock, names):
                yield record


async def _together(items: AsyncIterable[str]) -> AsyncGenerator[list[str]]:
    some: list[str] = []
    async for item in items:
        some.append(item)
        if len(some) == _TOGETHER:
            yield some
            some = []
    if some:
        yield some


async def _sessions(redis: Redis) -> AsyncGenerator[str]:
    """The sessions that have a key, each once."""
    told: set[str] = set()
    async for name in _names(redis, _SESSION):
        session = name.removeprefix(f"{keys.PREFIX}s:").rpartition(":")[0]
        if session not in told:
            told.add(session)
            yield session


def _further(entries: tuple[bytes, ...], last: bytes) -> tuple[bytes, ...]:
    """Of a stream's entries those that came after ``last``."""
    order = tuple(map(int, last.split(b"-")))
    for start in range(0, len(entries), _STREAM):
        if tuple(map(int, entries[start].split(b"-"))) > order:
            return entries[start:]
    return ()


async def _names(redis: Redis, pattern: str) -> AsyncGenerator[str]:
    """Existing keys of a pattern, each at least once."""
    with guard():
        if "*" not in pattern:
            if await redis.exists(pattern):
                yield pattern
            return
        async for name in redis.scan_iter(match=pattern, count=1000):
            yield text(name)


async def _read(redis: Redis, clock: Clock, names: Sequence[str]) -> list[StoredKey]:
    """The keys among ``names`` that exist, as they are at one moment. A key of a wrong type holds nothing of ours."""
    kinds = [kind for name in names if (kind := keys.kind_of(name)) is not None]
    with guard():
        async with redis.pipeline(transaction=True) as pipe:
            for name, kind in zip(names, kinds, strict=True):
                pipe.pttl(name)
                _ask(pipe, name, kind.type)
            answers: list[Any] = await pipe.execute(raise_on_error=False)
    now = clock.now()
    found: list[StoredKey] = []
    for name, kind, left, value in zip(names, kinds, answers[::2], answers[1::2], strict=True):
        flat = () if isinstance(value, Exception) else _flat(kind.type, value)
        if flat:
            found.append(StoredKey(name, kind.type, now + left / 1000 if left >= 0 else None, flat))
    return found


def _ask(pipe: Pipeline, name: str, kind: str) -> None:
    match kind:
        case "list":
            pipe.lrange(name, 0, -1)
        case "hash":
            pipe.hgetall(name)
        case "zset":
            pipe.zrange(name, 0, -1, withscores=True)
        case "stream":
            pipe.xrange(name)
        case _:
            pipe.get(name)


def _flat(kind: str, value: Any) -> tuple[bytes, ...]:
    match kind:
        case "list":
            return tuple(value)
        case "hash":
            return tuple(part for pair in value.items() for part in pair)
        case "zset":
            return tuple(part for member, score in value for part in (member, repr(float(score)).encode()))
        case "stream":
            return tuple(part for entry, fields in value for pair in fields.items() for part in (entry, *pair))
        case _:
            return () if value is None else (value,)


async def restore(redis: Redis, records: AsyncIterable[StoredKey], clock: Clock) -> int:
    """Write a dump into a Redis that holds no sessions; gives the number of keys.

    What a restore before this one left behind when it was cut off is removed first. Keys that have expired meanwhile
    are left out. Sessions have no owner afterwards, and each that has work is pending.

    Raises:
        Misconfigured: sessions are there already, or the dump is of another layout.
        StoreUnavailable: Redis is away; call it again.
    """
    await _clear(redis)
    count, slots = 0, 0
    async for record in records:
        if record.key == keys.LAYOUT:
            slots = _slots(record)
            with guard():
                pairs = {**_pairs(record.value), RESTORING.encode(): b"1"}
                await redis.hset(keys.LAYOUT, mapping=pairs)  # type: ignore[arg-type]
            count += 1
            continue
        if not slots:
            raise Misconfigured("the backup does not begin with its layout")
        if record.expires is not None and record.expires <= clock.now():
            continue
        with guard():
            async with redis.pipeline(transaction=True) as pipe:
                _write(pipe, record)
                _wake(pipe, record, slots, clock.now())
                await pipe.execute()
        count += 1
    with guard():
        async with redis.pipeline(transaction=True) as pipe:
            pipe.hdel(keys.LAYOUT, RESTORING)
            # Processes know by it that this was meant, and is no old snapshot.
            pipe.hset(keys.LAYOUT, "mark", str(int(clock.now())))
            await pipe.execute()
    return count


async def _clear(redis: Redis) -> None:
    with guard():
        async for _ in redis.scan_iter(match=f"{keys.worker('')}*", count=1000):
            raise Misconfigured("workers are running on this Redis: stop them first")
        broken = await redis.hexists(keys.LAYOUT, RESTORING)
        async for name in redis.scan_iter(match="cohort:*", count=1000):
            if broken:
                await redis.unlink(name)
            elif text(name).startswith(f"{keys.PREFIX}s:"):
                raise Misconfigured("this Redis holds sessions already: a backup is restored into an empty one")
        if not broken:
            # A start on the empty Redis may have laid it out.
            await redis.delete(keys.LAYOUT, keys.ASSIGNMENT, keys.MEMBERS)


def _slots(record: StoredKey) -> int:
    layout = _pairs(record.value)
    version = layout.get(b"version", b"")
    slots = layout.get(b"slots", b"")
    if not (version.isdigit() and slots.isdigit()) or int(version) > keys.LAYOUT_VERSION:
        raise Misconfigured(
            f"the backup has layout {text(version) or 'of no version'}, this release knows up to {keys.LAYOUT_VERSION}:"
            " restore it with the release that wrote it, or a newer one"
        )
    return int(slots)


def _pairs(value: Sequence[bytes]) -> dict[bytes, bytes]:
    return dict(zip(value[::2], value[1::2], strict=True))


def _write(pipe: Pipeline, record: StoredKey) -> None:
    key, value = record.key, record.value
    if record.type == "stream":
        for entry, field, said in batched(value, _STREAM):
            pipe.execute_command("XADD", key, entry, field, said)
        if (bot := keys.bot_in(key)) is not None:
            pipe.zadd(keys.RECORDED, {str(bot): 0})
        return
    pipe.delete(key)
    for some in batched(value, _CHUNK):
        match record.type:
            case "list":
                pipe.rpush(key, *some)
            case "hash":
                pipe.hset(key, mapping=_pairs(some))  # type: ignore[arg-type]
            case "zset":
                pipe.zadd(key, {member: float(score) for member, score in _pairs(some).items()})
            case _:
                pipe.set(key, some[0])
    if key.endswith(":state"):
        pipe.hdel(key, "owner")
    if record.expires is not None:
        pipe.pexpireat(key, int(record.expires * 1000))


def _wake(pipe: Pipeline, record: StoredKey, slots: int, now: float) -> None:
    """A session with work is pending, whatever the dump says of it."""
    for part in (":inbox", ":outbox"):
        if record.type == "list" and record.key.startswith(f"{keys.PREFIX}s:") and record.key.endswith(part):
            session = record.key.removeprefix(f"{keys.PREFIX}s:").removesuffix(part)
            if _is_session(session):
                pipe.zadd(keys.pending(slot_of(session, slots)), {session: now}, nx=True)


def _is_session(name: str) -> bool:
    try:
        SessionKey.parse(name)
    except ValueError:
        return False
    return True
