"""One worker process: boot, ready, drain, exit; Celery in the main thread, everything asyncio in the loop thread."""

import asyncio
import gc
import logging
import os
import socket
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from typing import Any
from uuid import uuid4

from celery.signals import worker_ready

from tasks import metrics
from tasks.app import make_app
from tasks.clock import SystemClock
from tasks.doorbell import Doorbells
from tasks.errors import StoreUnavailable
from tasks.settings import Settings
from tasks.telemetry import bind_fields
from tasks.turn import bind
from workers.process.celery_pool import pool_on
from workers.process.celery_worker import CohortConsumer, CohortWorker, Consumers, bind_commands, quiet_celery
from workers.process.loop_thread import LoopThread, LoopThreadPort
from workers.process.membership import Member
from workers.process.memory import recycle
from workers.process.wiring import wired
from workers.runtime.engine import Engine
from workers.sessions.dependencies import Steps
from workers.sessions.scheduler import SessionScheduler

log = logging.getLogger("cohort.worker")

AWAKE_PER_LANE = 4
"""A session that waits for Telegram's limits, say, is awake and holds no lane."""

DOORBELLS_PER_LANE = 16
"""Doorbells that wait for their sessions to sleep again. Each session that waits for a lane keeps one, and those of one
person in many chats must not take all places: a turn's sender is known only once its session is awake."""

_YOUNG_OBJECTS = 20_000
"""Allocations between two collections; with Python's 2,000 they take a tenth of a turn's time."""


def settle() -> None:
    """Have the garbage collector pass over what was made at start: modules, cards and lanes stay to the end."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG_OBJECTS, 20, 50)
    gc.enable()


def no_steps(_name: str) -> None:
    """Test builds put failpoints here."""


def run(settings: Settings, *, steps: Steps = no_steps) -> None:
    """Be a worker until SIGTERM.

    Raises:
        Misconfigured: a setting or a card is wrong.
        StoreUnavailable: Redis is away at start.
    """
    incarnation = settings.incarnation or f"w-{uuid4().hex[:10]}"
    hostname = f"{incarnation}@{socket.gethostname()}"
    app = make_app(settings)
    consumers = Consumers(app, hostname)
    doorbells = Doorbells(app, slots=settings.slots)
    loop_thread = LoopThread(
        lambda thread: _serve(
            settings, incarnation, thread=thread, consumers=consumers, doorbells=doorbells, steps=steps
        )
    )
    host = loop_thread.start()
    bind(app, host)
    bind_commands(host, lambda: worker)
    quiet_celery()
    worker = CohortWorker(
        host=host,
        app=app,
        hostname=hostname,
        pool=pool_on(host),
        concurrency=settings.lanes * DOORBELLS_PER_LANE,
        consumer_cls=CohortConsumer,
        loglevel=settings.log_level.upper(),
        without_mingle=True,
        without_gossip=True,
        task_events=True,
        quiet=True,
    )
    consumers.bind(worker)

    def ready(**_: Any) -> None:
        host.start()

    worker_ready.connect(ready)
    try:
        worker.start()
    finally:
        host.start()
        host.drain()
        loop_thread.join()
    log.info("worker.ended", extra={"incarnation": incarnation})


async def _serve(
    settings: Settings,
    incarnation: str,
    *,
    thread: LoopThread,
    consumers: Consumers,
    doorbells: Doorbells,
    steps: Steps,
) -> None:
    """The loop thread's whole life."""
    bind_fields(incarnation=incarnation)
    started, stop = asyncio.Event(), asyncio.Event()
    clock = SystemClock()
    async with wired(settings, incarnation, clock=clock, steps=steps) as parts, asyncio.TaskGroup() as loops:
        settle()
        scheduler = SessionScheduler(parts.turns, loops, awake=settings.lanes * AWAKE_PER_LANE)
        member = Member(
            settings,
            incarnation,
            members=parts.store.members,
            sessions=parts.store.sessions,
            reminders=parts.store.reminders,
            scheduler=scheduler,
            pulse=parts.turns.pulse,
            consume=consumers.serve,
            about=partial(_about, settings, scheduler, parts.engine),
        )
        metrics.watch(metrics.AWAKE, lambda: scheduler.awake)
        metrics.watch(metrics.AT_WORK, lambda: scheduler.at_work)
        metrics.watch(metrics.SERVERS_DOWN, lambda: len(parts.engine.servers_down))
        metrics.watch(metrics.SLOTS, lambda: len(member.slots))
        metrics.serve(settings.metrics_port)
        reload = parts.engine.reload
        thread.ready.set_result(LoopThreadPort(thread, scheduler, loops, reload=reload, started=started, stop=stop))
        # Slots that move to a worker before it consumes would stand still meanwhile.
        await started.wait()
        async with asyncio.TaskGroup() as group:
            beating = group.create_task(member.run(), name="member")
            watching = group.create_task(recycle(settings.worker_max_rss_mib), name="recycle")
            log.info("worker.ready", extra={"lanes": settings.lanes})
            await stop.wait()
            log.info("worker.draining", extra={"at_work": scheduler.at_work})
            await member.leave()
            left = await scheduler.drain(settings.drain_grace.total_seconds())
            beating.cancel()
            watching.cancel()
        with suppress(StoreUnavailable):
            await parts.store.members.report_death(incarnation)
            await asyncio.to_thread(doorbells.ring, [(session, 0) for session in left])


def _about(settings: Settings, scheduler: SessionScheduler, runtime: Engine) -> Mapping[str, Any]:
    """What the heartbeat says of this worker, for `cohort status`."""
    return {
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "lanes": settings.lanes,
        "awake": scheduler.awake,
        "at_work": scheduler.at_work,
        "turns": scheduler.turns,
        "agents": list(runtime.agents),
        "servers_down": list(runtime.servers_down),
    }
