"""The check that what is left in Redis is what tasks/keys.py declares."""

import fnmatch
from collections.abc import Iterator, Sequence
from typing import cast

from redis import Redis
from redis.asyncio import Redis as AsyncRedis

from tasks import keys

# Celery's and kombu's own, in a Redis that serves as their broker.
FOREIGN = ("_kombu.binding*", "chats.*", "cohort.idle*", "unacked*", "*.reply.celery.pidbox", "celeryev.*", "/*")
ALL = """#!lua flags=no-writes,allow-stale,allow-oom
local found = {}
for _, key in ipairs(redis.call('KEYS', '*')) do
    table.insert(found, {key, redis.call('TYPE', key).ok, redis.call('PTTL', key)})
end
return found
"""
"""Name, type and time to live of every key: one call, as each test makes it."""


def left_undeclared(redis: Redis) -> list[str]:
    """Keys that tasks/keys.py does not declare, or that live longer than declared."""
    return [*_wrong(cast("Sequence[tuple[bytes, bytes, int]]", redis.eval(ALL, 0)))]


async def undeclared(redis: AsyncRedis) -> list[str]:
    """The same, where other tasks go on meanwhile."""
    return [*_wrong(cast("Sequence[tuple[bytes, bytes, int]]", await redis.execute_command("EVAL", ALL, 0)))]


def _wrong(found: Sequence[tuple[bytes, bytes, int]]) -> Iterator[str]:
    for raw, of_type, lives_ms in found:
        name, stored = raw.decode(errors="replace"), of_type.decode()
        kind = next((kind for kind in keys.KINDS if fnmatch.fnmatchcase(name, kind.pattern)), None)
        if kind is None:
            if not any(fnmatch.fnmatchcase(name, pattern) for pattern in FOREIGN):
                yield f"{name}: not declared"
            continue
        if stored != kind.type:
            yield f"{name}: is a {stored}, declared a {kind.type}"
        if kind.lifetime == "expires" and lives_ms == -1:
            yield f"{name}: declared to expire, lives for ever"
