"""Commands are written by hiredis: redis-py's asyncio side does it in Python, a call for each argument."""

from functools import cache
from typing import TYPE_CHECKING, Any, cast

import hiredis
from redis import DataError
from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection

_Base: Any = AbstractConnection if TYPE_CHECKING else object


class _Packing(_Base):
    """A kind of connection whose commands are packed in C, and written without a timer where they fit at once."""

    def pack_command(self, *args: Any) -> list[bytes]:
        """One command as it goes over the wire; its name may be two words."""
        name = args[0] if isinstance(args[0], bytes) else str(args[0]).encode()
        try:
            return [cast("Any", hiredis).pack_command((*name.split(), *args[1:]))]
        except TypeError as problem:
            raise DataError(str(problem)) from None

    async def send_packed_command(self, command: Any, check_health: bool = True) -> None:  # noqa: FBT001, FBT002 - redis's
        """Write a command. redis-py sets a timer around each; what the socket takes at once needs none."""
        if type(command) is list and self._is_free:
            if check_health:
                await self.check_health()
            self._writer.write(command[0] if len(command) == 1 else b"".join(command))
            if self._is_free:
                return
            # It is on its way; to wait for the rest is redis-py's.
            command, check_health = [], False
        await super().send_packed_command(command, check_health)

    @property
    def _is_free(self) -> bool:
        """Whether it is open, and all that was written to it has gone out."""
        if self._writer is None:
            return False
        transport = self._writer.transport
        return not transport.is_closing() and not transport.get_write_buffer_size()


@cache
def _packing(kind: type[AbstractConnection]) -> type[AbstractConnection]:
    return type(kind.__name__, (_Packing, kind), {})


def packing[R: Redis](redis: R) -> R:
    """Have the connections that it opens from now on pack commands so."""
    pool = redis.connection_pool
    pool.connection_class = _packing(pool.connection_class)
    return redis
