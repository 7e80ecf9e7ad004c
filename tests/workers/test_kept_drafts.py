"""The words of a draft, which no message has, are kept: a dead worker's are shown, and stay in the history."""

import pytest

from tasks.envelope import Inbound, Reply
from tasks.phrases import phrase
from tasks.store.state import StateField
from tests.support.redis_of import redis_of
from tests.support.until import until
from tests.workers.fakes import Hold
from tests.workers.pool import Pool, Worker, session
from tests.workers.test_stopping import history, stop
from workers import texts
from workers.sessions.outbox import LATE_S
from workers.sessions.turns.kept_draft import MOST

ONE = session(1)


async def drafts(pool: Pool, name: str, mode: str = "draft") -> Worker:
    pool.telegram.drafts = mode == "draft"
    return await pool.worker(name, COHORT_STREAM=mode, COHORT_QUEUE_MODE="steer")


async def drafted(pool: Pool) -> str:
    return (await pool.state(ONE)).get(StateField.drafted, "").partition("\n")[2]


async def kept_is(pool: Pool, words: str) -> bool:
    return await drafted(pool) == words


async def begun(pool: Pool, says: str = "Once upon") -> tuple[Worker, Hold]:
    """A worker whose turn has said this, in a draft, and goes on."""
    one, hold = await drafts(pool, "w-one"), pool.model.hold("long")
    pool.model.partial["long"] = says
    await pool.say(1, "long")
    one.doorbell(ONE)
    await hold.reached()
    await until(lambda: kept_is(pool, says))
    return one, hold


@pytest.mark.promise("stop-keeps")
async def test_a_stop_puts_a_dead_workers_draft_into_the_chat_and_the_history(pool: Pool) -> None:
    one, _ = await begun(pool)
    await one.kill()
    await pool.say(1, kind="stop")
    two = await drafts(pool, "w-two")
    await two.answer(ONE)
    assert pool.telegram.texts(ONE) == [f"Once upon\n\n{texts.stopped(1)}"]
    assert await history(pool) == ["long", "Once upon [stopped]"]
    assert not await drafted(pool)


@pytest.mark.promise("stop-keeps")
async def test_a_stop_of_the_turn_that_begins_again_keeps_the_longer_words_of_before(pool: Pool) -> None:
    one, _ = await begun(pool)
    await one.kill()
    pool.model.partial["long"] = "Once"
    two = await drafts(pool, "w-two")
    two.doorbell(ONE)
    await pool.model.changes.until(lambda: len(pool.model.calls) > 1)
    await stop(pool, two)
    await pool.telegram.until_delivered(1)
    await pool.all_leave()
    assert pool.telegram.texts(ONE) == [f"Once upon\n\n{texts.stopped(1)}"]
    assert await history(pool) == ["long", "Once upon [stopped]"]


@pytest.mark.promise("stop-keeps")
async def test_the_answer_takes_the_place_of_a_dead_workers_draft_and_nothing_is_kept_of_it(pool: Pool) -> None:
    one, hold = await begun(pool)
    await one.kill()
    hold.go.set()
    two = await drafts(pool, "w-two")
    await two.answer(ONE)
    assert pool.telegram.texts(ONE) == ["answer to long"]
    assert StateField.drafted not in await pool.state(ONE)


@pytest.mark.promise("stop-keeps")
async def test_the_draft_of_a_message_that_is_given_up_stands_above_the_words_about_it(pool: Pool) -> None:
    one, _ = await begun(pool)
    await one.kill()
    await redis_of(pool.store).hset(f"cohort:s:{ONE}:state", StateField.tries, "3")
    two = await drafts(pool, "w-two")
    await two.answer(ONE)
    assert pool.telegram.texts(ONE) == [f"Once upon\n\n{phrase('poison')}"]


@pytest.mark.promise("stop-after-death")
async def test_a_draft_stays_below_a_stop_that_the_bot_has_told(pool: Pool) -> None:
    one, _ = await begun(pool)
    await one.kill()
    await pool.say(1, kind="stop")
    word = Inbound.from_json((await pool.raw_inbox(ONE))[-1])
    owner = await pool.store.sessions.owners.of(ONE)
    line = Reply(session=str(ONE), text="Stopped.")
    assert await pool.store.sessions.owners.stand_in(ONE, owner, word, line)
    two = await drafts(pool, "w-two")
    await two.answer(ONE)
    assert pool.telegram.texts(ONE) == ["Once upon"]
    assert pool.telegram.delivered[0][1].buttons
    assert await history(pool) == ["long", "Once upon [stopped]"]


