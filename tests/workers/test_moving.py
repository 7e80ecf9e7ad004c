"""A group that became a supergroup goes on under its new id with all that was said, whichever chat reports it first."""

import asyncio
import json
from typing import Any

import pytest

from tasks import keys
from tasks.envelope import Inbound
from tests.support.redis_of import redis_of
from tests.workers.cable import Fate, all_is_well
from tests.workers.fakes import PATIENCE_S
from tests.workers.pool import Pool, Worker, session

OLD, NEW = session(-5), session(-1005)
THERE = {"chat_type": "supergroup"}


async def moved(pool: Pool, where: int = OLD.chat) -> int:
    """Telegram says so: each of the two chats does, and the bot leaves both in the old one's inbox."""
    return await pool.say(where, kind="moved", v=2, moved_to=NEW.chat, message_id=None)


async def settled(pool: Pool, worker: Worker) -> None:
    """Sweeps find nothing more to do in either."""
    async with asyncio.timeout(PATIENCE_S):
        while waiting := await pool.pending():
            for where in waiting:
                await worker.doorbell(where)
    assert await pool.idle(OLD)
    assert await pool.idle(NEW)
    assert "awaits" not in await pool.state(NEW)


async def answered(pool: Pool, worker: Worker, chat: int, text: str, **fields: Any) -> int:
    update = await pool.say(chat, text, **fields)
    await worker.answer(session(chat))
    return update


@pytest.mark.parametrize("times", [1, 2])
async def test_a_group_that_moved_while_it_was_idle_goes_on_with_its_history(pool: Pool, times: int) -> None:
    worker = await pool.worker("w-one")
    await answered(pool, worker, OLD.chat, "before")
    for _ in range(times):
        await moved(pool)
        await worker.answer(OLD)
    await worker.answer(NEW)
    await answered(pool, worker, NEW.chat, "after")
    assert pool.model.calls[-1].history == ["before"]
    assert pool.telegram.texts(NEW) == ["answer to after"]
    await settled(pool, worker)


