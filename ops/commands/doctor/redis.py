"""``cohort doctor`` on Redis, and on who runs there. It only reads."""

from collections.abc import Iterator, Mapping
from typing import Any

from ops import durability
from ops.commands.finding import Finding
from ops.context import Context
from tasks.clock import Clock
from tasks.config.settings import Settings
from tasks.errors import StoreUnavailable
from tasks.status.bot import BotStatus
from tasks.status.worker import WorkerStatus
from tasks.store import Store, look_into
from tasks.store.connection.redis import connection
from tasks.store.connection.server import RedisServer
from tasks.store.processes.bots import ALIVE

MAX_SKEW_S = 2.0
_OLDEST_REDIS = (7, 0)
_PATIENCE_S = 3.0


def version(settings: Mapping[str, Any]) -> tuple[str, tuple[int, ...]]:
    """Name and version of the server, from INFO."""
    name = "Valkey" if "valkey_version" in settings else "Redis"
    number = str(settings.get("valkey_version") or settings.get("redis_version") or "0")
    return f"{name} {number}", tuple(int(part) for part in number.split(".")[:2] if part.isdigit())


async def redis(here: Context, clock: Clock) -> list[Finding]:
    """Whether Redis is reachable, recent and durable, and agrees on clock and layout."""
    about = "redis"
    if not here.settings.redis_url:
        return [Finding(about, "ok", "none is set and nothing runs; `cohort up` brings its own Valkey")]
    try:
        async with connection(here.settings.redis, patience_s=_PATIENCE_S) as client:
            server = RedisServer(client)
            info, skew = await server.info(), await server.ahead()
    except StoreUnavailable as problem:
        return [Finding(about, "problem", str(problem), "check REDIS_URL, and whether it runs")]
    name, number = version(info)
    old = number < _OLDEST_REDIS
    found = [Finding(about, "problem" if old else "ok", name, "7.0 or later is needed" if old else "")]
    found.append(_clocks(skew))
    async with look_into(here.settings, patience_s=_PATIENCE_S) as store:
        found += await _keeps(store, info, here.settings)
        members = (await store.members.look()).members
        found.append(Finding("layout", "ok", f"{here.settings.slots} slots, as stored"))
        found += _who_runs(members, await store.bots.look(), clock)
        found += _out_of_reach(members)
        found += [
            Finding("paused", "warning", line, "`cohort resume` goes on")
            for line in (await store.pauses.look()).lines()
        ]
        count = await store.dead.count()
        if count:
            found.append(Finding("dead letters", "warning", f"{count}", "see `cohort dead list`"))
    return found


def _clocks(skew: float | None) -> Finding:
    if skew is None:
        return Finding("clock", "warning", "Redis answered too late to compare clocks", "try again")
    if abs(skew) > MAX_SKEW_S:
        do = "synchronise the clocks (NTP); until then Redis's counts here"
        return Finding("clock", "warning", f"{skew:+.1f} s between this machine and Redis", do)
    return Finding("clock", "ok", "this machine and Redis agree")


async def _keeps(store: Store, info: Mapping[str, Any], settings: Settings) -> list[Finding]:
    """Whether Redis takes what is written, and keeps it."""
    facts = await store.server.persistence()
    weak = durability.weaknesses(facts)
    found = [Finding("durability", "problem", sentence) for sentence in weak]
    found += [Finding("writes", "problem", sentence) for sentence in durability.refusals(info)]
    if forbidden := await store.server.forbids():
        found.append(Finding("writes", "problem", forbidden, "give its user the ACL of docs/operating.md"))
    found += [Finding("failover", "warning", sentence) for sentence in durability.failover_risk(info, settings)]
    if not facts:
        do = "make sure that it keeps an AOF and does not evict"
        found.append(Finding("durability", "warning", "this Redis does not tell its settings", do))
    elif not weak:
        found.append(Finding("durability", "ok", f"AOF with appendfsync {facts.get('appendfsync')}, noeviction"))
    return found


def _who_runs(members: Mapping[str, WorkerStatus], bots: Mapping[str, BotStatus], clock: Clock) -> Iterator[Finding]:
    """Whether a bot and a worker run on this Redis."""
    alive = [bot for bot in bots.values() if clock.now() - bot.at <= ALIVE.total_seconds()]
    if not alive:
        yield Finding("bot", "warning", "no bot runs", "start one; Telegram keeps updates for 24 h")
    elif not any(bot.leads for bot in alive):
        yield Finding("bot", "warning", "no bot polls", "the lease of the last one runs out within 15 s")
    else:
        yield Finding("bot", "ok", f"{len(alive)} run{'s' if len(alive) == 1 else ''}, one of them polls")
    if not members:
        yield Finding("worker", "warning", "no worker runs", "start one; messages are kept")
    else:
        yield Finding("worker", "ok", f"{len(members)} run{'s' if len(members) == 1 else ''}")


def _out_of_reach(members: Mapping[str, WorkerStatus]) -> Iterator[Finding]:
    """MCP servers that living workers cannot reach."""
    without: dict[str, list[str]] = {}
    for incarnation, status in sorted(members.items()):
        for name in status.servers_down:
            without.setdefault(name, []).append(incarnation)
    yield from _agents_away(members)
    for name, workers in without.items():
        do = "see `server.unreachable` in their logs; it is tried again by itself"
        yield Finding(f"MCP server {name}", "warning", f"not reachable from {', '.join(workers)}", do)


def _agents_away(members: Mapping[str, WorkerStatus]) -> Iterator[Finding]:
    """Remote agents that do not answer living workers."""
    for name in sorted({name for status in members.values() for name in status.agents_away}):
        workers = ", ".join(sorted(one for one, status in members.items() if name in status.agents_away))
        do = "see `remote_agent.away` in their logs; it is tried again with each message to it"
        yield Finding(f"remote agent {name}", "warning", f"does not answer {workers}", do)