@pytest.mark.promise("stop-after-death")
async def test_the_end_of_a_long_draft_does_not_wait_for_late_frames_of_the_messages_above_it(pool: Pool) -> None:
    one, _ = await begun(pool, "Once upon\fa time")
    # The draft has filled a message, and goes on below it.
    await redis_of(pool.store).hset(f"cohort:s:{ONE}:state", StateField.live, "77")
    await one.kill()
    await pool.say(1, kind="stop")
    two = await drafts(pool, "w-two")
    pool.naps.awake.clear()
    turn = two.doorbell(ONE)
    await pool.naps.changes.until(lambda: LATE_S in pool.naps.taken)
    said = [(reply.edit, reply.text) for _, reply in pool.telegram.delivered]
    assert said == [(None, f"a time\n\n{texts.stopped(1)}"), (77, "Once upon")]
    pool.naps.awake.set()
    await turn
    assert await pool.idle(ONE)


async def told_by_the_bot(pool: Pool, kind: str, words: str, message: int) -> None:
    """The only worker died in a draft's turn; the bot has said that a word holds, in this message of the chat."""
    one, _ = await begun(pool)
    await one.kill()
    await pool.say(1, kind=kind)
    word = Inbound.from_json((await pool.raw_inbox(ONE))[-1])
    owners = pool.store.sessions.owners
    assert await owners.stand_in(ONE, await owners.of(ONE), word, Reply(session=str(ONE), text=words))
    for _ in range(2):
        await owners.told_in(ONE, message)


@pytest.mark.promise("stop-after-death")
async def test_a_draft_comes_into_the_line_by_which_the_bot_told_of_its_stop(pool: Pool) -> None:
    await told_by_the_bot(pool, "stop", texts.stopped(1), 77)
    two = await drafts(pool, "w-two")
    await two.answer(ONE)
    (_, reply), *more = pool.telegram.delivered
    assert (reply.edit, reply.text, more) == (77, f"Once upon\n\n{texts.stopped(1)}", [])
    assert [button.text for button in reply.buttons[0]] == [phrase("button-retry"), phrase("button-undo")]
    assert await history(pool) == ["long", "Once upon [stopped]"]
    assert StateField.told_in not in await pool.state(ONE)


async def test_behind_the_bots_new_conversation_the_draft_comes_first_and_the_line_is_said_below(pool: Pool) -> None:
    await told_by_the_bot(pool, "new", phrase("new-conversation"), 77)
    two = await drafts(pool, "w-two")
    await two.answer(ONE)
    said = [(reply.edit, reply.text) for _, reply in pool.telegram.delivered]
    assert said[0] == (77, f"Once upon\n\n{phrase('stopped')}")
    assert said[1][0] is None
    assert said[1][1].startswith(phrase("new-conversation"))


async def test_what_the_bot_told_of_another_turn_is_not_written_over(pool: Pool) -> None:
    await told_by_the_bot(pool, "stop", texts.stopped(1), 77)
    await redis_of(pool.store).hset(f"cohort:s:{ONE}:state", StateField.told_in, "another\n77")
    two = await drafts(pool, "w-two")
    await two.answer(ONE)
    assert [reply.edit for _, reply in pool.telegram.delivered] == [None]


async def test_a_worker_that_was_there_first_is_told_nothing_of_the_bots_line(pool: Pool) -> None:
    _, hold = await begun(pool)
    await pool.store.sessions.owners.told_in(ONE, 77)
    assert StateField.told_in not in await pool.state(ONE)
    hold.go.set()
    await pool.telegram.until_delivered(1)


async def test_a_draft_of_another_turn_counts_for_nothing(pool: Pool) -> None:
    one, _ = await begun(pool)
    await one.kill()
    # A worker of a release that does not know the field answered since.
    await redis_of(pool.store).hset(f"cohort:s:{ONE}:state", StateField.commit, "another")
    await pool.say(1, kind="stop")
    two = await drafts(pool, "w-two")
    await two.answer(ONE)
    assert pool.telegram.texts(ONE) == [texts.stopped(1)]
    assert StateField.drafted not in await pool.state(ONE)


async def test_of_a_draft_that_grew_beyond_its_room_nothing_is_kept(pool: Pool) -> None:
    pool.model.more["long"] = "x" * (MOST + 1)
    pool.model.hold("joined long")
    _, hold = await begun(pool)
    hold.go.set()
    await until(lambda: kept_is(pool, ""))


async def test_where_answers_grow_in_messages_nothing_is_kept_beside_them(pool: Pool) -> None:
    worker, hold = await drafts(pool, "w-one", "edit"), pool.model.hold("long")
    pool.model.partial["long"] = "Once upon"
    await pool.say(1, "long")
    worker.doorbell(ONE)
    await hold.reached()
    await pool.telegram.changes.until(lambda: bool(pool.telegram.noted))
    assert pool.naps.taken == []
    hold.go.set()
    await pool.telegram.until_delivered(1)
