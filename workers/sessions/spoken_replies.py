"""Spoken replies are made and sent while their session goes on: the next answer does not wait for them.

A spoken reply stands in the outbox while nothing else waits, so it survives its worker. When a message comes, it is
taken out and goes on beside the next turn; from then on it comes at most once, and is lost with its worker.
"""

import asyncio
import logging
from collections.abc import Awaitable
from contextlib import suppress
from types import TracebackType
from typing import Self

from botapi.errors import Undeliverable
from tasks.envelope import Reply
from tasks.errors import ClaimLost, StoreUnavailable
from tasks.session import SessionKey
from workers.sessions.dependencies import Dependencies
from workers.sessions.inbox_wait import InboxWait

log = logging.getLogger("cohort.delivery")

PATIENCE_S = 5.0
"""The next answer waits so long for it, so that they come in order."""

type _Spoken = asyncio.Task[tuple[int, ...] | Exception]


def is_spoken(reply: Reply) -> bool:
    """Whether a reply is made of words that a server speaks."""
    return bool(reply.files) and bool(reply.files[0].speak)


class SpokenReplies:
    """The spoken replies of one turn loop, as a context manager around its work: what is unsent at its end is lost."""

    def __init__(self, deps: Dependencies, session: SessionKey, wait: InboxWait) -> None:
        self._sessions = deps.sessions
        self._session = session
        self._wait = wait
        self._sleep = deps.sleep
        self._group = asyncio.TaskGroup()
        self._task: _Spoken | None = None
        self._refused = ""

    async def __aenter__(self) -> Self:
        self._group = asyncio.TaskGroup()
        await self._group.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._give_up()
        # The group is not told of the exception: it would wrap it. The task raises none.
        await self._group.__aexit__(None, None, None)

    async def first(self, spoken: Awaitable[tuple[int, ...]], *, more: bool) -> tuple[int, ...]:
        """Have it spoken; return when Telegram has it, or when a message waits, and then it goes on beside.

        Args:
            spoken: Brings it to Telegram.
            more: Something waits already, of which no doorbell will tell.

        Returns:
            The message's id, as the only one; nothing where there is none yet, or none at all.

        Raises:
            ClaimLost: another worker owns the session.
        """
        self._task = task = self._group.create_task(_as_value(spoken), name="spoken")
        if more or not await self._done():
            return ()
        done = self._ended(task)
        if isinstance(done, ClaimLost):
            raise done
        return () if isinstance(done, Exception) else done

    def refused(self) -> str:
        """Why Telegram did not take one that has ended, in its words; told once."""
        words, self._refused = self._refused, ""
        return words

    async def rest(self) -> None:
        """Before the inbox is read and the session perhaps released: wait for it, unless a message waits."""
        if (task := self._task) is not None and await self._done():
            self._ended(task)
        self._wait.reading()

    async def over(self) -> None:
        """Before the next reply: wait for it a moment, then give it up."""
        if self._task is not None:
            async with asyncio.TaskGroup() as group:
                nap = group.create_task(self._nap(), name="patience")
                await asyncio.wait((self._task, nap), return_when=asyncio.FIRST_COMPLETED)
                nap.cancel()
            self._give_up()

    def _ended(self, task: _Spoken) -> tuple[int, ...] | Exception:
        self._task = None
        done = task.result()
        if isinstance(done, Undeliverable):
            self._refused = str(done)
        return done

    async def _done(self) -> bool:
        """Whether it has ended before a message came; a doorbell without one is waited out."""
        task = self._task
        while task is not None and not task.done():
            if await self._is_wanted():
                return task.done()
            await self._wait.first(task)
        return True

    async def _is_wanted(self) -> bool:
        """Whether messages wait for the session; while Redis is away they may."""
        with suppress(StoreUnavailable):
            return bool(await self._sessions.behind(self._session, 0))
        return True

    async def _nap(self) -> None:
        await self._sleep(PATIENCE_S)

    def _give_up(self) -> None:
        if self._task is not None and self._task.done() and not self._task.cancelled():
            self._ended(self._task)
        elif self._task is not None:
            log.warning("voice.failed", extra={"problem": "the chat went on without it"})
            self._task.cancel()
        self._task = None


async def _as_value(spoken: Awaitable[tuple[int, ...]]) -> tuple[int, ...] | Exception:
    """An exception as a value: it must not end the session's other work, and its text stands in the chat."""
    try:
        return await spoken
    except Exception as problem:  # noqa: BLE001 - of any kind, it is a voice that does not come
        if not isinstance(problem, ClaimLost):
            words = f": {problem}" if isinstance(problem, Undeliverable) else ""
            log.warning("voice.failed", extra={"problem": f"{type(problem).__name__}{words}"})
        return problem