async def test_its_choices_its_usage_its_notes_and_its_retry_come_along(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    await pool.say(OLD.chat, kind="choose", choice={"model": "haiku"})
    await answered(pool, worker, OLD.chat, "before")
    await pool.store.notes.remember(OLD, "name", "Ann")
    failed = Inbound(session=str(OLD), update_id=77, at=1.0, text="failed")
    await redis_of(pool.store).hset(keys.state(OLD), "failed", json.dumps([failed.to_json()]))
    await moved(pool)
    await worker.answer(OLD)
    await answered(pool, worker, NEW.chat, "x", kind="retry")
    assert pool.model.calls[-1].texts == ["failed"]
    assert pool.model.calls[-1].request.model == "haiku"
    assert await pool.store.notes.recall(NEW) == {"name": "Ann"}
    assert (await pool.store.sessions.glance(NEW)).usage_in == 20
    assert (await pool.store.sessions.glance(OLD)).usage_in == 0


async def test_what_people_always_allow_and_a_message_without_an_answer_come_along(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    await answered(pool, worker, OLD.chat, "before")
    lost = Inbound(session=str(OLD), update_id=77, at=1.0, text="lost").to_json()
    theirs = {"allowed": json.dumps(["agent:book", "agent:pay"]), "unanswered": json.dumps([lost])}
    await redis_of(pool.store).hset(keys.state(OLD), mapping=theirs)
    await redis_of(pool.store).hset(keys.state(NEW), "allowed", json.dumps(["agent:pay", "agent:post"]))
    await moved(pool)
    await worker.answer(OLD)
    await worker.answer(NEW)
    state = await pool.state(NEW)
    assert json.loads(state["allowed"]) == ["agent:book", "agent:pay", "agent:post"]
    assert json.loads(state["unanswered"]) == [lost]
    await settled(pool, worker)


async def test_what_waits_in_the_group_is_answered_in_the_supergroup_before_what_was_said_there(pool: Pool) -> None:
    worker = await pool.worker("w-one", COHORT_QUEUE_MODE="followup")
    first = await pool.say(OLD.chat, "one", chat_type="group")
    await moved(pool)
    late = await pool.say(OLD.chat, "two", chat_type="group")
    new = await pool.say(NEW.chat, "three", **THERE)
    await worker.answer(OLD)
    await worker.answer(NEW)
    assert pool.telegram.answered(NEW) == [first, late, new]
    assert pool.telegram.texts(OLD) == []
    assert pool.model.calls[-1].history == ["one", "two"]
    # A message's number means another message there.
    assert [reply.reply_to for _, reply in pool.telegram.delivered] == [None, None, new]
    await settled(pool, worker)


async def test_a_message_that_comes_late_for_the_group_while_it_is_claimed_is_answered_in_the_supergroup(
    pool: Pool,
) -> None:
    worker = await pool.worker("w-one")
    await answered(pool, worker, OLD.chat, "before")
    await moved(pool)
    await worker.answer(OLD)
    await answered(pool, worker, NEW.chat, "after")
    late: list[int] = []

    async def just_then(sent: bytes) -> Fate:
        # A doorbell came for nothing, the group is claimed, and its next script would release it.
        if b"EVALSHA" in sent and (await pool.state(OLD)).get("owner"):
            worker.cable.heard = all_is_well
            late.append(await pool.say(OLD.chat, "late"))
        return "passes"

    worker.cable.heard = just_then
    await worker.answer(OLD)
    await settled(pool, worker)
    assert late
    assert pool.telegram.answered(NEW)[-1:] == late
    assert pool.telegram.texts(OLD) == ["answer to before"]
    assert pool.model.calls[-1].history == ["before", "after"]


async def test_a_turn_that_runs_in_the_supergroup_ends_undisturbed_and_the_old_messages_come_next(pool: Pool) -> None:
    one, two = await pool.worker("w-one"), await pool.worker("w-two")
    await answered(pool, one, OLD.chat, "before")
    hold = pool.model.hold("there")
    there = await pool.say(NEW.chat, "there")
    turn = two.doorbell(NEW)
    await hold.reached()
    waiting = await pool.say(OLD.chat, "waiting")
    await moved(pool)
    behind = await pool.say(NEW.chat, "behind")
    await one.answer(OLD)
    hold.go.set()
    assert (await turn)["turns"] == 2
    assert pool.telegram.answered(NEW) == [there, waiting, behind]
    assert pool.model.calls[-1].history == ["before"]
    assert [call.beside for call in pool.model.calls] == [()] * 3
    await settled(pool, one)


async def test_a_supergroup_that_is_awake_fetches_what_the_group_left_before_it_sleeps(pool: Pool) -> None:
    one, two = await pool.worker("w-one"), await pool.worker("w-two")
    await answered(pool, one, OLD.chat, "before")
    hold = pool.model.hold("there")
    await pool.say(NEW.chat, "there")
    turn = two.doorbell(NEW)
    await hold.reached()
    await moved(pool)
    await one.answer(OLD)
    hold.go.set()
    await turn
    assert await pool.state(NEW) | {"history": '["before"]'} == await pool.state(NEW)
    assert await pool.pending() == []


async def test_a_turn_that_runs_in_the_group_is_waited_for_and_answered_in_the_supergroup(pool: Pool) -> None:
    one, two = await pool.worker("w-one"), await pool.worker("w-two")
    hold = pool.model.hold("running")
    pool.model.partial["running"] = "so far"
    running = await pool.say(OLD.chat, "running")
    turn = one.doorbell(OLD)
    await hold.reached()
    await pool.telegram.changes.until(lambda: len(pool.telegram.noted) == 1)
    # A worker told the new session before this turn began.
    await redis_of(pool.store).hset(keys.state(NEW), "awaits", str(OLD))
    there = await pool.say(NEW.chat, "there")
    other = two.doorbell(NEW)
    await pool.naps.changes.until(lambda: 0.5 in pool.naps.taken)
    one.delivery.moved = {OLD: NEW.chat}
    hold.go.set()
    await turn
    await other
    assert pool.telegram.answered(NEW) == [running, there]
    # The message that it grew in is in the other chat.
    assert [reply.edit for _, reply in pool.telegram.delivered] == [None, None]
    assert pool.model.calls[-1].history == ["running"]
    await settled(pool, one)


async def test_what_comes_late_for_the_group_is_answered_in_the_supergroup(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    await answered(pool, worker, OLD.chat, "before")
    await moved(pool)
    await worker.answer(OLD)
    await answered(pool, worker, NEW.chat, "there")
    late = await answered(pool, worker, OLD.chat, "a reminder", kind="reminder", message_id=None)
    await worker.answer(NEW)
    assert pool.telegram.answered(NEW)[-1] == late
    assert pool.model.calls[-1].history == ["before", "there"]
    await settled(pool, worker)


async def test_what_comes_late_comes_behind_what_waits_in_the_supergroup(pool: Pool) -> None:
    one, two = await pool.worker("w-one"), await pool.worker("w-two", COHORT_QUEUE_MODE="followup")
    first = await pool.say(OLD.chat, "first")
    await moved(pool)
    await one.answer(OLD)
    hold = pool.model.hold("first")
    turn = two.doorbell(NEW)
    await hold.reached()
    there = await pool.say(NEW.chat, "there")
    late = await pool.say(OLD.chat, "late")
    await one.answer(OLD)
    hold.go.set()
    await turn
    assert pool.telegram.answered(NEW) == [first, there, late]
    await settled(pool, one)


async def test_a_doorbell_for_a_group_that_was_fetched_wakes_no_other_session(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    await answered(pool, worker, OLD.chat, "before")
    await moved(pool)
    await worker.answer(OLD)
    await worker.answer(NEW)
    assert (await worker.answer(OLD))["outcome"] == "idle"
    assert await pool.pending() == []
    assert "awaits" not in await pool.state(NEW)


async def test_a_supergroup_that_was_told_of_before_anything_was_said_is_left_as_it_is(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    await moved(pool)
    await worker.answer(OLD)
    await worker.answer(NEW)
    await settled(pool, worker)
    assert set(await pool.state(OLD)) == {"epoch", "moved", "fetched"}
    assert set(await pool.state(NEW)) == {"epoch"}
