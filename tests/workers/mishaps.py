"""What tests of things going wrong share."""

from tasks.envelope import DeadLetter
from tests.workers.pool import Pool, Worker


def at(step: str):
    """For ``Worker.at_step``: this one."""
    return lambda passed: passed == step


async def next_worker(pool: Pool, dying: Worker | None, name: str, **environ: str) -> Worker:
    """Another worker, when the one before is dead."""
    if dying is not None:
        await dying.has_ended()
    return await pool.worker(name, **environ)


async def letters(pool: Pool) -> list[DeadLetter]:
    """All dead letters."""
    return [dead.letter for dead in await pool.store.dead.list()]
