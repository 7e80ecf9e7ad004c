"""`/metrics` of the console: what every process has published, and what is true of the system as a whole."""

from collections.abc import Container, Mapping

from ops.commands.status_read import look
from ops.web.names import process_names
from tasks.clock import Clock
from tasks.exposition import Families, escaped, families, gauge, merged, unpacked
from tasks.store import Store
from tasks.store.bots import ALIVE

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


async def scrape(store: Store, clock: Clock, *, slots: int) -> str:
    """All metrics as one page.

    Raises:
        StoreUnavailable: Redis is away.
    """
    now = await look(store, clock, slots=slots)
    view, bots = await store.members.look(), await store.bots.look()
    alive = {holder: status for holder, status in bots.items() if clock.now() - status.at <= ALIVE.total_seconds()}
    names = process_names(view.members, alive)
    published = await store.figures.expositions(names)
    whole = gauge("cohort_dead_letters", "Dead letters that are kept.", {"": now.dead})
    whole += gauge("cohort_slots_unowned", "Slots that no living worker serves.", {"": now.unowned})
    whole += gauge("cohort_waiting", "Chats with unanswered messages and no running turn.", {"": now.waiting})
    whole += gauge("cohort_waiting_oldest_seconds", "How long the oldest of them has waited.", {"": now.oldest_s})
    whole += gauge("cohort_process_up", "1: it lives, and its metrics are here; 0: it has published none.", {
        f'process="{escaped(name)}",kind="{"bot" if process in alive else "worker"}"': process in published
        for process, name in sorted(names.items(), key=lambda item: item[1])
    })  # fmt: skip
    return whole + merged(
        _read(published, names, {line.split()[2] for line in whole.splitlines() if line.startswith("# TYPE ")})
    )


def _read(published: Mapping[str, bytes], names: Mapping[str, str], ours: Container[str]) -> dict[str, Families]:
    """What each process has published, but for names that are ``ours``: each name stands once on a page."""
    found = {names[process]: families(unpacked(raw) or "") for process, raw in published.items()}
    return {
        process: {name: family for name, family in part.items() if name not in ours}
        for process, part in found.items()
        if part
    }
