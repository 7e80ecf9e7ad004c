"""Typing while an answer waits for its turn: a group takes 20 messages a minute, and many topics may have theirs."""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager

from telegram.error import TelegramError

from botapi.calls import Calls
from botapi.pacing import RateLimited
from tasks.errors import ClaimLost, StoreUnavailable
from tasks.session import SessionKey


@contextmanager
def typing_meanwhile(calls: Calls, session: SessionKey, every: float) -> Generator[None]:
    """Show typing in a group every so many seconds, first after so many, until the block ends.

    A private chat waits for a second, or for a flood, in which Telegram takes no sign either.
    """
    if session.chat > 0 or session.inline is not None:
        yield
        return
    loop, begun = asyncio.get_running_loop(), list[asyncio.Task[None]]()

    def begin() -> None:
        begun.append(loop.create_task(_type(calls, session, every), name=f"waits {session}"))

    later = loop.call_later(every, begin)
    try:
        yield
    finally:
        later.cancel()
        for task in begun:
            task.cancel()


async def _type(calls: Calls, session: SessionKey, every: float) -> None:
    while True:
        pause = every
        try:
            await calls.typing(session)
        except RateLimited as dropped:
            pause = max(dropped.seconds, every)
        except StoreUnavailable:
            pass
        except (TelegramError, ClaimLost):
            return
        await asyncio.sleep(pause)
