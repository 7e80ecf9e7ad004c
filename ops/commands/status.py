"""``cohort status``: one look at the pool, as a value and as text."""

import io
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from tasks.clock import Clock
from tasks.store import Store
from tasks.worker_status import WorkerStatus

_SLOTS_SHOWN = 8


@dataclass(frozen=True, slots=True)
class Worker:
    """A living worker as its last heartbeat described it.

    The heartbeat's JSON (``workers.sessions.heartbeat``) holds ``host``, ``pid``, ``lanes``, ``at_work``, ``turns`` and
    ``servers_down``; a worker of an older release may lack some.
    """

    incarnation: str
    host: str
    pid: int
    lanes: int
    at_work: int
    slots: int
    turns: int | None
    """Since the worker started; None when its heartbeat does not tell."""
    servers_down: tuple[str, ...] = ()
    """Shared MCP servers that it cannot reach."""


@dataclass(frozen=True, slots=True)
class Depth:
    """A slot with work: the number of its waiting sessions, and the seconds that the oldest one has waited."""

    slot: int
    owner: str | None
    sessions: int
    oldest_s: float


@dataclass(frozen=True, slots=True)
class Look:
    """The pool at ``at`` (seconds since the epoch)."""

    at: float
    workers: tuple[Worker, ...]
    gone: tuple[str, ...]
    slots: int
    unowned: int
    depths: tuple[Depth, ...]
    dead: int

    @property
    def waiting(self) -> int:
        """The number of sessions with unanswered messages."""
        return sum(depth.sessions for depth in self.depths)

    @property
    def oldest_s(self) -> float:
        """Seconds that the oldest of them has waited."""
        return max((depth.oldest_s for depth in self.depths), default=0.0)

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "waiting": self.waiting, "oldest_s": self.oldest_s}


def _worker(incarnation: str, status: WorkerStatus, slots: int) -> Worker:
    return Worker(
        incarnation,
        host=status.host,
        pid=status.pid,
        lanes=status.lanes,
        at_work=status.at_work,
        slots=slots,
        turns=status.turns,
        servers_down=status.servers_down,
    )


async def look(store: Store, clock: Clock, *, slots: int) -> Look:
    """Read the state of the pool once.

    Raises:
        StoreUnavailable: Redis is away.
    """
    view = await store.members.look()
    backlogs = await store.sessions.backlogs(slots)
    now = clock.now()
    depths = [Depth(log.slot, view.slots.get(log.slot), log.sessions, max(0.0, now - log.since)) for log in backlogs]
    return Look(
        at=now,
        workers=tuple(_worker(name, status, len(view.of(name))) for name, status in sorted(view.members.items())),
        gone=view.gone,
        slots=slots,
        unowned=sum(view.slots.get(slot) not in view.members for slot in range(slots)),
        depths=tuple(sorted(depths, key=lambda depth: -depth.oldest_s)),
        dead=await store.dead.count(),
    )


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


def render(now: Look, before: Look | None = None, *, width: int = 80, colour: bool = False) -> str:
    """The look as text in at most ``width`` columns."""
    out = io.StringIO()
    console = Console(file=out, width=width, force_terminal=colour, no_color=not colour, highlight=False)
    workers = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("worker", "host", "pid", "turns running", "lanes", "slots"):
        workers.add_column(title, justify="left" if title in {"worker", "host"} else "right", overflow="fold")
    for worker in now.workers:
        figures = (worker.pid, worker.at_work, worker.lanes, worker.slots)
        workers.add_row(worker.incarnation, worker.host, *(str(figure) for figure in figures))
    console.print(workers)
    if not now.workers:
        console.print("no worker runs: messages are kept until one starts", style="yellow")
    for worker in now.workers:
        if worker.servers_down:
            down = ", ".join(worker.servers_down)
            console.print(f"{worker.incarnation}: MCP servers not reachable: {down}", style="yellow")
    for incarnation in now.gone:
        console.print(f"{incarnation}: its heartbeat stopped", style="yellow")
    console.print()
    turns = rate(now, before)
    facts = [f"chats waiting {now.waiting}", f"oldest {now.oldest_s:.1f} s", f"dead letters {now.dead}"]
    facts += [f"turns/s {turns:.1f}"] if turns is not None else []
    facts += [f"slots without a worker {now.unowned}"] if now.unowned else []
    console.print(", ".join(facts), style="bold" if now.dead or now.unowned else "")
    for depth in now.depths[:_SLOTS_SHOWN]:
        owner = depth.owner or "no worker"
        console.print(f"  slot {depth.slot:02d}: {depth.sessions} waiting, oldest {depth.oldest_s:.1f} s ({owner})")
    if len(now.depths) > _SLOTS_SHOWN:
        console.print(f"  and {len(now.depths) - _SLOTS_SHOWN} more slots")
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines())
