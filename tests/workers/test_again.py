"""/retry answers the last message again, /undo takes the last exchange back."""

import pytest

from tasks import keys
from tasks.phrases import phrase
from tasks.store.state import StateField
from tests.support.redis_of import redis_of
from tests.workers.fake_model import NEWER
from tests.workers.pool import Pool, session
from tests.workers.test_stopping import history, stop
from workers.interfaces import TurnFailed

ONE = session(1)


def refusal() -> TurnFailed:
    return TurnFailed("tell", "I cannot answer that.", "content filter")


@pytest.mark.promise("retry-undo")
async def test_undo_takes_the_last_exchange_out_of_the_history_once(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    for text in ("one", "two"):
        await pool.say(1, text)
        await worker.answer(ONE)
    undo = await pool.say(1, kind="undo", v=3)
    await worker.answer(ONE)
    assert await history(pool) == ["one"]
    assert pool.telegram.texts(ONE)[-1] == phrase("undone")
    assert pool.telegram.answered(ONE)[-1] == undo
    for _ in range(2):
        await pool.say(1, kind="undo", v=3)
        await worker.answer(ONE)
    assert pool.telegram.texts(ONE)[-2:] == [phrase("undone"), phrase("nothing-to-undo")]
    assert await pool.idle(ONE)


@pytest.mark.promise("retry-undo")
async def test_undo_of_a_message_without_an_answer_leaves_the_exchange_before_it(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    await pool.say(1, "one")
    await worker.answer(ONE)
    pool.model.fail("two", refusal())
    await pool.say(1, "two")
    await worker.answer(ONE)
    await pool.say(1, kind="undo", v=3)
    await worker.answer(ONE)
    assert await history(pool) == ["one"]
    await pool.say(1, kind="retry", last=True)
    await worker.answer(ONE)
    assert [message.kind for message in pool.model.calls[-1].request.messages] == ["retry"], "two is gone"


@pytest.mark.promise("retry-undo")
async def test_retry_runs_the_last_message_of_the_history_again(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    await pool.say(1, "one")
    await worker.answer(ONE)
    await pool.say(1, kind="retry", last=True)
    await worker.answer(ONE)
    request = pool.model.calls[-1].request
    assert [message.kind for message in request.messages] == ["retry"]
    assert pool.model.calls[-1].history == ["one"], "the runtime takes it from there"


@pytest.mark.promise("retry-undo")
async def test_retry_after_an_apology_of_any_kind_runs_the_message_that_got_it(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    await pool.say(1, "one")
    await worker.answer(ONE)
    pool.model.fail("two", refusal())
    await pool.say(1, "two")
    await worker.answer(ONE)
    await pool.say(1, kind="retry", last=True)
    await worker.answer(ONE)
    assert pool.telegram.texts(ONE)[-2:] == ["I cannot answer that.", "answer to two"]
    outages = [TurnFailed("retry", "busy", "503") for _ in range(9)]
    pool.model.fail("three", *outages)
    await pool.say(1, "three")
    await worker.answer(ONE)
    pool.model.fail("three")
    await pool.say(1, kind="retry", last=True)
    await worker.answer(ONE)
    assert pool.telegram.texts(ONE)[-1] == "answer to three"
    assert {"failed", "unanswered"}.isdisjoint(await pool.state(ONE)), "an old button runs nothing twice"


@pytest.mark.promise("retry-undo")
async def test_a_message_that_ends_workers_is_not_run_again_by_retry(pool: Pool) -> None:
    for number in range(3):
        worker = await pool.worker(f"w-{number}")
        hold = pool.model.hold("poison")
        if not number:
            await pool.say(1, "poison")
        pool.doorbell(worker, ONE)
        await hold.reached()
        hold.begun.clear()
        await worker.kill()
    last = await pool.worker("w-last")
    await last.answer(ONE)
    assert pool.telegram.texts(ONE) == [phrase("poison")]
    await pool.say(1, kind="retry", last=True)
    await last.answer(ONE)
    assert pool.telegram.texts(ONE)[-1] == phrase("nothing-to-retry")


@pytest.mark.promise("retry-undo")
async def test_of_a_history_of_a_newer_release_nothing_is_taken_back_and_its_person_reads_why(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    await redis_of(pool.store).hset(keys.state(ONE), StateField.history, NEWER)
    await pool.say(1, kind="undo", v=3)
    await worker.answer(ONE)
    assert pool.telegram.texts(ONE) == ["written by a newer version"]
    assert (await pool.state(ONE))["history"] == NEWER.decode()


@pytest.mark.promise("retry-undo")
async def test_retry_with_nothing_said_says_so(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    await pool.say(1, kind="retry", last=True)
    await worker.answer(ONE)
    assert pool.telegram.texts(ONE) == [phrase("nothing-to-retry")]


@pytest.mark.promise("retry-undo")
async def test_retry_after_all_was_taken_back_says_so_without_an_apology_and_leaves_nothing_to_undo(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    await pool.say(1, "one")
    await worker.answer(ONE)
    for kind, last in (("undo", False), ("retry", True), ("undo", False), ("new", False)):
        await pool.say(1, kind=kind, last=last, v=3)
        await worker.answer(ONE)
    said = [phrase(name) for name in ("undone", "nothing-to-retry", "nothing-to-undo", "new-conversation")]
    assert pool.telegram.texts(ONE)[1:] == said, "and an empty conversation is not set aside"


@pytest.mark.promise("retry-undo")
async def test_a_history_that_is_a_summary_alone_has_nothing_to_try_again(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    await redis_of(pool.store).hset(keys.state(ONE), StateField.history, "[]")
    await pool.say(1, kind="retry", last=True)
    await worker.answer(ONE)
    assert pool.telegram.texts(ONE) == [phrase("nothing-to-retry")], "no apology, and no reference"
    assert "unanswered" not in await pool.state(ONE)


@pytest.mark.promise("retry-undo")
async def test_after_a_stop_retry_and_undo_mean_the_stopped_message(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    hold = pool.model.hold("long")
    await pool.say(1, "long")
    turn = worker.doorbell(ONE)
    await hold.reached()
    await stop(pool, worker)
    await turn
    await pool.say(1, kind="retry", last=True)
    await worker.answer(ONE)
    assert pool.model.calls[-1].history[0] == "long"
