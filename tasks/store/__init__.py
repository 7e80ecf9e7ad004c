"""Redis behind typed verbs: the only package that knows redis-py; each multi-key step is one script in ``lua/``."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from redis.asyncio import Redis

from tasks.clock import Clock, SystemClock
from tasks.config.settings import Settings
from tasks.store.chats.broadcasts import BroadcastStore
from tasks.store.chats.business import BusinessStore
from tasks.store.chats.closed_chats import ClosedChatStore
from tasks.store.chats.logins import LoginStore
from tasks.store.chats.named_topics import NamedTopics
from tasks.store.chats.overheard import OverheardStore
from tasks.store.chats.people import PeopleStore
from tasks.store.connection.redis import connection
from tasks.store.connection.server import RedisServer
from tasks.store.earlier import EarlierStore
from tasks.store.erasure import Erasure
from tasks.store.intake import IntakeStore
from tasks.store.journal import JournalStore
from tasks.store.layout import LayoutStore, check_layout, open_layout
from tasks.store.listing import SessionListing
from tasks.store.moves import Moves
from tasks.store.notes import NoteStore
from tasks.store.oversight import OversightStore
from tasks.store.pacing import Limits, PaceStore
from tasks.store.pauses import PauseStore
from tasks.store.processes.bots import BotStore
from tasks.store.processes.figures import FigureStore
from tasks.store.processes.lease import NodeNames, PollerLease
from tasks.store.processes.membership import Membership
from tasks.store.processes.own import OwnStore
from tasks.store.records.alerts import AlertStore
from tasks.store.records.dead import DeadStore
from tasks.store.records.feedback import FeedbackStore
from tasks.store.records.trail import TrailStore
from tasks.store.records.typed import TypedQuestions
from tasks.store.reminders import ReminderStore
from tasks.store.sessions import SessionStore

_HEARTBEAT = 8
"""Connections for a heartbeat, its looks at the others and its news."""
_TOOLS, _TOOL_WAITS_S = 16, 20.0
"""Connections that all tools of a worker share, and how long a call waits for one."""


@dataclass(frozen=True, slots=True)
class Store:
    """All verbs.

    Heartbeats have connections of their own, and tools have some to share: a model that calls a tool thousands of times
    must not let a worker pass for dead.
    """

    _redis: Redis
    server: RedisServer
    layout: LayoutStore
    pace: PaceStore
    intake: IntakeStore
    sessions: SessionStore
    journal: JournalStore
    moves: Moves
    bots: BotStore
    members: Membership
    lease: PollerLease
    nodes: NodeNames
    dead: DeadStore
    alerts: AlertStore
    notes: NoteStore
    reminders: ReminderStore
    earlier: EarlierStore
    erasure: Erasure
    listing: SessionListing
    logins: LoginStore
    pauses: PauseStore
    broadcasts: BroadcastStore
    people: PeopleStore
    feedback: FeedbackStore
    closed: ClosedChatStore
    business: BusinessStore
    typed: TypedQuestions
    overheard: OverheardStore
    named_topics: NamedTopics
    tool_reminders: ReminderStore
    """``reminders``, as tools set them."""
    trail: TrailStore
    figures: FigureStore
    oversight: OversightStore
    own: OwnStore


@asynccontextmanager
async def connect(settings: Settings, clock: Clock | None = None) -> AsyncGenerator[Store]:
    """The store of this deployment.

    Raises:
        Misconfigured: the URL is wrong, or this Redis was laid out otherwise.
        StoreUnavailable: Redis is away.
    """
    clock, replicas = clock or SystemClock(), settings.wait_replicas
    async with (
        connection(settings.redis, wait_replicas=replicas) as redis,
        connection(settings.redis, connections=_HEARTBEAT) as heartbeat,
        connection(settings.redis, connections=_TOOLS, waits=_TOOL_WAITS_S, wait_replicas=replicas) as tools,
    ):
        await open_layout(redis, settings.slots)
        yield _store(settings, clock, redis, heartbeat=heartbeat, tools=tools)


@asynccontextmanager
async def look_into(settings: Settings, *, patience_s: float, clock: Clock | None = None) -> AsyncGenerator[Store]:
    """The store for commands that only read: nothing is written, and each answer is waited for only so long.

    So such a command works on a Redis that is full or read-only, and says within ``patience_s`` that one hangs.

    Raises:
        Misconfigured: the URL is wrong, or this Redis was laid out otherwise.
        StoreUnavailable: Redis is away.
    """
    async with connection(settings.redis, connections=4, patience_s=patience_s) as redis:
        await check_layout(redis, settings.slots)
        yield _store(settings, clock or SystemClock(), redis, heartbeat=redis, tools=redis)


def _store(settings: Settings, clock: Clock, redis: Redis, *, heartbeat: Redis, tools: Redis) -> Store:
    return Store(
        _redis=redis,
        server=RedisServer(redis),
        layout=LayoutStore(heartbeat, slots=settings.slots),
        pace=PaceStore(redis, clock, Limits.of(settings.send_rate)),
        intake=IntakeStore(redis, clock, slots=settings.slots, inbox_cap=settings.inbox_cap),
        sessions=SessionStore(redis, clock, slots=settings.slots),
        journal=JournalStore(redis),
        moves=Moves(redis, clock, slots=settings.slots),
        bots=BotStore(heartbeat, clock),
        members=Membership(heartbeat),
        lease=PollerLease(redis),
        nodes=NodeNames(heartbeat),
        dead=DeadStore(redis, clock, slots=settings.slots),
        alerts=AlertStore(redis),
        notes=NoteStore(tools),
        reminders=ReminderStore(redis, clock, slots=settings.slots),
        listing=SessionListing(redis),
        logins=LoginStore(redis, settings),
        pauses=PauseStore(heartbeat, clock),
        broadcasts=BroadcastStore(redis),
        people=PeopleStore(redis, clock),
        feedback=FeedbackStore(redis, clock),
        closed=ClosedChatStore(redis, clock),
        business=BusinessStore(redis, clock, slots=settings.slots),
        typed=TypedQuestions(redis),
        overheard=OverheardStore(redis),
        named_topics=NamedTopics(redis),
        earlier=EarlierStore(redis),
        erasure=Erasure(redis, clock, slots=settings.slots),
        tool_reminders=ReminderStore(tools, clock, slots=settings.slots),
        trail=TrailStore(heartbeat),
        figures=FigureStore(heartbeat),
        oversight=OversightStore(redis, slots=settings.slots),
        own=OwnStore(redis, clock),
    )
