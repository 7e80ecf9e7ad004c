"""The composition root: everything a worker is made of, put together in one place."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from botapi.pacing import Pacing
from tasks.clock import Clock
from tasks.settings import Settings
from tasks.store import Store, connect
from tasks.store.pacing import Limits, PaceStore
from workers.runtime.engine import Engine
from workers.sessions.alerts import Alerts
from workers.sessions.dependencies import Dependencies, Steps
from workers.sessions.heartbeat import Heartbeat
from workers.telegram.client import client
from workers.telegram.delivery import TelegramDelivery
from workers.telegram.media import TelegramMedia


@dataclass(frozen=True, slots=True)
class WorkerAssembly:
    """What the process itself needs, beside what turn loops need."""

    store: Store
    engine: Engine
    dependencies: Dependencies


@asynccontextmanager
async def open_worker(
    settings: Settings, incarnation: str, *, clock: Clock, steps: Steps
) -> AsyncGenerator[WorkerAssembly]:
    """Open everything, in the order in which it needs each other; closed the other way round.

    Raises:
        Misconfigured: a setting or a card is wrong.
        StoreUnavailable: Redis is away.
    """
    limits = Limits.of(settings.send_rate)
    async with (
        connect(settings, clock) as store,
        client(settings, Pacing(PaceStore(store.redis, clock, limits), settings.bot_id, clock)) as bot,
        Engine(
            settings,
            clock,
            media=TelegramMedia(bot, settings, clock),
            notes=store.notes,
            reminders=store.tool_reminders,
            alert=(alerts := Alerts(settings, store.alerts, store.intake)).raise_,
        ) as engine,
    ):
        dependencies = Dependencies(
            incarnation=incarnation,
            settings=settings,
            sessions=store.sessions,
            moves=store.moves,
            reminders=store.reminders,
            runtime=engine,
            delivery=TelegramDelivery(bot, settings, clock),
            alerts=alerts,
            clock=clock,
            heartbeat=Heartbeat(clock, settings.heartbeat_ttl),
            steps=steps,
        )
        yield WorkerAssembly(store, engine, dependencies)
