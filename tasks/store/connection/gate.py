"""How many commands of a client are under way at a time: a flood wakes more chats than there are connections."""

import asyncio
from types import TracebackType

from redis import exceptions

AT_ONCE = 64
"""Commands of a client that are under way. Redis runs one at a time; these fill the way to a distant one, too."""


class Gate:
    """Lets so many through; the others wait in order. Use as a context manager around a command.

    redis-py fails a call for which there is no connection, and to open hundreds at once costs more than their commands.
    """

    def __init__(self, most: int, patience_s: float) -> None:
        """Let ``most`` through at a time, and have the others wait for at most so long."""
        self._room = asyncio.Semaphore(most)
        self._patience_s = patience_s

    async def __aenter__(self) -> None:
        """Wait for room.

        Raises:
            redis.exceptions.TimeoutError: those before it have no answer.
        """
        if not self._room.locked():
            await self._room.acquire()
            return
        try:
            async with asyncio.timeout(self._patience_s):
                await self._room.acquire()
        except TimeoutError:
            raise exceptions.TimeoutError("the commands before it have no answer") from None

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._room.release()
