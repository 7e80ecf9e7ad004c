"""Waiting for what happens in another process, which cannot be awaited."""

import asyncio
from collections.abc import Awaitable, Callable

EVERY_S = 0.02
"""A test that asks without a pause takes a core, and half of Valkey's, from the processes that it waits for."""


async def until[T](asked: Callable[[], Awaitable[T]], within: float = 60) -> T:
    """The first answer that is true.

    Raises:
        TimeoutError: there was none in time.
    """
    async with asyncio.timeout(within):
        while not (answer := await asked()):  # noqa: ASYNC110 - it happens elsewhere
            await asyncio.sleep(EVERY_S)
    return answer
