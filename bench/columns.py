"""The columns: how each peer is started on a stand."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

from bench.stand import Running, Stand
from tests.harness.processes import Process


@dataclass(frozen=True, slots=True)
class Column:
    """A peer, or Cohort, as it is started on a stand."""

    name: str
    workers: int = 0
    """Processes beside the bot."""
    module: str | None = None
    """The peer's entry module; None for Cohort."""
    says: str = ""
    kept: bool = False
    """With what ``peers.common.keep`` keeps."""
    worker: str = "workers"
    """The entry module of Cohort's worker."""

    @asynccontextmanager
    async def on(self, stand: Stand, **environ: str) -> AsyncIterator[Running]:
        """Started and ready inside this block; one answer was given already."""
        with stand.processes(self.start(stand, **environ)) as running:
            await stand.warm()
            yield running

    def start(self, stand: Stand, **environ: str) -> Running:
        """Start it; returns when it says that it is ready."""
        harness = stand.harness
        if self.module is None:
            start = partial(harness.worker, module=self.worker, **environ)
            workers = [start(ready=False) for _ in range(self.workers)]
            bot = harness.bot(**environ)
            for worker in workers:
                worker.wait_line("slots.served")
            return Running(stand, [bot], workers, start=start, tells=True)
        if self.kept:
            environ["PEER_KEPT"] = "1"
        place = f"bench.peers.{self.module}"

        def peer(*arguments: str) -> Process:
            process = harness.start(self.name, ["-m", place, *arguments], **environ)
            process.wait_line("peer.ready")
            return process

        workers = [peer("worker") for _ in range(self.workers)]
        bot = peer("bot") if self.workers else peer()
        return Running(stand, [bot], workers, start=(lambda: peer("worker")) if self.workers else peer)


COLUMNS = {
    column.name: column
    for column in (
        Column("cohort-1", 1, says="Cohort, one worker"),
        Column("cohort-2", 2, says="Cohort, two workers"),
        Column("cohort-4", 4, says="Cohort, four workers"),
        Column("cohort-half", 1, says="Cohort, steps are kept in every second chat", worker="bench.peers.half_kept"),
        Column("monolith", 0, "monolith", "PTB Application and fast-agent sessions in one process"),
        Column("monolith-kept", 0, "monolith", "the same with what Cohort keeps for its models' clients", kept=True),
        Column("per-chat", 0, "per_chat", "a process with its own FastAgent for each chat"),
        Column("many", 0, "many", "a FastAgent for each chat, all in one process"),
        Column("celery-usual", 1, "celery_usual", "acks_late, one task is one turn, no inbox"),
    )
}
