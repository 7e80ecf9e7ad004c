"""Reads from Redis how the running system stands."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from ops import durability
from ops.commands.status.view import BotSeen, Depth, FailingModel, Look, OwnHost, Traffic, Worker
from tasks.bots import ServedBot
from tasks.chats.closed import summary
from tasks.clock import Clock
from tasks.status.bot import BotStatus
from tasks.status.worker import ModelTrouble, OwnHostStatus, Sends, WorkerStatus
from tasks.store import Store
from tasks.store.processes.bots import ALIVE


async def look(store: Store, clock: Clock, *, slots: int) -> Look:
    """Read the state of the system once; nothing is written.

    Raises:
        StoreUnavailable: Redis is away.
    """
    await store.server.follow()
    view = await store.members.look()
    statuses = await store.bots.look()
    backlogs = await store.sessions.backlogs(range(slots))
    dead = await store.dead.count()
    pauses = await store.pauses.look()
    ids = sorted({status.bot for status in statuses.values() if status.bot})
    held = [await store.pace.held_until(bot) for bot in ids]
    hosts, wanted = await store.own.seen()
    own = await store.own.statuses(name for host in hosts for name in host.processes)
    refusals, risks = await _redis(store)
    now = clock.now()
    workers = tuple(_worker(name, status, len(view.of(name))) for name, status in sorted(view.members.items()))
    leaving = await store.members.draining()
    draining = tuple(_worker(name, status, 0) for name, status in sorted(leaving.items()))
    bots = tuple(_bot(status, now, paused=pauses.takes_none(status.bot)) for status in statuses.values())
    untaken = [now - log.untaken_since for log in backlogs if log.untaken_since is not None]
    depths = [Depth(log.slot, view.slots.get(log.slot), log.sessions, max(0.0, now - log.since)) for log in backlogs]
    sends = [status.sends for status in view.members.values()]
    sends += [status.sends for status, bot in zip(statuses.values(), bots, strict=True) if bot.alive]
    return Look(
        at=now,
        workers=workers,
        gone=view.gone,
        draining=draining,
        slots=slots,
        unowned=sum(view.slots.get(slot) not in view.members for slot in range(slots)),
        depths=tuple(sorted(depths, key=lambda depth: -depth.oldest_s)),
        dead=dead,
        bots=bots,
        oldest_s=max([0.0, *untaken, *(worker.queued_s for worker in workers)]),
        paused=tuple(pauses.lines()),
        refusals=refusals,
        risks=risks,
        disk=_disks([*view.members.values(), *leaving.values()]),
        models=_models(view.members.values(), now),
        telegram=_traffic(sends, max([0.0, *(until - now for until in held)])),
        parked=await store.sessions.parked_turns(slots),
        closed_chats=summary(await store.closed.look()),
        own_hosts=tuple(_own_host(host) for host in hosts),
        own_wanted=wanted,
        own_awake=sum(status.awake for status in own.values()),
    )


def _disks(workers: Iterable[WorkerStatus]) -> tuple[str, ...]:
    """What workers tell of their machines' state directories, once where several tell the same."""
    return tuple(sorted({disk_line(one.host, one.keeps_no_files) for one in workers if one.keeps_no_files}))


def disk_line(host: str, why: str) -> str:
    """What is told of a machine whose state directory keeps no files; ``why`` names the directory."""
    return f"{host}: {why}: files of chats are left out"


async def _redis(store: Store) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Why Redis takes no writes (everything stands still then, and looks as if nothing ran), and what it may lose."""
    forbidden, info = await store.server.forbids(), await store.server.info()
    return (*durability.refusals(info), *([forbidden] if forbidden else ())), durability.risks(info)


def among(now: Look, bots: Sequence[ServedBot]) -> Look:
    """The look with what is to be said of several bots; without a file of bots it stays as it is."""
    led = {bot.bot for bot in now.bots if bot.alive and bot.leads}
    resting = frozenset(bot.id for bot in bots if bot.entry.paused)
    missing = tuple(bot.name for bot in bots if bot.id not in led | resting)
    return replace(now, resting=resting, missing=missing)


def _bot(status: BotStatus, now: float, *, paused: bool) -> BotSeen:
    silent = max(0.0, now - status.at)
    return BotSeen(
        bot=status.bot,
        username=status.username,
        host=status.host,
        pid=status.pid,
        mode=status.mode,
        leads=status.leads,
        polled_s=None if status.polled_at is None else max(0.0, now - status.polled_at),
        silent_s=silent,
        alive=silent <= ALIVE.total_seconds(),
        paused=paused,
    )


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
        agents_away=status.agents_away,
        cards_kept=status.cards_kept,
        queued=status.queued,
        queued_s=status.queued_s,
        awake=status.awake,
    )


def _own_host(status: OwnHostStatus) -> OwnHost:
    return OwnHost(
        status.host,
        pid=status.pid,
        most=status.most,
        alive=status.alive,
        busy=status.busy,
        starts=status.starts,
        evictions=status.evictions,
    )


def _models(workers: Iterable[WorkerStatus], now: float) -> tuple[FailingModel, ...]:
    seen: dict[str, list[ModelTrouble]] = {}
    for status in workers:
        for name, trouble in status.models.items():
            seen.setdefault(name, []).append(trouble)
    return tuple(
        FailingModel(
            name,
            since_s=round(max(0.0, now - min(trouble.since for trouble in troubles)), 1),
            open=any(trouble.open for trouble in troubles),
            workers=len(troubles),
            reason=next((trouble.reason for trouble in troubles if trouble.reason), ""),
        )
        for name, troubles in sorted(seen.items())
    )


def _traffic(sends: list[Sends], held_s: float) -> Traffic:
    return Traffic(sum(one.sent for one in sends), sum(one.refused for one in sends), round(held_s, 1))
