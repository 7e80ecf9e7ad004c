"""`/metrics` of the console: what every process has published, and what is true of the system as a whole."""

from collections.abc import Iterable, Mapping

from ops.commands.status.read import look
from ops.web.names import process_names
from tasks.clock import Clock
from tasks.status.worker import OwnHostStatus
from tasks.store import Store
from tasks.store.pauses import Pauses
from tasks.store.processes.bots import ALIVE
from tasks.telemetry.exposition import Families, escaped, families, gauge, merged, unpacked

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_BOTS = 200


async def scrape(store: Store, clock: Clock, *, slots: int) -> str:
    """All metrics as one page.

    Raises:
        StoreUnavailable: Redis is away.
    """
    now = await look(store, clock, slots=slots)
    view, bots = await store.members.look(), await store.bots.look()
    alive = {holder: status for holder, status in bots.items() if clock.now() - status.at <= ALIVE.total_seconds()}
    hosts, wanted = await store.own.seen()
    own = {process for host in hosts for process in host.processes}
    names = process_names(view.members, alive, hosts)
    kinds = {process: "bot" if process in alive else "own" if process in own else "worker" for process in names}
    read = _read(await store.figures.expositions(names), names)
    whole = gauge("cohort_dead_letters", "Dead letters that are kept.", {"": now.dead})
    whole += gauge("cohort_slots_unowned", "Slots that no living worker serves.", {"": now.unowned})
    whole += gauge("cohort_waiting", "Chats with unanswered messages and no running turn.", {"": now.waiting})
    whole += gauge("cohort_waiting_oldest_seconds", "How long the oldest of them has waited.", {"": now.oldest_s})
    whole += gauge("cohort_process_up", "1: it lives, and its metrics are here; 0: it has none that can be read.", {
        f'process="{escaped(name)}",kind="{kinds[process]}"': name in read
        for process, name in sorted(names.items(), key=lambda item: item[1])
    })  # fmt: skip
    whole += _own(hosts, wanted) + _paused(await store.pauses.look())
    if any(status.name for status in bots.values()):
        whole += _by_bot(await store.oversight.waiting_by_bot(), clock.now()) + _letters(await store.dead.counts())
    # Each name stands once on a page.
    ours = {line.split()[2] for line in whole.splitlines() if line.startswith("# TYPE ")}
    others = {process: {name: one for name, one in part.items() if name not in ours} for process, part in read.items()}
    return whole + merged(others)


def _own(hosts: Iterable[OwnHostStatus], wanted: int) -> str:
    """Of chats' own processes, by host; two hosts of one machine are told apart by their pids."""
    named = {f'host="{escaped(host.host)}",pid="{host.pid}"': host for host in hosts}
    figures = (
        ("cohort_own_alive", "Chats' own processes that run or start."),
        ("cohort_own_busy", "Those of them that work or start."),
        ("cohort_own_most", "How many the host runs at most."),
        ("cohort_own_starts", "How many the host has started."),
        ("cohort_own_evictions", "How many ended before their time, to make room."),
        ("cohort_own_failures", "How many failed, at their start or later."),
    )
    told = gauge("cohort_own_wanted", "Chats that wait for a process of their own.", {"": wanted})
    return told + "".join(
        gauge(name, about, {labels: getattr(host, name.removeprefix("cohort_own_")) for labels, host in named.items()})
        for name, about in figures
    )


def _paused(pauses: Pauses) -> str:
    """What is paused by command: of all bots, or of one."""
    whole = {"intake": pauses.intake is not None, "turns": pauses.turns is not None}
    of = {f'what="{what}",bot=""': int(is_so) for what, is_so in whole.items()}
    for what, bots in (("intake", pauses.intake_of), ("turns", pauses.turns_of)):
        of |= {f'what="{what}",bot="{bot}"': 1 for bot in list(bots)[:_BOTS]}
    return gauge("cohort_paused", "1: intake or turns are paused by command; bot: of that bot alone.", of)


def _by_bot(waiting: Mapping[int, tuple[int, float]], now: float) -> str:
    """What waits for each of several bots; of very many, those with the most."""
    most = sorted(waiting.items(), key=lambda item: -item[1][0])[:_BOTS]
    of = {bot: f'bot="{bot}"' for bot, _ in most}
    told = gauge("cohort_bot_waiting", "Chats with work, by bot.", {of[bot]: count for bot, (count, _) in most})
    ages = {of[bot]: max(0.0, now - since) for bot, (_, since) in most}
    return told + gauge("cohort_bot_waiting_oldest_seconds", "How long the oldest of them has waited.", ages)


def _letters(counts: Mapping[int | None, int]) -> str:
    """Dead letters by bot, of very many bots those with the most; without a number: of no bot that is known."""
    most = sorted(counts.items(), key=lambda item: -item[1])[:_BOTS]
    of = {f'bot="{"" if bot is None else bot}"': count for bot, count in most}
    return gauge("cohort_bot_dead_letters", "Dead letters that are kept, by bot.", of)


def _read(published: Mapping[str, bytes], names: Mapping[str, str]) -> dict[str, Families]:
    """What each process has published, as far as it can be read."""
    found = {names[process]: families(unpacked(raw) or "") for process, raw in published.items()}
    return {name: part for name, part in found.items() if part}
