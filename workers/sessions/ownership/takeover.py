"""A control word for a session that another worker owns: is that one alive, and if not, who carries the word out."""

import logging

from tasks.errors import StoreUnavailable
from tasks.session import SessionKey
from workers.sessions.dependencies import Dependencies

log = logging.getLogger("cohort.turns")

ANSWERS_WITHIN_S = 0.6
"""A living worker renews its heartbeat within milliseconds of being asked. A person is to wait a second at most."""


async def free(deps: Dependencies, session: SessionKey) -> bool:
    """Free a session whose owner died or stands still; its user said stop, and every living worker hears it.

    A worker that is only slow may be taken for dead. Its turn is to end anyway, its writes are refused from then on,
    and a session with an undelivered reply is left to it: so no answer comes twice.

    Returns:
        Whether it is free, by this worker's doing.
    """
    owners = deps.sessions.owners
    try:
        owner = await owners.of(session)
        if owner is None or owner.incarnation == deps.incarnation:
            # A doorbell finds it, or has found it.
            return False
        await deps.places.pass_on(session, owner.incarnation, control=True)
        if not owner.is_gone:
            await owners.ask()
            await deps.sleep(ANSWERS_WITHIN_S)
        freed = await owners.evict(session, owner)
    except StoreUnavailable as problem:
        # The word waits in the inbox.
        log.warning("takeover.missed", extra={"session": str(session), "problem": str(problem)})
        return False
    if freed:
        log.warning("takeover.freed", extra={"session": str(session), "owner": owner.incarnation})
    return freed
