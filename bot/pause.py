"""Whether an operator has paused the intake: looked up once a second, so that an update costs nothing more."""

import logging
from collections.abc import Awaitable, Callable, Sequence

from tasks.errors import Retryable
from tasks.store.pauses import Pauses, PauseView

log = logging.getLogger("cohort.bot")


class IntakePaused(Retryable):
    """The intake is paused; nothing is confirmed, so Telegram keeps the updates (for 24 hours)."""


def tell(before: Pauses, now: Pauses) -> None:
    """Log that the intake was paused or goes on."""
    if now.intake is not None and before.intake is None:
        log.warning("intake.paused")
    elif before.intake is not None and now.intake is None:
        log.warning("intake.resumed")


def held[T](
    take: Callable[[Sequence[object]], Awaitable[T]], view: PauseView
) -> Callable[[Sequence[object]], Awaitable[T]]:
    """``take``, which refuses while the intake is paused."""

    async def refusing(updates: Sequence[object]) -> T:
        if view.intake:
            raise IntakePaused
        return await take(updates)

    return refusing
