"""Tells that an operator has paused turns, or lets them go on."""

import logging

from tasks.store.pauses import Pauses

log = logging.getLogger("cohort.pauses")


def tell(before: Pauses, now: Pauses) -> None:
    """Log it. Nothing is woken when turns go on: the next sweep finds every session that has work."""
    if _held(before) == _held(now):
        return
    if now.turns is None and not now.sessions and not now.turns_of:
        log.warning("turns.resumed")
    else:
        log.warning(
            "turns.paused",
            extra={"sessions": 0 if now.turns is not None else len(now.sessions), "bots": sorted(now.turns_of)},
        )


def _held(pauses: Pauses) -> object:
    return pauses.turns is None, pauses.sessions.keys(), pauses.turns_of.keys()
