"""What one look at the running system shows, as values (pure)."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from ops.home import Scale


@dataclass(frozen=True, slots=True)
class BotSeen:
    """A process of the bot."""

    bot: int
    username: str
    host: str
    pid: int
    mode: str
    """``polling`` or ``webhook``."""
    leads: bool
    """It polls; another one stands by."""
    polled_s: float | None
    """Seconds since its last poll ended (webhook: since the last update); None: none has yet."""
    silent_s: float
    """Seconds since it last said that it lives."""
    alive: bool
    paused: bool = False
    """Its intake is paused by command."""


@dataclass(frozen=True, slots=True)
class Worker:
    """A living worker as its last heartbeat described it."""

    incarnation: str
    host: str
    pid: int
    lanes: int
    at_work: int
    """Turns begun."""
    slots: int
    turns: int | None
    """Since the worker started; None when its heartbeat does not tell."""
    servers_down: tuple[str, ...] = ()
    """Shared MCP servers that it cannot reach."""
    agents_away: tuple[str, ...] = ()
    """Remote agents that do not answer there."""
    cards_kept: str = ""
    """Why it uses agent cards that were kept; empty: it uses those of its files."""
    queued: int = 0
    """Those of the turns begun that wait for a lane."""
    queued_s: float = 0.0
    """Seconds that the first of them has waited."""
    awake: int = 0
    """Sessions with a turn loop: a turn, or replies to deliver."""

    @property
    def running(self) -> int:
        """Turns that run."""
        return max(0, self.at_work - self.queued)

    @property
    def delivering(self) -> int:
        """Sessions without a turn whose replies are on their way to Telegram."""
        return max(0, self.awake - self.at_work)


@dataclass(frozen=True, slots=True)
class Depth:
    """A slot with work: the number of its sessions, and the seconds since the oldest one's message was accepted."""

    slot: int
    owner: str | None
    sessions: int
    oldest_s: float


@dataclass(frozen=True, slots=True)
class FailingModel:
    """A model that fails."""

    name: str
    since_s: float
    """Seconds since its first fault."""
    open: bool
    """The breaker is open on some worker: turns wait for it or use COHORT_FALLBACK_MODEL."""
    workers: int
    """How many workers see it fail."""
    reason: str = ""
    """Why its provider refuses all requests; empty for passing faults."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """Calls to Telegram within the last minute, of all processes."""

    sent: int = 0
    refused: int = 0
    """Refused with 429."""
    held_s: float = 0.0
    """Seconds that Telegram still holds the whole bot."""


@dataclass(frozen=True, slots=True)
class OwnHost:
    """A host of chats' own processes (``isolation: process``)."""

    host: str
    pid: int
    most: int
    alive: int
    busy: int
    """Those that work or start."""
    starts: int
    evictions: int
    """How many ended before their time, to make room."""


@dataclass(frozen=True, slots=True)
class Look:
    """The system at ``at`` (seconds since the epoch)."""

    at: float
    workers: tuple[Worker, ...]
    gone: tuple[str, ...]
    slots: int
    unowned: int
    depths: tuple[Depth, ...]
    dead: int
    bots: tuple[BotSeen, ...] = ()
    draining: tuple[Worker, ...] = ()
    """Workers that end when their turns have ended."""
    resting: frozenset[int] = frozenset()
    """Of several bots: those that ``COHORT_BOTS`` pauses."""
    missing: tuple[str, ...] = ()
    """Of several bots: the names of those that are not paused and that no living process leads."""
    oldest_s: float = 0.0
    """Seconds that the oldest session which no worker works on has waited, or a turn for a lane."""
    models: tuple[FailingModel, ...] = ()
    telegram: Traffic = Traffic()
    paused: tuple[str, ...] = ()
    """What an operator has paused, a line each."""
    refusals: tuple[str, ...] = ()
    """Why Redis refuses writes now, a line each."""
    disk: tuple[str, ...] = ()
    """Why the state directories of machines keep no files of chats, a line each."""
    risks: tuple[str, ...] = ()
    """With what settings Redis may lose data later, a line each."""
    parked: int = 0
    """Turns that wait for a person."""
    closed_chats: Mapping[str, int] = field(default_factory=dict[str, int])
    """Why chats take no messages -> how many."""
    own_hosts: tuple[OwnHost, ...] = ()
    own_wanted: int = 0
    """Chats that wait for the start of a process of their own."""
    own_awake: int = 0
    """Chats with a turn loop in a process of their own."""
    scale: Scale | None = None
    """How many workers the `cohort up` of this home keeps; None when none runs here."""

    @property
    def lanes(self) -> int:
        return sum(worker.lanes for worker in self.workers)

    @property
    def running(self) -> int:
        return sum(worker.running for worker in self.workers)

    @property
    def delivering(self) -> int:
        return sum(worker.delivering for worker in self.workers)

    @property
    def waiting(self) -> int:
        """Sessions with unanswered messages and no running turn: not begun, or queued for a lane."""
        pending = sum(depth.sessions for depth in self.depths)
        awake = sum(max(worker.awake, worker.at_work) for worker in self.workers) + self.own_awake
        return max(0, pending - awake) + sum(worker.queued for worker in self.workers)

    @property
    def load(self) -> float | None:
        """Running and waiting against lanes: above 1, more workers answer sooner. None without a lane."""
        return round((self.running + self.waiting) / self.lanes, 3) if self.lanes else None

    def to_json(self) -> dict[str, Any]:
        figures = ("lanes", "running", "delivering", "waiting", "load")
        workers = [asdict(worker) | {"running": worker.running} for worker in self.workers]
        scale = self.scale.model_dump() if self.scale is not None else None
        own = {**asdict(self), "resting": sorted(self.resting)}
        return {**own, **{name: getattr(self, name) for name in figures}, "workers": workers, "scale": scale}


def rate(now: Look, before: Look | None) -> float | None:
    """Turns a second between two looks, over the workers seen in both; None when their heartbeats do not tell."""
    if before is None or now.at <= before.at:
        return None
    then = {worker.incarnation: worker.turns for worker in before.workers}
    gained = [
        worker.turns - earlier
        for worker in now.workers
        if worker.turns is not None and (earlier := then.get(worker.incarnation)) is not None
    ]
    return sum(gained) / (now.at - before.at) if gained else None
