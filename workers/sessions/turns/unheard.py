"""A turn whose chat takes nothing any more ends, as by a /stop: it costs money, and no person can read it."""

import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress

from tasks.chats.closed import why
from tasks.errors import StoreUnavailable
from tasks.session import SessionKey
from tasks.stopping import stop_word
from tasks.store.intake import Accept
from workers.sessions.dependencies import Dependencies
from workers.showing import Unheard

log = logging.getLogger("cohort.turns")

_ENDS = ("blocked", "removed", "gone", "muted")
"""Of the reasons for which a chat is closed those that leave an answer no way out."""


def unheard(deps: Dependencies, session: SessionKey, interrupt: Callable[[], Awaitable[None]]) -> Unheard:
    """What ends a session's turn: a /stop goes behind what waits, so what was said stays, and nothing more is asked.

    Args:
        deps: Of the turn loop.
        session: Whose turn it is.
        interrupt: Has the turn loop read its inbox.
    """

    async def end(said: str) -> None:
        # Most refusals end nothing: the answer may still come, in another form or place.
        if (reason := why(said)) not in _ENDS or session.inline is not None:
            return
        with suppress(StoreUnavailable):
            number = await deps.reminders.number()
            await deps.intake.accept(session.bot, [Accept(number, stop_word(session, number, deps.clock.now()))])
            log.warning("turn.unheard", extra={"reason": reason})
            await interrupt()

    return end
