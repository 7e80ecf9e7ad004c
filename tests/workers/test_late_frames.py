"""A frame of a dead worker that Telegram carries out late does not stay over the answer."""

import pytest

from botapi.errors import Undeliverable
from tasks.envelope import Reply
from tasks.session import SessionKey
from tests.workers.mishaps import heir_of_a_message
from tests.workers.pool import Pool, session
from workers.sessions.outbox import LATE_S

ONE = session(1)


@pytest.mark.promise("worker-killed")
async def test_an_answer_in_a_dead_worker_s_message_is_edited_again_later_and_confirmed_only_then(pool: Pool) -> None:
    heir, message = await heir_of_a_message(pool)
    pool.naps.awake.clear()
    turn = heir.doorbell(ONE)
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
