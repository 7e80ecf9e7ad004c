"""The console's way to Redis: opened when it is first needed, and each answer waited for only so long."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Self

from tasks.clock import Clock
from tasks.config.settings import Settings
from tasks.errors import StoreUnavailable
from tasks.store import Store, look_into

PATIENCE_S = 2.5
"""For all that one answer needs: the page says within 3 s that Redis hangs."""
_ANSWER_S = 1.5
_AT_ONCE = 4
"""Answers that are put together at the same time: the store's connections."""


class PatientReader:
    """Use as an async context manager. The console starts without Redis, and finds it when it is back."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._opened = AsyncExitStack()
        self._store: Store | None = None
        self._opening = asyncio.Lock()
        self._places = asyncio.Semaphore(_AT_ONCE)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._opened.aclose()

    async def read[T](self, work: Callable[[Store], Awaitable[T]]) -> T:
        """Do it with the store.

        Raises:
            Misconfigured: this Redis was laid out otherwise.
            StoreUnavailable: Redis is away, or hangs.
        """
        try:
            async with asyncio.timeout(PATIENCE_S), self._places:
                return await work(await self._ready())
        except TimeoutError:
            raise StoreUnavailable(f"Redis does not answer within {PATIENCE_S:g} s") from None

    async def _ready(self) -> Store:
        async with self._opening:
            if self._store is None:
                opening = look_into(self._settings, patience_s=_ANSWER_S, clock=self._clock)
                self._store = await self._opened.enter_async_context(opening)
            return self._store
