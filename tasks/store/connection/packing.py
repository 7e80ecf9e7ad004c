"""Commands are written by hiredis: redis-py's asyncio side does it in Python, a call for each argument."""

from functools import cache
from typing import Any, cast

import hiredis
from redis import DataError
from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection


class _Packing:
    """A kind of connection whose commands are packed in C."""

    def pack_command(self, *args: Any) -> list[bytes]:
        """One command as it goes over the wire; its name may be two words."""
        name = args[0] if isinstance(args[0], bytes) else str(args[0]).encode()
        try:
            return [cast("Any", hiredis).pack_command((*name.split(), *args[1:]))]
        except TypeError as problem:
            raise DataError(str(problem)) from None


@cache
def _packing(kind: type[AbstractConnection]) -> type[AbstractConnection]:
    return type(kind.__name__, (_Packing, kind), {})


def packing[R: Redis](redis: R) -> R:
    """Have the connections that it opens from now on pack commands so."""
    pool = redis.connection_pool
    pool.connection_class = _packing(pool.connection_class)
    return redis
