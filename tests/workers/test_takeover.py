"""/stop of a turn whose worker died, or stands still: another worker carries it out, long before the heartbeat ends."""

import asyncio

import pytest

from tasks.envelope import Inbound, Reply
from tasks.phrases import phrase
from tasks.status.worker import WorkerStatus
from tasks.stopping import exchange_of
from tests.support.redis_of import redis_of
from tests.workers.fakes import PATIENCE_S, Hold
from tests.workers.pool import Pool, Worker, session
from tests.workers.pool_worker import LONG
from workers import texts
from workers.sessions.ownership.takeover import ANSWERS_WITHIN_S

ONE = session(1)


async def begun(pool: Pool, worker: Worker) -> Hold:
    """A turn that has shown words and goes on."""
    pool.model.partial["long"] = "Once upon"
    hold = pool.model.hold("long")
    await pool.say(1, "long story")
    pool.doorbell(worker, ONE)
    await hold.reached()
    await pool.telegram.changes.until(lambda: bool(pool.telegram.noted))
    return hold


async def stop(pool: Pool, *workers: Worker) -> None:
    await pool.say(1, kind="stop")
    for worker in workers:
        worker.scheduler.interrupt(ONE)


async def beats(pool: Pool, worker: Worker) -> None:
    """Its heartbeat is renewed, as a living worker's is when it is asked to."""
    await redis_of(pool.store).delete(f"cohort:worker:{worker.name}")
    await pool.store.members.beat(worker.name, WorkerStatus(), LONG * 2, member=False)


@pytest.mark.promise("stop-after-death")
async def test_a_stop_of_a_dead_workers_turn_is_carried_out_while_its_heartbeat_still_stands(pool: Pool) -> None:
    one = await pool.worker("w-one")
    await begun(pool, one)
    one.cut()  # no supervisor sees it
    two, three = await pool.worker("w-two"), await pool.worker("w-three")
    await stop(pool, two, three)
    await pool.telegram.until_delivered(1)
    assert await redis_of(pool.store).exists("cohort:worker:w-one")
    assert list(pool.telegram.chat(ONE).shown.values()) == ["Once upon", texts.stopped(1)]
    # Each of the two at most once, at the same time, and a person waits a second at most.
    assert set(pool.naps.taken) == {ANSWERS_WITHIN_S}
    assert len(pool.naps.taken) <= 2
    assert ANSWERS_WITHIN_S < 1
    await pool.all_leave()
    assert pool.telegram.texts(ONE) == [texts.stopped(1)]
    assert len(pool.model.calls) == 1
    assert await pool.idle(ONE)


@pytest.mark.promise("stop-after-death")
async def test_a_worker_that_renews_its_heartbeat_keeps_its_session(pool: Pool) -> None:
    one = await pool.worker("w-one")
    hold = await begun(pool, one)
    two = await pool.worker("w-two")
    pool.naps.awake.clear()
    await stop(pool, two)
    await pool.naps.changes.until(lambda: bool(pool.naps.taken))
    await beats(pool, one)
    pool.naps.awake.set()
    await two.stop()
    assert (await pool.state(ONE))["owner"] == "w-one"
    hold.go.set()
    await pool.telegram.until_delivered(2)
    assert pool.telegram.texts(ONE) == ["answer to long story", texts.stopped(0)]


async def test_a_worker_with_an_undelivered_reply_keeps_its_session(pool: Pool) -> None:
    one = await pool.worker("w-one")
    telegram = Hold()
    one.delivery.before = lambda *_: telegram.here()
    await pool.say(1, "hello")
    pool.doorbell(one, ONE)
    await telegram.reached()
    two = await pool.worker("w-two")
    await stop(pool, two)
    await pool.naps.changes.until(lambda: bool(pool.naps.taken))
    await two.stop()
    telegram.go.set()
    await pool.telegram.until_delivered(2)
    assert pool.telegram.texts(ONE) == ["answer to hello", texts.stopped(0)]


@pytest.mark.promise("stop-after-death")
async def test_a_worker_that_stood_still_finds_its_session_taken_and_ends_the_turn(pool: Pool) -> None:
    one = await pool.worker("w-one")
    hold = await begun(pool, one)
    two = await pool.worker("w-two")
    await stop(pool, two)
    await pool.telegram.until_delivered(1)
    # The news, which waited for it.
    await one.scheduler.taken(ONE)
    await pool.model.changes.until(lambda: pool.model.calls[0].end == "CancelledError")
    hold.go.set()
    await one.stop()
    assert pool.telegram.texts(ONE) == [texts.stopped(1)]


async def test_the_news_of_a_taken_session_reaches_its_member(pool: Pool) -> None:
    one = await pool.worker("w-one", sweeps=True)
    await begun(pool, one)
    owner = await pool.store.sessions.owners.of(ONE)
    assert owner is not None
    async with asyncio.timeout(PATIENCE_S):
        while not await pool.store.sessions.owners.evict(ONE, owner):
            owner = await pool.store.sessions.owners.of(ONE)
            assert owner is not None
    # The sweep finds the session free again, and its turn runs once more.
    await pool.model.changes.until(lambda: [call.end for call in pool.model.calls[:1]] == ["CancelledError"])


async def test_a_session_without_an_owner_is_left_to_its_doorbell(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    await stop(pool, worker)
    await worker.stop()
    assert (pool.naps.taken, pool.telegram.delivered) == ([], [])


@pytest.mark.promise("stop-after-death")
async def test_a_stop_of_which_the_bot_has_told_is_carried_out_in_silence(pool: Pool) -> None:
    one = await pool.worker("w-one")
    hold = await begun(pool, one)
    await one.kill()
    hold.go.set()
    await pool.say(1, kind="stop")
    await pool.say(1, "next")
    word = (await redis_of(pool.store).lrange(f"cohort:s:{ONE}:inbox", 0, -1))[-2]
    owner = await pool.store.sessions.owners.of(ONE)
    told = Inbound.from_json(word)
    assert await pool.store.sessions.owners.stand_in(ONE, owner, told, Reply(session=str(ONE), text="Stopped."))
    two = await pool.worker("w-two")
    await two.answer(ONE)
    assert pool.telegram.texts(ONE) == ["answer to next"]
    assert pool.model.calls[-1].history == ["long story", "Once upon [stopped]"]


@pytest.mark.promise("stop-after-death")
@pytest.mark.parametrize(("press", "answer"), [("retry", "answer to "), ("undo", phrase("undone"))])
async def test_the_buttons_of_the_bots_own_stop_mean_the_turn_that_it_ended(
    pool: Pool, press: str, answer: str
) -> None:
    one = await pool.worker("w-one")
    hold = await begun(pool, one)
    await one.kill()
    hold.go.set()
    await pool.say(1, kind="stop")
    word = Inbound.from_json((await redis_of(pool.store).lrange(f"cohort:s:{ONE}:inbox", 0, -1))[-1])
    owner = await pool.store.sessions.owners.of(ONE)
    assert await pool.store.sessions.owners.stand_in(ONE, owner, word, Reply(session=str(ONE), text="Stopped."))
    two = await pool.worker("w-two")
    pressed = {"kind": press, "pressed": True, "last": press == "retry", "exchange": exchange_of(word), "v": 4}
    await pool.say(1, "", **pressed)
    await two.answer(ONE)
    assert pool.telegram.texts(ONE)[-1] == answer
    # Once another exchange is the last one, they mean none.
    await pool.say(1, "next")
    await pool.say(1, "", **pressed)
    await two.answer(ONE)
    assert pool.telegram.texts(ONE)[-1] == phrase("not-the-last")
