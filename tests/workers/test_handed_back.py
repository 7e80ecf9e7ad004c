"""Sessions that wait for a lane go to the new owner of their slot, which may have one that is free."""

import asyncio

from tasks.slots import slot_of
from tests.workers.fakes import PATIENCE_S
from tests.workers.history import check
from tests.workers.pool import Pool, Worker, session
from tests.workers.test_membership import SLOW, member, shared_by, slots_of

CHATS = range(1, 25)


def of(worker: Worker) -> set[int]:
    """The chats of its slots."""
    return {chat for chat in CHATS if slot_of(session(chat), 64) in slots_of(worker)}


async def flooded(pool: Pool) -> tuple[Worker, dict[int, list[int]]]:
    """A worker with two lanes whose turns stand still, and a line behind them."""
    sent = {chat: [await pool.say(chat, f"{chat}. stands still")] for chat in CHATS}
    pool.model.hold("stands still")
    worker = await member(pool, "w-one", lanes=2, **SLOW)
    await worker.runtime.waiting.until(lambda: worker.runtime.queued == len(CHATS) - 2)
    return worker, sent


async def test_what_waits_for_a_lane_goes_to_a_worker_that_joins_and_what_runs_stays(pool: Pool) -> None:
    one, sent = await flooded(pool)
    running = {call.request.session.chat for call in pool.model.calls}
    two = await member(pool, "w-two", **SLOW)
    await shared_by(pool, one, two)
    theirs = of(two) - running
    assert theirs
    # w-one's lanes stand still, so only the other one can begin these.
    await two.runtime.waiting.until(lambda: two.runtime.wanted == len(theirs))
    assert {call.request.session.chat for call in pool.model.calls if call.worker == "w-two"} == theirs
    assert {int((await pool.state(session(chat)))["tries"]) for chat in theirs} == {1}
    pool.model.hold("stands still").go.set()
    await pool.telegram.changes.until(lambda: len(pool.telegram.ended()) >= len(CHATS))
    await check(pool, sent)
    assert await pool.store.dead.count() == 0


async def test_a_doorbell_that_was_taken_along_begins_nothing_and_a_control_word_does(pool: Pool) -> None:
    one = await member(pool, "w-one", **SLOW)
    two = await member(pool, "w-two", **SLOW)
    await shared_by(pool, one, two)
    chat = min(of(two))
    await pool.say(chat, f"{chat}. hello")
    assert (await one.answer(session(chat)))["outcome"] == "elsewhere"
    assert pool.model.calls == []
    await pool.say(chat, kind="stop")
    one.scheduler.interrupt(session(chat))
    await pool.telegram.changes.until(lambda: bool(pool.telegram.texts(session(chat))))


async def test_a_turn_between_two_tries_or_in_a_slot_that_stayed_is_not_handed_back(pool: Pool) -> None:
    one, sent = await flooded(pool)
    one.scheduler.serves(frozenset({slot_of(session(chat), 64) for chat in CHATS}))
    assert one.scheduler.hand_back() == 0
    one.scheduler.serves(frozenset())
    # Two have a lane.
    assert one.scheduler.hand_back() == len(CHATS) - 2
    waiting = [task for loop, task in one.scheduler._loops.values() if loop.owned and loop.owned.tries.in_line]
    async with asyncio.timeout(PATIENCE_S):
        await asyncio.wait(waiting)
    assert one.scheduler.awake == 2
    assert {(await pool.state(session(chat))).get("tries") for chat in CHATS} == {"1", "0"}
    assert {where.chat for where in await pool.pending()} == set(CHATS)
    one.scheduler.serves(slots_of(one))
    pool.model.hold("stands still").go.set()
    one.scheduler.sweep(await pool.pending())
    await pool.telegram.changes.until(lambda: len(pool.telegram.ended()) >= len(CHATS))
    await check(pool, sent)
