"""The check that what is left in Redis is what tasks/keys.py declares."""

import fnmatch

from redis.asyncio import Redis

from tasks import keys

# Celery's and kombu's own, in a Redis that serves as their broker.
FOREIGN = ("_kombu.binding*", "chats.*", "cohort.idle*", "unacked*", "*.reply.celery.pidbox", "celeryev.*", "/*")


async def undeclared(redis: Redis) -> list[str]:
    """Keys that tasks/keys.py does not declare, or that live longer than declared."""
    found: list[str] = []
    async for raw in redis.scan_iter(count=1000):
        name = raw.decode(errors="replace")
        kind = next((kind for kind in keys.KINDS if fnmatch.fnmatchcase(name, kind.pattern)), None)
        if kind is None:
            if not any(fnmatch.fnmatchcase(name, pattern) for pattern in FOREIGN):
                found.append(f"{name}: not declared")
            continue
        stored = (await redis.type(name)).decode()
        if stored not in (kind.type, "none"):
            found.append(f"{name}: is a {stored}, declared a {kind.type}")
        if kind.lifetime == "expires" and await redis.pttl(name) == -1:
            found.append(f"{name}: declared to expire, lives for ever")
    return found
