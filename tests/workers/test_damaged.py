"""What something else than Cohort wrote into a session's keys costs that session a word at most, and no other one."""

from typing import Any

import pytest

from tasks.envelope import Inbound
from tasks.slots import queue_of, slot_of
from tasks.store.intake import ROOM_FOR_CONTROL, Accept, Doorbell
from tests.conftest import BOT
from tests.support.redis_of import redis_of
from tests.workers.pool import Pool, session

ONE, TWO = session(1), session(2)
STATE, INBOX, OUTBOX, NOTES = (f"cohort:s:{ONE}:{what}" for what in ("state", "inbox", "outbox", "notes"))
PENDING = f"cohort:slot:{slot_of(ONE, 64):02d}:pending"

FIELDS = ["owner", "epoch", "tries", "commit", "input_tokens", "together", "suspects", "live", "failed", "moved"]
DAMAGE = [b"\xff\xfe", b"nan", b"-1", b"9" * 40, b"not this", b"2", b"[1]", b"[" * 5000]


@pytest.mark.parametrize("field", [*FIELDS, "turns", "agent"])
async def test_a_damaged_field_costs_no_answer(pool: Pool, field: str) -> None:
    worker = await pool.worker("w-one")
    for damage in DAMAGE:
        await pool.say(1, "before")
        await worker.answer(ONE)
        await redis_of(pool.store).hset(STATE, field, damage)
        await pool.say(1, "hello")
        await worker.answer(ONE)
        assert pool.telegram.texts(ONE)[-1] == "answer to hello"
        await pool.say(1, kind="retry")
        await worker.answer(ONE)
        assert await pool.idle(ONE)


@pytest.mark.promise("broken-messages")
@pytest.mark.parametrize("key", [STATE, INBOX, OUTBOX, PENDING])
async def test_a_key_of_another_type_is_taken_away_and_its_session_goes_on(pool: Pool, key: str) -> None:
    worker = await pool.worker("w-one")
    await redis_of(pool.store).set(key, "something else")
    await pool.say_all(2, {"text": "other"})
    await worker.answer(TWO)
    await pool.say(1, "hello")
    await worker.answer(ONE)
    assert [pool.telegram.texts(where) for where in (ONE, TWO)] == [["answer to hello"], ["answer to other"]]
    (letter,) = await pool.store.dead.list()
    assert key in letter.letter.reason
    assert await pool.idle(ONE)


@pytest.mark.promise("broken-messages")
@pytest.mark.parametrize("key", [STATE, INBOX])
async def test_a_look_at_a_session_whose_key_is_of_another_type_finds_it_empty(pool: Pool, key: str) -> None:
    await redis_of(pool.store).set(key, "something else")
    sessions = pool.store.sessions
    assert await sessions.parked(ONE) == (None, ())
    assert await sessions.askers(ONE) == frozenset()
    assert await sessions.languages(ONE) == (None, None)
    assert (await sessions.glance(ONE)).waiting == 0
    await redis_of(pool.store).delete(key)


async def test_a_queue_of_another_type_costs_no_message(pool: Pool) -> None:
    queue = queue_of(slot_of(ONE, 64))
    await redis_of(pool.store).set(queue, "something else")
    stated = {"session": str(ONE), "update_id": 1, "at": 1.0, "text": "hello"}
    accept = Accept(1, inbound=Inbound.model_validate(stated), doorbell=Doorbell(queue, "doorbell"))
    assert await pool.store.intake.accept(BOT, [accept]) == ["accepted"]
    assert await redis_of(pool.store).lrange(queue, 0, -1) == [b"doorbell"]


async def test_damaged_members_and_slots_end_no_worker(pool: Pool) -> None:
    await redis_of(pool.store).hset("cohort:members", mapping={"w-old": "not JSON", b"\xff": "{}", "w-two": "5"})
    await redis_of(pool.store).hset("cohort:assignment", mapping={"version": "x", "y": "w-old", "5": b"\xff"})
    worker = await pool.worker("w-one", sweeps=True)
    await pool.say(1, "hello")
    await pool.telegram.until_delivered(1)
    await worker.stop()
    assert pool.telegram.texts(ONE) == ["answer to hello"]


async def test_a_key_that_breaks_while_a_turn_runs_ends_in_an_answer(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    hold = pool.model.hold("hello")
    await pool.say(1, "hello")
    pool.doorbell(worker, ONE)
    await hold.reached()
    await redis_of(pool.store).set(OUTBOX, "something else")
    hold.go.set()
    await pool.telegram.until_delivered(1)
    assert pool.telegram.texts(ONE) == ["answer to hello"]


@pytest.mark.parametrize("entry", ["[" * 100_000, '{"v":1}', "9" * 5000, '{"v": 1, "session": 5}', "\0", '{"v": true}'])
async def test_an_unreadable_entry_goes_to_the_dead_letters_and_the_next_is_answered(pool: Pool, entry: str) -> None:
    worker = await pool.worker("w-one")
    await redis_of(pool.store).rpush(INBOX, entry)
    await pool.say(1, "hello")
    await worker.answer(ONE)
    assert pool.telegram.texts(ONE)[-1] == "answer to hello"
    assert await pool.store.dead.count() == 1


async def test_a_pending_entry_that_names_no_session_is_dropped_by_the_sweep(pool: Pool) -> None:
    worker = await pool.worker("w-one", sweeps=True)
    await redis_of(pool.store).zadd(PENDING, {b"\xff": 0, "no session": 0, str(ONE): 1})
    await pool.say(1, "hello")
    await pool.telegram.until_delivered(1)
    await worker.stop()
    assert pool.telegram.texts(ONE) == ["answer to hello"]
    assert await redis_of(pool.store).exists(PENDING) == 0


async def test_a_flood_of_control_words_ends_at_a_cap_and_a_full_inbox_can_still_be_stopped(pool: Pool) -> None:
    cap = pool.settings.inbox_cap

    async def send(kind: str, start: int, count: int) -> dict[str, int]:
        stated = {"session": str(ONE), "at": 1, "kind": kind}
        updates = range(start, start + count)
        items = [Accept(n, inbound=Inbound.model_validate({**stated, "update_id": n})) for n in updates]
        verdicts: Any = await pool.store.intake.accept(BOT, items)
        return {verdict: verdicts.count(verdict) for verdict in set(verdicts)}

    assert await send("message", 10_000, cap + 1) == {"accepted": cap, "full": 1}
    assert await send("stop", 20_000, 1) == {"accepted": 1}
    assert await send("new", 30_000, 500) == {"accepted": ROOM_FOR_CONTROL - 1, "full": 501 - ROOM_FOR_CONTROL}
    assert await redis_of(pool.store).llen(INBOX) == cap + ROOM_FOR_CONTROL
