"""Something that is not Cohort's in each kind of key."""

from typing import Any, cast

from redis.asyncio import Redis

from tasks import keys
from tasks.session import SessionKey

RUBBISH = b'\xff\xfe\x00{"a":'
SCORED = {RUBBISH: 1e300, "x blocked": 1, "1 blocked": float("inf"), "{}": 2, "4242:7 1 1 7 up": float("inf")}
NO_BOT = ("cohort:bot:abc:people", "cohort:bot:abc:zones", b"cohort:bot:\xff:people")


def keyed(kind: keys.KeyKind, session: SessionKey) -> str:
    """A key of this kind, of this session where it has one."""
    name = kind.pattern
    parts = (
        ("s:*", f"s:{session}"),
        ("bot:*", f"bot:{session.bot}"),
        ("slot:*", "slot:01"),
        ("own:*", f"own:{session}"),
    )
    for before, after in parts:
        name = name.replace(before, after)
    return name.replace("*", "7")


async def damage_one(redis: Redis, kind: keys.KeyKind, name: str) -> None:
    """Rubbish beside what a key holds."""
    r = cast("Any", redis)
    match kind.type:
        case _ if name == keys.LAYOUT:
            return
        case "list":
            await r.rpush(name, RUBBISH, "{}", "[1]")
        case "hash":
            await r.hset(name, mapping={RUBBISH: RUBBISH, "1": "{}", "x": "1"})
        case "zset":
            await r.zadd(name, SCORED)
        case "stream":
            await r.xadd(name, {"x": RUBBISH})
        case _:
            await r.set(name, RUBBISH)
    if kind.lifetime == "expires":
        await r.expire(name, 60)


async def damage(redis: Redis, session: SessionKey) -> None:
    """Rubbish in each kind of key, and in keys of a bot that cannot be."""
    r = cast("Any", redis)
    for kind in keys.KINDS:
        await damage_one(redis, kind, keyed(kind, session))
    for name in NO_BOT:
        await r.hset(name, "7", "x")
    await r.zadd("cohort:bot:abc:closed", {"1 blocked": 1})
    await r.expire("cohort:bot:abc:closed", 60)
