"""How many commands of a client are under way at a time: a flood wakes more chats than there are connections."""

import asyncio
from collections.abc import Awaitable, Callable

from redis import exceptions

AT_ONCE = 64
"""Commands of a client that are under way. Redis runs one at a time; these fill the way to a distant one, too."""


class Gate:
    """Lets so many commands through; the others wait in order.

    redis-py fails a call for which there is no connection, and to open hundreds at once costs more than their commands.
    """

    def __init__(self, most: int, patience_s: float, limit_s: float) -> None:
        """Let ``most`` through at a time.

        Args:
            most: So many.
            patience_s: How long one waits for room.
            limit_s: How long its wait and its answer may take together.
        """
        self._room = asyncio.Semaphore(most)
        self._patience_s = patience_s
        self._limit_s = limit_s

    async def through[T](self, command: Callable[[], Awaitable[T]]) -> T:
        """Run a command as soon as there is room.

        Raises:
            redis.exceptions.TimeoutError: those before it have no answer, or what they left it of its time is over.
        """
        if not self._room.locked():
            # The limits of its connection are the only ones that it needs.
            await self._room.acquire()
            try:
                return await command()
            finally:
                self._room.release()
        try:
            ends = asyncio.get_running_loop().time() + self._limit_s
            async with asyncio.timeout(min(self._patience_s, self._limit_s)) as limit:
                await self._room.acquire()
                limit.reschedule(ends)
                try:
                    return await command()
                finally:
                    self._room.release()
        except TimeoutError:
            raise exceptions.TimeoutError("the commands before it have no answer") from None
