"""A worker that leaves loses nothing and says nothing twice, wherever it is caught."""

import asyncio
from collections.abc import Callable

import pytest

from tasks.envelope import Reply
from tasks.session import SessionKey
from tests.workers.cable import Fate
from tests.workers.fakes import PATIENCE_S, Hold
from tests.workers.pool import Pool, Worker, session

ONE = session(1)


async def test_a_draining_worker_ends_its_turn_and_begins_no_other(pool: Pool) -> None:
    first = await pool.worker("w-one")
    hold = pool.model.hold("at work")
    await pool.say(1, "at work")
    turn = first.doorbell(ONE)
    await hold.reached()
    await pool.say(1, "behind it")
    first.drain()
    await first.runtime.waiting.until(lambda: True)
    hold.go.set()
    await turn
    async with asyncio.timeout(PATIENCE_S):
        await first.ended.wait()

    assert pool.telegram.texts(ONE) == ["answer to at work"]
    assert first.left == [ONE]
    assert (await pool.state(ONE))["tries"] == "0"
    second = await pool.worker("w-two")
    await second.answer(ONE)
    assert pool.telegram.texts(ONE) == ["answer to at work", "answer to behind it"]


async def test_a_draining_worker_takes_no_doorbell(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    hold = pool.model.hold("at work")
    await pool.say(1, "at work")
    worker.doorbell(ONE)
    await hold.reached()
    worker.drain()
    # A visit is behind the drain in the loop's own order.
    await pool.say(2, "too late")
    assert (await worker.answer(session(2)))["outcome"] == "elsewhere"
    assert worker.scheduler.sweep([session(2)]) == 0
    hold.go.set()
    async with asyncio.timeout(PATIENCE_S):
        await worker.ended.wait()
    assert pool.telegram.texts(session(2)) == []


@pytest.mark.promise("drain")
async def test_a_turn_that_outlasts_the_grace_is_handed_back_and_was_no_try(pool: Pool) -> None:
    hold = pool.model.hold("long")
    await pool.say(1, "long")
    for number in range(5):
        worker = await pool.worker(f"w-{number}")
        worker.doorbell(ONE)
        await hold.reached()
        hold.begun.clear()
        await worker.stop()
        state = await pool.state(ONE)
        assert (state.get("owner"), state["tries"]) == (None, "0")
    hold.go.set()
    worker = await pool.worker("w-last")
    await worker.answer(ONE)
    assert pool.telegram.texts(ONE) == ["answer to long"]
    assert await pool.store.dead.count() == 0


async def test_a_reply_that_waits_for_telegram_is_handed_back_and_said_once(pool: Pool) -> None:
    first = await pool.worker("w-one")
    hold = Hold()

    async def flood(_session: SessionKey, _reply: Reply) -> None:
        await hold.here()

    first.delivery.before = flood
    await pool.say_all(1, {"text": "a"}, {"kind": "choose", "choice": {"model": "m"}})
    first.doorbell(ONE)
    await hold.reached()
    assert first.scheduler.at_work == 0
    await first.stop()
    second = await pool.worker("w-two")
    await second.answer(ONE)
    assert pool.telegram.texts(ONE) == ["answer to a", "Switched to m."]


async def test_a_drain_ends_though_a_loop_had_not_even_begun(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    worker.scheduler.sweep([session(chat) for chat in range(1, 20)])
    worker.cancel_turns()
    await worker.stop()
    assert worker.scheduler.at_work == 0


type Catch = Callable[[Worker], None]


@pytest.mark.promise("drain")
@pytest.mark.parametrize("catch", [Worker.cancel_turns, Worker.cut], ids=["grace over", "killed"])
@pytest.mark.parametrize("done", [False, True], ids=["before it reached Redis", "when Redis had done it"])
async def test_wherever_a_worker_is_caught_each_message_is_answered_in_order(
    pool: Pool, catch: Catch, done: bool
) -> None:
    """At each of a session's requests to Redis in turn, before and after Redis carried it out."""
    place = 0
    caught = True
    while caught:
        place += 1
        caught = await caught_at(pool, place, catch, done=done)
    # Claim, notes, commits, deliveries, looks: it was caught at all of them.
    assert place > 10


async def caught_at(pool: Pool, place: int, catch: Catch, *, done: bool) -> bool:
    """One run; whether there were so many requests."""
    where = session(1000 + place)
    worker = await pool.worker(f"w-{place}", COHORT_QUEUE_MODE="collect")
    seen = 0
    caught = asyncio.Event()

    async def count(sent: bytes) -> Fate:
        nonlocal seen
        # Not redis-py's greetings.
        if str(where).encode() not in sent:
            return "passes"
        seen += 1
        if seen != place:
            return "passes"
        caught.set()
        catch(worker)
        return "answer lost" if done else "lost"

    updates = await pool.say_all(
        where.chat, {"text": "a"}, {"text": "b"}, {"kind": "choose", "choice": {"model": "m"}}, {"text": "c"}
    )
    worker.cable.heard = count
    doorbell = worker.doorbell(where)
    await asyncio.wait([doorbell])
    if worker.dead:
        await worker.kill()
    else:
        await worker.stop()
    heir = await pool.worker(f"w-{place}-heir")
    await heir.answer(where)
    await heir.stop()

    once = {reply.id: reply for session, reply in pool.telegram.delivered if session == where}
    assert [update for reply in once.values() for update in reply.answers] == updates
    said = [reply.id for session, reply in pool.telegram.delivered if session == where]
    if catch is not Worker.cut:
        assert len(said) == len(set(said)), f"said twice at request {place}"
    assert await pool.idle(where)
    assert await pool.store.dead.count() == 0
    last = [call for call in pool.model.calls if call.request.session == where][-1]
    assert [*last.history, *last.texts] == ["a", "b", "c"]
    return caught.is_set()
