"""The time of the Redis server, which all processes go by (``tasks.clock.SystemClock``)."""

from collections.abc import Sequence
from contextlib import suppress

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from tasks.clock import SystemClock

_SLOW_S = 1.0
"""An answer that took longer says too little: nothing tells when the server wrote it."""


def compared(told: object, began: float) -> float | None:
    """Seconds by which the server is ahead of this machine, of its answer to TIME; None: the answer says too little.

    ``began``: ``SystemClock().monotonic()`` before the question.
    """
    if not isinstance(told, Sequence):
        return None  # it is forbidden
    spent = SystemClock().monotonic() - began
    seconds, micros = (float(part) for part in told)
    return None if spent > _SLOW_S else seconds + micros / 1e6 - (SystemClock.local() - spent / 2)


def follow(told: object, began: float) -> None:
    """Have this process go by that answer."""
    if (ahead := compared(told, began)) is not None:
        SystemClock.agree(ahead)


async def follow_server(redis: Redis) -> None:
    """Have this process go by the server's time; where TIME is forbidden it goes by its own."""
    began = SystemClock().monotonic()
    with suppress(ResponseError):
        follow(await redis.time(), began)
