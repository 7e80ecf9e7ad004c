"""All that a Redis holds, to search it."""

import json
import zlib
from base64 import b64decode
from contextlib import suppress

from redis.asyncio import Redis


async def everything(redis: Redis) -> str:
    """All names and values of Redis, with what is compressed or encoded in them."""
    told: list[bytes] = []
    for name in await redis.keys("*"):
        told.append(name)
        match (await redis.type(name)).decode():
            case "list":
                told += await redis.lrange(name, 0, -1)  # type: ignore[misc]
            case "hash":
                told += [part for pair in (await redis.hgetall(name)).items() for part in pair]  # type: ignore[misc]
            case "set":
                told += await redis.smembers(name)  # type: ignore[misc]
            case "zset":
                told += await redis.zrange(name, 0, -1)
            case "stream":
                told += [field for _, fields in await redis.xrange(name) for field in fields.values()]
            case _:
                told.append(await redis.get(name) or b"")
    for value in tuple(told):
        with suppress(zlib.error):
            told.append(zlib.decompress(value[1:]))
        with suppress(ValueError, KeyError, TypeError):
            told.append(b64decode(json.loads(value)["body"]))
    return "\n".join(value.decode(errors="replace") for value in told)
