"""Runs one worker process: Celery in the main thread, everything asyncio in the loop thread."""

import asyncio
import logging
import os
import socket
from collections.abc import Coroutine
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import uuid4

from celery.signals import worker_ready

from tasks.app import make_app
from tasks.clock import SystemClock
from tasks.config.settings import Settings
from tasks.doorbell import Doorbells
from tasks.errors import StoreUnavailable
from tasks.kept_mark import KeptMark
from tasks.publishing import Publisher, WorkNow
from tasks.status.worker import WorkerStatus
from tasks.store_watch import watch_store
from tasks.telemetry import loop_lag, metrics, metrics_server
from tasks.telemetry.logs import bind_fields
from tasks.turn import bind
from workers.process import standstill
from workers.process.celery_pool import pool_on
from workers.process.celery_worker import CohortConsumer, CohortWorker, Consumers, bind_commands, quiet_celery
from workers.process.forgetting import Forgetting, HomeDisk, Retention, tidy_files
from workers.process.loop_thread import LoopThread, LoopThreadPort
from workers.process.membership import Member
from workers.process.memory import limit_of, recycle, require_room
from workers.process.naming import keep_name, take_name
from workers.process.pausing import tell
from workers.process.start import freeze_startup_objects, no_steps
from workers.process.wiring import WorkerAssembly, open_worker
from workers.runtime.engine import Engine
from workers.runtime.patches.remote_agents import away as agents_away
from workers.sessions.dependencies import StepHook
from workers.sessions.scheduler import SessionScheduler

log = logging.getLogger("cohort.worker")

AWAKE_PER_LANE = 4
"""Sessions that a sweep may keep awake for each lane. A session that waits for Telegram's limits holds no lane."""

DOORBELLS_PER_LANE = 16
"""Doorbells that may run for each lane. A doorbell runs until its session sleeps, also while that waits for a lane. One
person in many chats must not take all places, and a turn's sender is known only when its session is awake."""


