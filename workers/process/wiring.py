"""The composition root: everything a worker is made of, put together in one place."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from botapi.client import connected
from botapi.pacing import Pacing
from tasks.clock import Clock
from tasks.settings import Settings
from tasks.store import Store, connect
from tasks.store.pauses import PauseView
from tasks.telemetry import hash_sessions
from workers.runtime.engine import Engine
from workers.sessions.alerts import Alerts
from workers.sessions.dependencies import Dependencies, Steps
from workers.sessions.heartbeat import Heartbeat
from workers.sessions.spending import Spending
from workers.sessions.titles import TopicTitles, wanted_by
from workers.telegram.delivery import TelegramDelivery
from workers.telegram.media import TelegramMedia

_CONNECTIONS_PER_LANE = 4
"""A lane's turn streams while the answers of earlier turns are still being delivered."""
_MOST_CONNECTIONS = 512


@dataclass(frozen=True, slots=True)
class WorkerAssembly:
    """What a worker process is made of."""

    store: Store
    """Redis."""
    engine: Engine
    dependencies: Dependencies
    pacing: Pacing
    """Knows what was sent to Telegram lately."""
    pauses: PauseView
    """Whether an operator has paused turns."""
    titles: TopicTitles
    """Names topics."""


@asynccontextmanager
async def open_worker(
    settings: Settings, incarnation: str, *, clock: Clock, steps: Steps
) -> AsyncGenerator[WorkerAssembly]:
    """Open everything, in the order in which it needs each other; closed the other way round.

    Raises:
        Misconfigured: a setting or a card is wrong.
        StoreUnavailable: Redis is away.
    """
    async with (
        _store(settings, clock) as (store, pauses),
        connected(settings.token, settings.telegram_base_url, connections=_connections(settings.lanes)) as telegram,
        Engine(
            settings,
            clock,
            media=TelegramMedia(
                bot := telegram.bot(pacing := Pacing(store.pace, settings.bot_id, clock)),
                settings,
                clock,
            ),
            notes=store.notes,
            reminders=store.tool_reminders,
            logins=store.logins,
            people=store.people,
            alert=(alerts := Alerts(settings, store.alerts, store.intake)).raise_,
        ) as engine,
    ):
        delivery = TelegramDelivery(bot, settings, clock)
        titles = TopicTitles(
            wanted_by(settings, engine.chats.of),
            engine,
            delivery,
            spending=lambda session: Spending(session, store.sessions, settings, clock),
            alert=alerts.raise_,
        )
        dependencies = Dependencies(
            incarnation=incarnation,
            settings=settings,
            sessions=store.sessions,
            journal=store.journal,
            moves=store.moves,
            earlier=store.earlier,
            reminders=store.reminders,
            runtime=engine,
            delivery=delivery,
            alerts=alerts,
            closed=store.closed,
            clock=clock,
            heartbeat=Heartbeat(clock, settings.heartbeat_ttl),
            steps=steps,
            titles=titles,
        )
        yield WorkerAssembly(store, engine, dependencies, pacing, pauses, titles)


@asynccontextmanager
async def _store(settings: Settings, clock: Clock) -> AsyncGenerator[tuple[Store, PauseView]]:
    """The store, and what has to be known of it: the engine takes seconds to start, and Redis may go away meanwhile."""
    async with connect(settings, clock) as store:
        hash_sessions(await store.trail.log_key())
        pauses = PauseView(store.pauses)
        await pauses.refresh()
        yield store, pauses


def _connections(lanes: int) -> int:
    """Requests to Telegram at the same time, at most."""
    return min(max(lanes * _CONNECTIONS_PER_LANE, 64), _MOST_CONNECTIONS)
