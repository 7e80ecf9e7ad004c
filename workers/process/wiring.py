"""The composition root: everything a worker is made of, put together in one place."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass

from botapi.client import Connection, connected
from botapi.pacing import Pacing
from tasks.bots import ServedBot
from tasks.clock import Clock
from tasks.config.settings import Settings
from tasks.errors import StoreUnavailable
from tasks.operator_files.watched import Watched
from tasks.session import SessionKey
from tasks.status.worker import Sends
from tasks.store import Store, connect
from tasks.store.pauses import PauseView
from tasks.store.processes.own import RELOAD
from tasks.telemetry.logs import hash_sessions
from workers.placing import OnePlace
from workers.process.loop_thread import end_process
from workers.process.places import SharedPlace
from workers.process.served_bots import ServedBots, watched_bots
from workers.runtime import last_good
from workers.runtime.engine import Engine
from workers.sessions.alerts import Alerts, in_charge
from workers.sessions.commands.titles import TopicTitles, wanted_by
from workers.sessions.dependencies import Dependencies, StepHook
from workers.sessions.heartbeat import Heartbeat
from workers.sessions.spending import Spending
from workers.speech import Speaker, speaker
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
    pauses: PauseView
    """Whether an operator has paused turns."""
    titles: TopicTitles
    """Names topics."""
    sends: Callable[[], Sends]
    """What was sent to Telegram lately."""
    bots: ServedBots | None
    """Where there are several."""

    def holds(self, session: SessionKey) -> bool:
        """Whether the session begins no turn here: it is paused, or its bot cannot be served.

        This worker has no token of that bot, or the bot's own cards or rules cannot be used.
        """
        if self.pauses.holds(session):
            return True
        return self.bots is not None and not (self.bots.serves(session) and self.engine.serves(session))

    async def follow_bots(self) -> None:
        """Follow the file of the bots, and read the cards that they have by then, until cancelled."""
        if self.bots is not None:
            await self.bots.watch(self.engine.sets.refresh)

    async def follow_mended(self) -> None:
        """Where cards are used that were kept, have the operator's read when they can be used, until cancelled."""
        await last_good.come_back(self.engine, self.reload, alert=self.dependencies.alerts.raise_, end=end_process)

    async def reload(self) -> tuple[str, ...]:
        """Let changed cards in, here and in the sessions' own processes; see ``Engine.reload``."""
        agents = await self.engine.reload()
        with suppress(StoreUnavailable):  # each of them ends when it rests, and the next one reads the new cards
            await self.store.own.tell_all(RELOAD)
        return agents


@asynccontextmanager
async def open_worker(
    settings: Settings, incarnation: str, *, clock: Clock, steps: StepHook, own: bool = False
) -> AsyncGenerator[WorkerAssembly]:
    """Open everything, in the order in which it needs each other; closed the other way round.

    Args:
        settings: The settings.
        incarnation: Of this process.
        clock: Tells the time.
        steps: Failpoints.
        own: It is the process of one session; otherwise sessions that need such a process are sent away.

    Raises:
        Misconfigured: a setting or a card is wrong.
        StoreUnavailable: Redis is away.
    """
    bots = None if settings.bots is None else watched_bots(settings)
    token = settings.token if bots is None else bots.now[0].token
    async with (
        _store(settings, clock) as (store, pauses),
        connected(token, settings.telegram_base_url, connections=_connections(settings.lanes)) as telegram,
        speaker(settings, lambda cause, about: alerts.raise_(cause, about)) as voice,  # noqa: PLW0108 - made below
        AsyncExitStack() as stack,
    ):
        told = _telegram_side(settings, bots, telegram, store, clock=clock, voice=voice)
        served = told.bots
        alerts = _alerts(settings, store, served)
        engine = await last_good.opened(
            stack, settings, lambda chosen: _engine(chosen, store, told, clock=clock, alerts=alerts)
        )
        if served is not None and not own:
            await engine.sets.refresh()
        titles = _titles(settings, store, engine, told, clock=clock, alerts=alerts)
        dependencies = Dependencies(
            incarnation=incarnation,
            settings=settings,
            sessions=store.sessions,
            journal=store.journal,
            moves=store.moves,
            earlier=store.earlier,
            reminders=store.reminders,
            runtime=engine,
            delivery=told.delivery,
            alerts=alerts,
            closed=store.closed,
            intake=store.intake,
            clock=clock,
            heartbeat=Heartbeat(clock, settings.heartbeat_ttl),
            steps=steps,
            titles=titles,
            expire=store.erasure.expire,
            of_bot=served and served.dependencies,
            agents_of=served and engine.sets.agents_of,
            descriptions_of=lambda bot: engine.sets.descriptions_of(bot).spoken(),
            model_facts=engine.sets.common.choices.facts,
            places=OnePlace() if own else SharedPlace(store.own, engine.isolated, clock),
        )
        yield WorkerAssembly(store, engine, dependencies, pauses, titles, told.sends, served)


@dataclass(frozen=True, slots=True)
class _TelegramSide:
    """How a worker reaches Telegram: as its one bot, or as each of several."""

    delivery: TelegramDelivery
    media: TelegramMedia | None
    """The files of the one bot; None where ``bots`` has those of each."""
    sends: Callable[[], Sends]
    bots: ServedBots | None


def _telegram_side(  # noqa: PLR0913 - what both kinds are made of
    settings: Settings,
    bots: Watched[tuple[ServedBot, ...]] | None,
    telegram: Connection,
    store: Store,
    *,
    clock: Clock,
    voice: Speaker | None,
) -> _TelegramSide:
    if bots is not None:
        served = ServedBots(settings, bots, telegram, store.pace, clock, speaker=voice)
        return _TelegramSide(served.delivery, None, served.sends, served)
    pacing = Pacing(store.pace, settings.bot_id, clock)
    bot = telegram.bot(pacing)
    delivery = TelegramDelivery(bot, settings, clock, speaker=voice)
    return _TelegramSide(delivery, TelegramMedia(bot, settings, clock), pacing.lately, None)


def _alerts(settings: Settings, store: Store, served: ServedBots | None) -> Alerts:
    def operators() -> Awaitable[Sequence[SessionKey]]:
        return in_charge({settings.bot_id: settings} if served is None else served.all_settings(), store.people)

    named = served.named if served is not None else None
    return Alerts(store.alerts, store.intake, operators=operators, named=named)


def _engine(settings: Settings, store: Store, told: _TelegramSide, *, clock: Clock, alerts: Alerts) -> Engine:
    return Engine(
        settings,
        clock,
        media=told.media,
        notes=store.notes,
        reminders=store.tool_reminders,
        logins=store.logins,
        people=store.people,
        alert=alerts.raise_,
        bots=told.bots,
    )


def _titles(  # noqa: PLR0913 - what naming a topic takes
    settings: Settings, store: Store, engine: Engine, told: _TelegramSide, *, clock: Clock, alerts: Alerts
) -> TopicTitles:
    served = told.bots

    def spending(session: SessionKey) -> Spending:
        own = settings if served is None else served.settings(session.bot)
        return Spending(session, store.sessions, own, clock)

    wanted = wanted_by(settings, engine.chats.of)
    return TopicTitles(
        wanted,
        engine,
        served or told.delivery,
        spending=spending,
        named=store.named_topics.has,
        alert=alerts.raise_,
        clock=clock,
    )


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
