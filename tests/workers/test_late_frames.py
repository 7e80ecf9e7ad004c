"""A frame of a dead worker that Telegram carries out late does not stay over the answer."""

import pytest

from tasks.envelope import Reply
from tasks.session import SessionKey
from tests.workers.pool import Pool, Worker, session
from workers.outbox import LATE_S
from workers.ports import Undeliverable

ONE = session(1)


async def heir_of_a_message(pool: Pool) -> tuple[Worker, int]:
    """A worker that goes on after another, which died with a message on the screen; that message."""
    first = await pool.worker("w-one")
    hold = pool.model.hold("long")
    pool.model.partial["long"] = "Once upon"
    await pool.say(1, "long")
    first.ring(ONE)
    await hold.reached()
    await pool.telegram.changes.until(lambda: bool(pool.telegram.noted))
    await first.kill()
    hold.go.set()
    (message,) = pool.telegram.noted
    return await pool.worker("w-two"), message


@pytest.mark.promise("worker-killed")
async def test_an_answer_in_a_dead_worker_s_message_is_edited_again_later_and_confirmed_only_then(pool: Pool) -> None:
    heir, message = await heir_of_a_message(pool)
    pool.naps.awake.clear()
    turn = heir.ring(ONE)
    await pool.naps.changes.until(lambda: LATE_S in pool.naps.taken)
    # Telegram carries out what the dead one sent last.
    pool.telegram.edit(ONE, message, "Once upon a")
    assert not await pool.idle(ONE)
    pool.naps.awake.set()
    await turn
    assert pool.telegram.chat(ONE).shown == {message: "answer to long"}
    assert await pool.idle(ONE)
    await pool.say(1, "short")
    await heir.answer(ONE)
    assert pool.telegram.texts(ONE) == ["answer to long", "answer to long", "answer to short"]
    assert pool.naps.taken.count(LATE_S) == 1


async def test_an_answer_that_did_not_come_into_the_dead_worker_s_message_is_sent_once(pool: Pool) -> None:
    heir, message = await heir_of_a_message(pool)

    async def blocked(_session: SessionKey, reply: Reply) -> None:
        assert reply.edit == message
        raise Undeliverable("bot was blocked")

    heir.delivery.before = blocked
    await heir.answer(ONE)
    assert LATE_S not in pool.naps.taken
    assert await pool.idle(ONE)
