"""``cohort stuck``: the chats whose work is the oldest, and what each of them waits for."""

import json
from dataclasses import asdict, dataclass
from typing import Annotated

import typer

from ops.commands.of_bot import OfBot, of_bot
from ops.commands.status.text import duration
from ops.context import context, run
from tasks.clock import Clock, SystemClock
from tasks.slots import slot_of
from tasks.store import Store
from tasks.store.listing import SessionFacts
from tasks.store.pauses import Pauses

_LIMITS = "it waits for Telegram's limits (20 messages a minute in a group), longer after a `telegram.flood` in the log"
_END = (
    "end a chat's turn: `cohort sessions stop SESSION`; keep it from the next one: `cohort pause turns SESSION`",
    "what it is: `cohort sessions show SESSION`; its turns so far: `cohort find SESSION`",
)


@dataclass(frozen=True, slots=True)
class StuckChat:
    """A chat with work."""

    session: str
    for_s: float
    """Seconds since its oldest message was accepted."""
    why: str
    """What it waits for."""
    worker: str | None
    """The worker, or the process of its own, that has it; None: none has."""
    waiting: int
    undelivered: int
    begun: int
    """How often its turn was begun: from the second time on, a worker ended in it."""
    steps: int
    """How many steps of the running turn have ended."""


@dataclass(frozen=True, slots=True)
class _Pool:
    """The workers, and the processes of sessions."""

    nodes: dict[str, str]
    """Incarnation -> its name, of the living."""
    drains: dict[str, str]
    """Incarnation -> its name, of those that live and drain."""
    slots: dict[int, str]
    pauses: Pauses


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(stuck)


def stuck(
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many, the oldest.")] = 10,
    *,
    bot: OfBot = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """Show the chats whose work is the oldest, what each waits for, and how to end it. No text is read."""
    here = context()

    async def work(store: Store) -> list[StuckChat]:
        of = await of_bot(here, store, bot)
        return await oldest(store, SystemClock(), slots=here.settings.slots, most=limit, bot=of)

    found = run(here.read(work))
    if as_json:
        print(json.dumps({"chats": [asdict(one) for one in found]}))
        return
    for one in found:
        print(f"{one.session}  {duration(one.for_s)}  {one.why}")
    print("\n".join(_END) if found else "no chat has work")


async def oldest(store: Store, clock: Clock, *, slots: int, most: int, bot: int | None = None) -> list[StuckChat]:
    """The chats with work, the oldest first; of those that write all the time, since their oldest message.

    Raises:
        StoreUnavailable: Redis is away.
    """
    found = await store.oversight.oldest(most, bot)
    view = await store.members.look()
    hosts, _ = await store.own.seen()
    nodes = {name: status.node_of(name) for name, status in view.members.items()}
    nodes |= {process: f"{place}@{host.host}" for host in hosts for process, place in host.processes.items()}
    facts = await store.listing.read([session for session, _ in found])
    owners = {one.owner for one in facts if one.owner is not None}
    # One that drains serves no slot any more, but lives until its turns have ended.
    leaving = await store.own.statuses(sorted(owners - nodes.keys()))
    drains = {name: status.node_of(name) for name, status in leaving.items()}
    pool = _Pool(nodes, drains, dict(view.slots), await store.pauses.look())
    now = clock.now()
    return [
        StuckChat(
            str(one.session),
            for_s=round(max(0.0, now - since), 1),
            why=_why(one, pool, slots),
            worker=(pool.nodes | pool.drains).get(one.owner or ""),
            waiting=one.waiting,
            undelivered=one.undelivered,
            begun=one.begun,
            steps=one.steps,
        )
        for one, (_, since) in zip(facts, found, strict=True)
    ]


def _why(one: SessionFacts, pool: _Pool, slots: int) -> str:
    said = [_cause(one, pool, slots)]
    if one.waiting:
        said.append(f"{one.waiting} message{'' if one.waiting == 1 else 's'} in its inbox")
        if one.steps and one.owner in pool.nodes:
            said.append(f"{one.steps} step{'' if one.steps == 1 else 's'} done")
    return "; ".join(said)


def _cause(one: SessionFacts, pool: _Pool, slots: int) -> str:
    node = pool.nodes.get(one.owner or "")
    if node is not None and one.waiting:
        again = f" for the {_nth(one.begun)} time: a worker ended in it before" if one.begun > 1 else ""
        return f"its turn runs on {node}{again}"
    if node is not None:
        return f"{node} delivers its answer: {_LIMITS}" if one.undelivered else f"at {node}"
    if (name := pool.drains.get(one.owner or "")) is not None:
        return f"its turn runs on {name}, which drains: another worker goes on with it then"
    if one.owner is not None:
        return f"its worker {one.owner} is gone: another one takes it over"
    if pool.pauses.holds(one.session):
        return "its turns are paused by command (`cohort resume turns`)"
    server = pool.nodes.get(pool.slots.get(slot_of(one.session, slots), ""))
    if server is None:
        return "no worker serves it: start one"
    return f"waits for {server} to begin it: all lanes are taken, or it has a process of its own"


def _nth(count: int) -> str:
    return {2: "second", 3: "third"}.get(count, f"{count}th")
