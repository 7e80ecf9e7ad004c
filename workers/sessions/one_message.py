"""A session of one inline message: once it is answered, nothing of it is kept."""

import asyncio
import logging
from contextlib import suppress

from tasks import session_files
from tasks.errors import StoreUnavailable
from tasks.session import SessionKey
from workers.sessions.dependencies import Dependencies

log = logging.getLogger("cohort.turns")


async def forget(deps: Dependencies, session: SessionKey) -> None:
    """Erase a session that was released; what Redis does not take now goes after ``COHORT_KEEP_DAYS``."""
    if session.inline is None or deps.expire is None:
        return
    # Times are kept in whole seconds.
    now = deps.clock.now() + 1
    with suppress(StoreUnavailable):
        if await deps.expire(session, now, now):
            await asyncio.to_thread(session_files.remove, deps.settings.home, [session], ())
            log.info("inline.forgotten")
