"""A move whose answers are lost, whose worker dies, or that is told twice."""

from typing import Any

import pytest

from tasks.store.intake import Accept
from tests.conftest import BOT
from tests.workers.pool import Pool
from tests.workers.test_moving import NEW, OLD, answered, moved, settled


@pytest.mark.parametrize("script", ["_move", "_fetch"])
@pytest.mark.parametrize("fate", ["answer lost", "lost"])
async def test_a_move_whose_every_answer_is_lost_loses_and_doubles_nothing(pool: Pool, script: str, fate: Any) -> None:
    worker = await pool.worker("w-one")
    sha = getattr(worker.store.moves, script).sha.encode()
    seen = 0

    async def losing(sent: bytes) -> Any:
        nonlocal seen
        seen += sha in sent
        return fate if sha in sent and seen <= 9 else "passes"

    await answered(pool, worker, OLD.chat, "before")
    waiting = await pool.say(OLD.chat, "waiting")
    await moved(pool)
    there = await pool.say(NEW.chat, "there")
    worker.cable.heard = losing
    await worker.answer(OLD)
    await worker.answer(NEW)
    assert seen >= 9
    await settled(pool, worker)
    assert pool.telegram.answered(NEW) == [waiting, there]
    assert pool.model.calls[-1].history == ["before"]
    assert (await pool.store.sessions.glance(NEW)).usage_in == 20


@pytest.mark.promise("poison-message")
async def test_a_message_that_kills_its_worker_does_not_get_more_tries_by_moving(pool: Pool) -> None:
    for number in range(2):
        worker = await pool.worker(f"w-{number}")
        hold = pool.model.hold("poison")
        hold.begun.clear()
        if not number:
            await pool.say(OLD.chat, "poison")
        worker.doorbell(OLD)
        await hold.reached()
        await worker.kill()
    heir = await pool.worker("w-heir")
    await moved(pool)
    await heir.answer(OLD)
    hold.begun.clear()
    heir.doorbell(NEW)
    await hold.reached()
    await heir.kill()
    last = await pool.worker("w-last")
    await last.answer(NEW)
    assert await pool.store.dead.count() == 1
    assert len(pool.model.calls) == 3


async def test_an_update_of_both_chats_is_one_move(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    await answered(pool, worker, OLD.chat, "before")
    first = await moved(pool)
    assert await pool.store.intake.accept(BOT, [Accept(first)]) == ["seen"]
    await worker.answer(OLD)
    await moved(pool)
    await answered(pool, worker, NEW.chat, "after")
    await worker.answer(OLD)
    await answered(pool, worker, NEW.chat, "later")
    assert pool.model.calls[-1].history == ["before", "after"]
    await settled(pool, worker)
