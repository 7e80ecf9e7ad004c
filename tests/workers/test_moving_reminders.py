"""Reminders of a group that became a supergroup come there, and are listed and cancelled there."""

import pytest

from tasks.envelope import Inbound
from tests.support.redis_of import redis_of
from tests.tasks.test_reminders_and_notes import anyone
from tests.workers.pool import Pool, Worker
from tests.workers.test_moving import NEW, OLD, answered, moved, settled

HOURLY = ("stretch", "FREQ=HOURLY", "", "UTC")
IN_AN_HOUR = 3601.0


async def with_reminders(pool: Pool, worker: Worker) -> None:
    await answered(pool, worker, OLD.chat, "before")
    await two_reminders(pool, worker)


async def two_reminders(pool: Pool, worker: Worker) -> None:
    await worker.store.reminders.repeat(OLD, *HOURLY, by=1)
    await worker.store.reminders.add(OLD, "tea", 3600, by=1)
    await worker.store.closed.close(OLD.bot, OLD.chat, "migrated")


@pytest.mark.promise("reminders-recur")
async def test_reminders_move_with_their_group_and_are_cancelled_there(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    await with_reminders(pool, worker)
    for _ in range(2):
        await moved(pool)
    await worker.answer(OLD)
    await worker.answer(NEW)
    assert await worker.store.reminders.waiting(OLD) == []
    assert len(await worker.store.reminders.waiting(NEW)) == 2
    pool.clock.advance(IN_AN_HOUR)
    assert await worker.store.reminders.fire(anyone) == 2
    await worker.answer(NEW)
    (again,) = await worker.store.reminders.waiting(NEW)
    assert again.repeats is not None
    assert {text for call in pool.model.calls for text in call.texts} >= {"stretch", "tea"}
    assert await worker.store.reminders.cancel(NEW) == 1
    await settled(pool, worker)
    assert [key async for key in redis_of(pool.store).scan_iter("cohort:reminders*")] == []


async def test_a_reminder_that_is_due_before_its_group_has_moved_waits_for_that(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    await with_reminders(pool, worker)
    pool.clock.advance(IN_AN_HOUR)

    async def only_there(reminder: Inbound) -> bool:
        return reminder.key == NEW

    assert await worker.store.reminders.fire(only_there) == 0
    await moved(pool)
    await worker.answer(OLD)
    await worker.answer(NEW)
    assert await worker.store.reminders.fire(only_there) == 2


async def test_reminders_that_a_worker_of_before_has_left_behind_come_to_the_supergroup(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    await answered(pool, worker, OLD.chat, "before")
    await moved(pool)
    await worker.answer(OLD)
    await worker.answer(NEW)
    await two_reminders(pool, worker)
    pool.clock.advance(IN_AN_HOUR)
    assert [await worker.store.reminders.fire(anyone), await worker.store.reminders.fire(anyone)] == [0, 2]
    await worker.answer(NEW)
    assert len(await worker.store.reminders.waiting(NEW)) == 1
