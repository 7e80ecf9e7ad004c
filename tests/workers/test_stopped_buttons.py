"""A stopped turn has a Retry and an Undo button, which mean that turn and no other one."""

import pytest

from tasks.phrases import phrase
from tests.workers.pool import Pool, Worker, session
from tests.workers.test_stopping import history, stop
from workers import texts
from workers.interfaces import TurnFailed

ONE = session(1)


async def stopped(pool: Pool) -> tuple[Worker, dict[str, str]]:
    """After an exchange, a turn is stopped; the worker, and the data of its buttons by their texts."""
    worker = await pool.worker("w-one")
    await pool.say(1, "one")
    await worker.answer(ONE)
    hold = pool.model.hold("long")
    await pool.say(1, "long")
    turn = worker.doorbell(ONE)
    await hold.reached()
    await stop(pool, worker)
    await turn
    hold.go.set()
    (row,) = pool.telegram.delivered[-1][1].buttons
    return worker, {button.text: button.data for button in row}


async def press(pool: Pool, worker: Worker, data: str, *, times: int = 1, message: int = 700) -> None:
    kind, _, exchange = data.partition(":")
    button = {"pressed": True, "last": kind == "retry" and bool(exchange), "message_id": message}
    said = {"kind": kind, "v": 4, "exchange": exchange, **button}
    await pool.say_all(1, *[said] * times)
    await worker.answer(ONE)


@pytest.mark.promise("retry-undo")
async def test_undo_below_a_stopped_turn_takes_that_turn_back_once(pool: Pool) -> None:
    worker, buttons = await stopped(pool)
    assert await history(pool) == ["one", "long", " [stopped]"]
    await press(pool, worker, buttons["Undo"], times=2)
    assert pool.telegram.texts(ONE)[-1] == phrase("undone")
    assert phrase("not-the-last") not in pool.telegram.texts(ONE)
    assert await pool.idle(ONE)


@pytest.mark.promise("retry-undo")
async def test_retry_below_a_stopped_turn_runs_its_message_again(pool: Pool) -> None:
    worker, buttons = await stopped(pool)
    await press(pool, worker, buttons["Retry"])
    (message,) = pool.model.calls[-1].request.messages
    assert (message.kind, message.last) == ("retry", True)


@pytest.mark.promise("retry-undo")
@pytest.mark.parametrize("button", ["Undo", "Retry"])
@pytest.mark.parametrize("since", ["answer", "apology", "new"])
async def test_a_late_press_changes_nothing_and_is_told_so(pool: Pool, button: str, since: str) -> None:
    worker, buttons = await stopped(pool)
    if since == "apology":
        pool.model.fail("two", TurnFailed("tell", "I cannot answer that.", "content filter"))
    await pool.say(1, "two" if since != "new" else "", kind="new" if since == "new" else "message")
    await worker.answer(ONE)
    before, state, calls = await history(pool), await pool.state(ONE), len(pool.model.calls)
    await press(pool, worker, buttons[button])
    assert pool.telegram.texts(ONE)[-1] == phrase("not-the-last")
    assert await history(pool) == before
    assert (await pool.state(ONE)).get("unanswered") == state.get("unanswered")
    assert len(pool.model.calls) == calls


async def test_a_choice_of_the_model_between_stop_and_press_is_no_exchange(pool: Pool) -> None:
    worker, buttons = await stopped(pool)
    await pool.say(1, kind="choose", choice={"agent": ""})
    await press(pool, worker, buttons["Undo"])
    assert pool.telegram.texts(ONE)[-1] == phrase("undone")


async def test_a_stop_that_leaves_the_history_as_it_was_has_no_buttons(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    await pool.say(1, "one")
    await worker.answer(ONE)
    await pool.say(1, kind="stop")
    await worker.answer(ONE)
    await pool.say_all(1, {"text": "a"}, {"text": "b"}, {"kind": "stop"})
    await worker.answer(ONE)
    assert pool.telegram.texts(ONE)[-2:] == [texts.stopped(0), texts.stopped(2)]
    assert [reply.buttons for _, reply in pool.telegram.delivered[-2:]] == [(), ()]
