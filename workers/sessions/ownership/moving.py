"""The two steps of a group's session when the group becomes a supergroup, as its turn loop takes them."""

import asyncio
import logging
from collections.abc import Sequence

from tasks import session_files
from tasks.errors import ClaimLost
from tasks.session import SessionKey
from workers.sessions.dependencies import Dependencies
from workers.sessions.ownership.owned_session import OwnedSession, persist

log = logging.getLogger("cohort.turns")

_FETCH_AGAIN_S = 0.5
"""Seconds between two looks at the old session, while its last turn still runs there."""


async def move(owned: OwnedSession, new: SessionKey, entries: Sequence[bytes]) -> None:
    """Release the session of a group that became a supergroup; it goes on as ``new``.

    Raises:
        ClaimLost: it was released.
    """
    await owned.leave(new, entries)
    # An entry that was fetched from the old session says that the group moved here. It was dropped; that is all.
    if new != owned.session:
        log.info("session.moved", extra={"moved": str(new)})
        raise ClaimLost


async def fetch(deps: Dependencies, owned: OwnedSession, old: SessionKey) -> bool:
    """Take over what is left in ``old``; returns whether the head of the inbox is still the same."""
    # First: a worker that dies behind them comes here again.
    await _with_files(deps, old, owned.session)
    await persist(lambda: deps.reminders.move(old, owned.session), owned.session, deps.sleep)
    replaced = await owned.fetch(old)
    if replaced is None:
        await deps.sleep(_FETCH_AGAIN_S)
        return True
    log.info("session.fetched", extra={"moved": str(old)})
    return not replaced


async def _with_files(deps: Dependencies, old: SessionKey, new: SessionKey) -> None:
    """Have what this machine keeps of the group in the supergroup's directory; without it the session goes on."""
    try:
        await asyncio.to_thread(session_files.move, deps.settings.home, old, new)
    except OSError as problem:
        log.warning("session.files_left", extra={"moved": str(old), "problem": type(problem).__name__})
