"""The name under which Celery and Flower know this worker: a lease, so that no two living workers have one name."""

import asyncio
import logging
import re
import socket
from collections.abc import Callable
from datetime import timedelta

from tasks.backoff import Backoff
from tasks.errors import StoreForbidden, StoreUnavailable
from tasks.store.processes.lease import NodeNames
from workers.process.loop_thread import end_process

log = logging.getLogger("cohort.worker")

_RENEWALS_PER_TTL = 3
_SUPERVISED = re.compile(r"worker-([1-9]\d{0,3})-")
"""How the supervisor of `cohort up` names an incarnation: its ``worker-2`` is ``cohort-2`` in Flower if it is free."""


async def take_name(names: NodeNames, incarnation: str, ttl: timedelta) -> str:
    """Take a name of this host. While Redis is away it waits, as the worker's other beginnings do."""
    supervised = _SUPERVISED.match(incarnation)
    backoff = Backoff(0.1, 2.0)
    while True:
        try:
            return await names.take(
                socket.gethostname(), incarnation, ttl, first=int(supervised[1]) if supervised else 1
            )
        except StoreForbidden:
            raise
        except StoreUnavailable as problem:
            log.warning("store.waiting", extra={"problem": str(problem)})
            await asyncio.sleep(backoff.next())


async def keep_name(
    names: NodeNames, name: str, incarnation: str, ttl: timedelta, *, end: Callable[[], None] = end_process
) -> None:
    """Renew the lease until cancelled.

    A worker that was suspended for longer than ``ttl`` may find that another one has its name. It cannot change the
    name while it runs, so it drains and ends, and its supervisor starts it with another one.
    """
    while True:
        try:
            if not await names.keep(name, incarnation, ttl):
                log.warning("worker.renamed", extra={"node": name})
                end()
                return
        except StoreUnavailable:
            pass  # the heartbeat, which needs Redis too, says so
        await asyncio.sleep(ttl.total_seconds() / _RENEWALS_PER_TTL)
