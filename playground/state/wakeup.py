"""A wakeup for all tasks that wait for a change; without a waiting task it costs next to nothing."""

import asyncio
import contextlib


class Wakeup:
    """For one event loop. A wakeup carries no data: a task must look at the state after it wakes."""

    __slots__ = ("_waiting",)

    def __init__(self) -> None:
        self._waiting: list[asyncio.Future[None]] = []

    def wake_all(self) -> None:
        if not self._waiting:
            return
        waiting, self._waiting = self._waiting, []
        for waiter in waiting:
            if not waiter.done():
                waiter.set_result(None)

    async def wait(self, seconds: float) -> bool:
        """Wait for the next wakeup.

        Returns:
            Whether it came within ``seconds``.
        """
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        try:
            async with asyncio.timeout(max(seconds, 0)):
                await waiter
        except TimeoutError:
            return False
        finally:
            with contextlib.suppress(ValueError):
                self._waiting.remove(waiter)
        return True
