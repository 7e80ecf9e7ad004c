"""Whether an operator has paused the intake: looked up once a second, so that an update costs nothing more."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

from tasks.errors import Retryable, StoreUnavailable
from tasks.store.pauses import PauseView

log = logging.getLogger("cohort.bot")

LOOK_EVERY = timedelta(seconds=1)


class IntakePaused(Retryable):
    """The intake is paused; nothing is confirmed, so Telegram keeps the updates (for 24 hours)."""


async def watch(view: PauseView, *, every: timedelta = LOOK_EVERY) -> None:
    """Keep the view current until cancelled; without Redis it stays as it is."""
    while True:
        was = view.intake
        try:
            await view.refresh()
        except StoreUnavailable:
            log.debug("store.unavailable")
        if view.intake and not was:
            log.warning("intake.paused")
        elif was and not view.intake:
            log.warning("intake.resumed")
        await asyncio.sleep(every.total_seconds())


def held[T](
    take: Callable[[Sequence[object]], Awaitable[T]], view: PauseView
) -> Callable[[Sequence[object]], Awaitable[T]]:
    """``take``, which refuses while the intake is paused."""

    async def refusing(updates: Sequence[object]) -> T:
        if view.intake:
            raise IntakePaused
        return await take(updates)

    return refusing