def run(settings: Settings, *, steps: StepHook = no_steps) -> None:
    """Run a worker until SIGTERM.

    Raises:
        Misconfigured: a setting or a card is wrong.
        StoreUnavailable: Redis is away at start.
    """
    incarnation = settings.incarnation or f"w-{uuid4().hex[:10]}"
    app = make_app(settings)
    consumers = Consumers(app)
    doorbells = Doorbells(app, slots=settings.slots)
    loop_side = _LoopSide(settings, incarnation, consumers, doorbells, steps)
    loop_thread = LoopThread(loop_side.serve)
    loop_port = loop_thread.start()
    bind(app, loop_port)
    bind_commands(loop_port, lambda: worker)
    quiet_celery()
    worker = CohortWorker(
        loop_port=loop_port,
        app=app,
        hostname=loop_side.name.result(),
        pool=pool_on(loop_port),
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
        loop_port.start()

    worker_ready.connect(ready)
    try:
        worker.start()
    finally:
        loop_port.start()
        loop_port.drain()
        loop_thread.join()
    log.info("worker.ended", extra={"incarnation": incarnation})


@dataclass(frozen=True, slots=True)
class _LoopSide:
    """The asyncio side of this worker, from its first connection to its last."""

    settings: Settings
    incarnation: str
    consumers: Consumers
    doorbells: Doorbells
    steps: StepHook
    name: Future[str] = field(default_factory=Future[str])
    """The worker's name for Celery; done when the loop thread is ready."""

    async def serve(self, thread: LoopThread) -> None:
        """Open everything, take slots when Celery consumes, and drain when the worker is told to end."""
        settings, incarnation = self.settings, self.incarnation
        bind_fields(incarnation=incarnation)
        async with (
            open_worker(settings, incarnation, clock=SystemClock(), steps=self.steps) as worker,
            asyncio.TaskGroup() as loops,
        ):
            freeze_startup_objects()
            require_room(settings.worker_max_rss_mib)
            nodes, ttl = worker.store.nodes, settings.heartbeat_ttl
            self.name.set_result(node := await take_name(nodes, incarnation, ttl))
            naming = loops.create_task(keep_name(nodes, node, incarnation, ttl), name="name")
            capacity = settings.lanes * AWAKE_PER_LANE
            scheduler = SessionScheduler(worker.dependencies, loops, capacity=capacity, paused=worker.holds)
            disk = HomeDisk(settings.home)
            status = partial(_status, settings, scheduler, worker, node)
            forgetting = Forgetting(scheduler, worker.engine.lanes, settings.home, worker.store.own)
            member = Member(
                worker.dependencies,
                worker.store,
                scheduler,
                consume=self.consumers.serve,
                status=lambda: status().model_copy(update={"keeps_no_files": disk.refuses}),
                forget=forgetting.expired,
                settings_here=worker.bots and worker.bots.settings_here,
            )
            _measure(scheduler, worker.engine, member)
            metrics_server.serve(settings.metrics_port, settings.metrics_host)
            thread.ready.set_result(
                LoopThreadPort(thread, scheduler, loops, reload=worker.reload, forget=forgetting.forget)
            )
            # A worker that took slots before it consumes would keep their doorbells waiting.
            await thread.consuming.wait()
            async with asyncio.TaskGroup() as group:
                publisher = _publisher(settings, incarnation, scheduler, worker, member)
                beside = {"member": member.run(), "publisher": publisher.run(), "disk": disk.follow()}
                beside |= _beside(settings, worker, member)
                helpers = [group.create_task(work, name=name) for name, work in beside.items()]
                log.info("worker.ready", extra={"lanes": settings.lanes, "node": node})
                await thread.stopping.wait()
                log.info("worker.draining", extra={"at_work": scheduler.at_work})
                await member.leave()
                left = await scheduler.drain(settings.drain_grace.total_seconds())
                # The heartbeat goes on until here: it holds the claims of the turns that ran.
                for helper in (*helpers, naming):
                    helper.cancel()
                await publisher.end()
            with suppress(StoreUnavailable):
                await worker.store.members.report_death(incarnation)
                # Their new owners may have swept before these turns ended.
                await asyncio.to_thread(self.doorbells.send, [(session, 0) for session in left])


def _beside(settings: Settings, worker: WorkerAssembly, member: Member) -> dict[str, Coroutine[Any, Any, None]]:
    """What runs beside the turns until the worker has drained, by name."""
    clock, alerts = SystemClock(), worker.dependencies.alerts
    retention = Retention(worker.store, clock, keep_days=settings.keep_days)
    return {
        "retention": retention.run(lambda: 0 in member.slots),
        "pauses": worker.pauses.watch(tell),
        "store": watch_store(
            worker.store.layout,
            emptied=alerts.emptied,
            put_back=alerts.put_back,
            evicts=alerts.evicts,
            kept=KeptMark(settings.home, settings.redis),
        ),
        "loop lag": loop_lag.measure(clock.monotonic),
        "standstill": standstill.watch(),
        "files": tidy_files(settings.home, clock, settings.ask_ttl),
        "recycle": recycle(limit_of(settings.worker_max_rss_mib, lambda: member.on_this_host)),
        "titles": worker.titles.run(),
        "mended cards": worker.follow_mended(),
        **({"bots": worker.follow_bots()} if worker.bots is not None else {}),
    }


def _measure(scheduler: SessionScheduler, engine: Engine, member: Member) -> None:
    """Have metrics read what is current when they are asked."""
    metrics.watch(metrics.AWAKE, lambda: scheduler.awake)
    metrics.watch(metrics.AT_WORK, lambda: scheduler.at_work)
    metrics.watch(metrics.LANES_BUSY, lambda: engine.busy)
    metrics.watch(metrics.QUEUED, lambda: engine.waiting)
    metrics.watch(metrics.WORK, lambda: max(scheduler.awake, member.backlog))
    metrics.watch(metrics.SERVERS_DOWN, lambda: len(engine.servers_down))
    metrics.watch(metrics.PARKED, lambda: member.parked)
    metrics.watch(metrics.SLOTS, lambda: len(member.slots))


def _publisher(
    settings: Settings, incarnation: str, scheduler: SessionScheduler, worker: WorkerAssembly, member: Member
) -> Publisher:
    engine = worker.engine
    work = WorkNow(
        oldest_s=lambda: max(engine.lanes.longest_wait_s, member.oldest_s),
        running=lambda: max(0, scheduler.at_work - engine.waiting),
        lanes=settings.lanes,
    )
    return Publisher(worker.store.figures, incarnation, SystemClock(), work)


def _status(settings: Settings, scheduler: SessionScheduler, worker: WorkerAssembly, node: str) -> WorkerStatus:
    engine = worker.engine
    agents_of = engine.sets.named()
    common, own = (
        engine.sets.common.choices.descriptions,
        {bot: engine.sets.descriptions_of(int(bot)) for bot in agents_of},
    )
    metrics.LANES.set(settings.lanes)
    metrics.BREAKER.clear()
    for model, trouble in engine.breaker.failing.items():
        metrics.BREAKER.labels(metrics.bounded("model", model)).set(trouble.open)
    return WorkerStatus(
        host=socket.gethostname(),
        node=node,
        pid=os.getpid(),
        lanes=settings.lanes,
        awake=scheduler.awake,
        at_work=scheduler.at_work,
        queued=engine.waiting,
        queued_s=round(engine.lanes.longest_wait_s, 1),
        turns=scheduler.turns,
        agents=tuple(engine.agents),
        agents_of=agents_of,
        descriptions=common.usual,
        descriptions_of={bot: one.usual for bot, one in own.items()},
        translated=common.translated,
        translated_of={bot: one.translated for bot, one in own.items()},
        commands=common.commands,
        commands_of={bot: one.commands for bot, one in own.items()},
        model_facts={name: engine.sets.common.choices.facts(name) for name in settings.models},
        servers_down=tuple(engine.servers_down),
        agents_away=agents_away(),
        cards_kept="; ".join(engine.sets.stand_ins),
        models=engine.breaker.failing,
        sends=worker.sends(),
    )
