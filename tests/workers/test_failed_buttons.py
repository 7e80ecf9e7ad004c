"""Under each failure there is a Retry button, which means that turn and no other one."""

from typing import Literal

import pytest

from tasks.phrases import phrase
from tests.workers.pool import Pool, Worker, session
from tests.workers.test_stopped_buttons import press
from workers.interfaces import TurnFailed

ONE = session(1)


async def failed(pool: Pool, problem: Exception, times: int = 1) -> tuple[Worker, str]:
    """After an exchange, a turn fails; the worker, and the data of the button below its apology."""
    worker = await pool.worker("w-one")
    pool.model.fail("bad", *[problem] * times)
    for text in ("good", "bad"):
        await pool.say(1, text)
        await worker.answer(ONE)
    ((button,),) = pool.telegram.delivered[-1][1].buttons
    assert button.text == phrase("button-retry")
    return worker, button.data


@pytest.mark.promise("retry-undo")
@pytest.mark.parametrize(
    ("problem", "times"),
    [
        (TurnFailed("tell", "The model declined.", "content filter"), 1),
        (TurnFailed("operator", "Something is wrong.", "401"), 1),
        (ValueError("a defect"), 5),
    ],
)
async def test_retry_below_a_failure_runs_its_message_again(pool: Pool, problem: Exception, times: int) -> None:
    worker, data = await failed(pool, problem, times)
    await press(pool, worker, data)
    assert pool.telegram.texts(ONE)[-1] == "answer to bad"
    said = pool.telegram.texts(ONE)
    await press(pool, worker, data)
    assert pool.telegram.texts(ONE) == said, "the same press again, or another person's, is carried out already"
    await press(pool, worker, data, message=800)
    assert pool.telegram.texts(ONE)[-1] == phrase("not-the-last")


@pytest.mark.promise("retry-undo")
@pytest.mark.parametrize("action", ["tell", "retry"])
async def test_a_retry_that_fails_again_is_pressed_twice_and_runs_once_and_its_own_button_runs(
    pool: Pool, action: Literal["tell", "retry"]
) -> None:
    problem = TurnFailed(action, "No answer.", "503", backoff=3600)
    worker, data = await failed(pool, problem, times=50)
    calls = len(pool.model.calls)
    await press(pool, worker, data, times=1)
    once, said = len(pool.model.calls) - calls, len(pool.telegram.texts(ONE))
    await press(pool, worker, data)
    assert (len(pool.model.calls), len(pool.telegram.texts(ONE))) == (calls + once, said)
    ((button,),) = pool.telegram.delivered[-1][1].buttons
    await press(pool, worker, button.data, message=800)
    assert len(pool.model.calls) == calls + 2 * once


async def test_a_late_press_below_a_failure_changes_nothing_and_is_told_so(pool: Pool) -> None:
    worker, data = await failed(pool, TurnFailed("tell", "The model declined.", "content filter"))
    await pool.say(1, "two")
    await worker.answer(ONE)
    calls = len(pool.model.calls)
    await press(pool, worker, data)
    assert pool.telegram.texts(ONE)[-1] == phrase("not-the-last")
    assert len(pool.model.calls) == calls
