"""Tells that an operator has paused turns, or lets them go on."""

import logging

from tasks.store.pauses import Pauses

log = logging.getLogger("cohort.pauses")


def tell(before: Pauses, now: Pauses) -> None:
    """Log it. Nothing is woken when turns go on: the next sweep finds every session that has work."""
    if (before.turns is None, before.sessions.keys()) == (now.turns is None, now.sessions.keys()):
        return
    if now.turns is None and not now.sessions:
        log.warning("turns.resumed")
    else:
        log.warning("turns.paused", extra={"sessions": 0 if now.turns is not None else len(now.sessions)})
