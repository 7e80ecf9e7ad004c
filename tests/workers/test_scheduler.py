"""The scheduler: no wake-up is lost, and no chat waits for another one."""

import asyncio

import pytest

from tasks.ports import TurnReport
from tasks.session import SessionKey
from tests.conftest import BOT
from tests.workers.cable import Fate, all_is_well
from tests.workers.fakes import PATIENCE_S
from tests.workers.pool import Pool, Worker, session

ONE = session(1)
_READS = ("_claim", "_advance")


async def test_one_session_that_is_stuck_delays_no_other(pool: Pool) -> None:
    worker = await pool.worker("w-one", lanes=2)
    hold = pool.model.hold("stuck")
    await pool.say(1, "stuck")
    stuck = worker.doorbell(ONE)
    await hold.reached()
    for text in ("behind it", "and behind that"):
        await pool.say(1, text)
        worker.doorbell(ONE)
    for chat in range(2, 22):
        await pool.say(chat, "quick")
    for doorbell in [worker.doorbell(session(chat)) for chat in range(2, 22)]:
        assert (await doorbell)["outcome"] == "answered"

    assert worker.scheduler.awake == 1
    assert worker.scheduler.at_work == 1
    hold.go.set()
    assert (await stuck)["turns"] == 2


async def test_a_message_that_comes_while_its_session_is_being_let_go_is_answered(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    sha = worker.store.sessions._advance.sha.encode()
    outcomes: list[str] = []

    async def answer_is_on_its_way(sent: bytes) -> Fate:
        if sha in sent and pool.telegram.delivered:
            worker.cable.heard = all_is_well
            # Redis lets the session go, and only the worker does not know it yet.
            worker.cable.answered = said
        return "passes"

    async def said() -> None:
        worker.cable.answered = None
        await pool.say(1, "late")
        outcomes.append((await worker.answer(ONE))["outcome"])

    await pool.say(1, "early")
    worker.cable.heard = answer_is_on_its_way
    report = await worker.answer(ONE)

    assert outcomes == ["joined"]
    assert report == {"outcome": "answered", "turns": 2, "messages": 2, "tokens": 30, "seconds": 0.0}
    assert pool.telegram.texts(ONE) == ["answer to early", "answer to late"]


async def test_a_message_that_comes_with_a_doorbell_before_its_session_is_let_go_keeps_it_awake(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    sha = worker.store.sessions._advance.sha.encode()

    async def just_before(sent: bytes) -> Fate:
        if sha in sent and pool.telegram.delivered:
            worker.cable.heard = all_is_well
            await pool.say(1, "late")
        return "passes"

    await pool.say(1, "early")
    worker.cable.heard = just_before
    assert (await worker.answer(ONE))["turns"] == 2
    assert await pool.idle(ONE)


async def test_a_doorbell_while_its_session_is_at_work_costs_no_further_claim(pool: Pool) -> None:
    """What is next is read when the turn has ended, and that has the entry."""
    worker = await pool.worker("w-one")
    shas = {script.sha.encode(): name for name, script in vars(worker.store.sessions).items() if name in _READS}
    read: list[str] = []

    async def note(sent: bytes) -> Fate:
        read.extend(name for sha, name in shas.items() if sha in sent)
        return "passes"

    hold = pool.model.hold("early")
    await pool.say(1, "early")
    worker.cable.heard = note
    early = worker.doorbell(ONE)
    await hold.reached()
    await pool.say(1, "late")
    assert (await worker.answer(ONE))["outcome"] == "joined"
    hold.go.set()
    assert (await early)["turns"] == 2
    assert read == ["_claim", "_advance", "_advance"]


async def test_a_doorbell_for_a_session_of_another_worker_ends_at_once(pool: Pool) -> None:
    first, second = await pool.worker("w-one"), await pool.worker("w-two")
    hold = pool.model.hold("first")
    await pool.say(1, "first")
    turn = first.doorbell(ONE)
    await hold.reached()
    await pool.say(1, "second")
    assert (await second.answer(ONE))["outcome"] == "elsewhere"
    assert second.scheduler.awake == 0
    hold.go.set()
    assert (await turn)["turns"] == 2


async def test_a_sweep_wakes_who_sleeps_as_far_as_there_is_room(pool: Pool) -> None:
    worker = await pool.worker("w-one", capacity=3)
    hold = pool.model.hold("hello")
    sessions = [session(chat) for chat in range(1, 6)]
    for chat in range(1, 6):
        await pool.say(chat, "hello")
    assert worker.scheduler.sweep(sessions) == 3
    assert (worker.scheduler.sweep(sessions), worker.scheduler.room) == (0, 0)
    hold.go.set()
    await pool.telegram.until_delivered(3)
    async with asyncio.timeout(PATIENCE_S):
        await worker.scheduler._empty.wait()
    assert worker.scheduler.sweep(sessions[3:]) == 2
    await pool.telegram.until_delivered(5)
    assert sorted(pool.telegram.chats, key=str) == sessions


async def test_a_stop_for_a_session_that_sleeps_here_is_nothing(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    worker.scheduler.interrupt(ONE)
    assert worker.scheduler.awake == 0


async def test_a_sweep_has_room_though_doorbells_keep_many_awake(pool: Pool) -> None:
    worker = await pool.worker("w-one", capacity=1)
    hold = pool.model.hold("hello")
    for chat in range(1, 5):
        await pool.say(chat, "hello")
        worker.doorbell(session(chat))
    await hold.reached()
    await pool.say(5, "without a doorbell")
    assert worker.scheduler.sweep([session(5)]) == 1
    await pool.telegram.until_delivered(1)
    assert pool.telegram.delivered[0][0] == session(5)
    hold.go.set()


def topic(number: int) -> SessionKey:
    return SessionKey(BOT, -1001, topic=number)


async def flood(pool: Pool, worker: Worker) -> list[asyncio.Task[TurnReport]]:
    """Forty topics of one group, all held at the model."""
    for number in range(1, 41):
        await pool.say(-1001, "flood", session=str(topic(number)))
    return [worker.doorbell(topic(number)) for number in range(1, 41)]


@pytest.mark.promise("no-queue-behind-a-chat")
async def test_a_group_with_40_topics_keeps_no_other_chats_doorbell_waiting(pool: Pool) -> None:
    worker = await pool.worker("w-one", capacity=8)
    hold = pool.model.hold("flood")
    doorbells = await flood(pool, worker)
    await hold.reached()
    # Each that waited would hold one of the places for doorbells.
    for doorbell in doorbells[2:]:
        assert (await doorbell)["outcome"] == "joined"
    assert worker.scheduler.awake == 2
    await pool.say(7, "hello")
    assert (await worker.answer(session(7)))["outcome"] == "answered"
    assert worker.scheduler.sweep([topic(40)]) == 0, "no sweep has room for more of the group"
    hold.go.set()
    await pool.telegram.until_delivered(41)
    answered = [where for where, _ in pool.telegram.delivered if where != session(7)]
    assert sorted(answered[2:], key=lambda where: where.topic or 0) == [topic(number) for number in range(3, 41)]
    async with asyncio.timeout(PATIENCE_S):
        await worker.scheduler._empty.wait()
    assert (worker.scheduler.awake, worker.scheduler._queued) == (0, {})


async def test_topics_that_wait_for_others_of_their_chat_are_handed_over_by_a_drain(pool: Pool) -> None:
    worker = await pool.worker("w-one", capacity=8)
    hold = pool.model.hold("flood")
    await flood(pool, worker)
    await hold.reached()
    await worker.stop()
    assert sorted(worker.left, key=lambda where: where.topic or 0) == [topic(number) for number in range(1, 41)]
