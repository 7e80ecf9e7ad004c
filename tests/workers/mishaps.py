"""What tests of things going wrong share."""

from tasks.envelope import DeadLetter
from tests.workers.pool import Pool, Worker, session

ONE = session(1)


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


async def heir_of_a_message(pool: Pool) -> tuple[Worker, int]:
    """A worker that goes on after another, which died with a message on the screen; that message."""
    first = await pool.worker("w-one")
    hold = pool.model.hold("long")
    pool.model.partial["long"] = "Once upon"
    await pool.say(1, "long")
    first.doorbell(ONE)
    await hold.reached()
    await pool.telegram.changes.until(lambda: bool(pool.telegram.noted))
    await first.kill()
    hold.go.set()
    (message,) = pool.telegram.noted
    return await pool.worker("w-two"), message


async def three_die_of_it(pool: Pool) -> None:
    """Three workers, one after the other, each killed when its turn has ended and before it is committed."""
    for number in range(3):
        worker = await pool.worker(f"w-dies-{number}")
        worker.at_step = at("ran")
        worker.doorbell(ONE)
        await worker.has_ended()
