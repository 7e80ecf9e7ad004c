"""Whether an operator has paused turns: looked up once a second, so that a doorbell costs nothing more."""

import asyncio
import logging

from tasks.errors import StoreUnavailable
from tasks.store.pauses import PauseView

log = logging.getLogger("cohort.pauses")

_LOOK_EVERY_S = 1.0


async def watch(view: PauseView) -> None:
    """Keep the view current until cancelled; without Redis it stays as it is.

    Nothing is woken when turns go on: the next sweep finds every session that has work.
    """
    while True:
        before = view.now
        try:
            await view.refresh()
        except StoreUnavailable:
            log.debug("store.unavailable")
        now = view.now
        if (before.turns is None, before.sessions.keys()) != (now.turns is None, now.sessions.keys()):
            if now.turns is None and not now.sessions:
                log.warning("turns.resumed")
            else:
                log.warning("turns.paused", extra={"sessions": 0 if now.turns is not None else len(now.sessions)})
        await asyncio.sleep(_LOOK_EVERY_S)
