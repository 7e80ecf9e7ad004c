"""The circuit breaker: an outage costs five attempts, not every chat's."""

import pytest

from tests.runtime.support import Open, Screen, StillClock, ask
from tests.support.model import Model
from workers.ports import TurnFailed
from workers.runtime.breaker import FAILURES_TO_OPEN, FIRST_PAUSE_S, LONGEST_PAUSE_S, Breaker


def broken(clock: StillClock) -> Breaker:
    breaker = Breaker(clock)
    for _ in range(FAILURES_TO_OPEN):
        assert breaker.wait("m") == 0
        breaker.failed("m")
    return breaker


def test_it_opens_after_failures_in_a_row_and_lets_one_probe_through_later() -> None:
    clock = StillClock()
    breaker = broken(clock)
    assert breaker.wait("m") == FIRST_PAUSE_S
    assert breaker.wait("another") == 0
    assert breaker.open == ("m",)
    clock.seconds += FIRST_PAUSE_S
    assert breaker.wait("m") == 0
    assert breaker.wait("m") > 0, "one probe at a time"
    breaker.succeeded("m")
    assert breaker.wait("m") == 0


def test_a_failed_probe_doubles_the_pause_up_to_a_minute() -> None:
    clock = StillClock()
    breaker = broken(clock)
    pauses = []
    for _ in range(6):
        pauses.append(breaker.wait("m"))
        clock.seconds += pauses[-1]
        assert breaker.wait("m") == 0
        breaker.failed("m")
    assert pauses == [10, 20, 40, 60, 60, 60]
    assert max(pauses) == LONGEST_PAUSE_S


def test_a_probe_that_was_cancelled_lets_another_probe() -> None:
    clock = StillClock()
    breaker = broken(clock)
    clock.seconds += FIRST_PAUSE_S
    assert breaker.wait("m") == 0
    breaker.abandoned("m")
    assert breaker.wait("m") == 0


def test_one_success_forgets_the_failures_before_it() -> None:
    breaker = Breaker(StillClock())
    for _ in range(20):
        for _ in range(FAILURES_TO_OPEN - 1):
            breaker.failed("m")
        breaker.succeeded("m")
    assert breaker.wait("m") == 0


async def fail(engine: object, chat: int, **choice: str) -> TurnFailed:
    try:
        await engine.run(ask(chat, "hello", **choice), Screen())
    except TurnFailed as failure:
        return failure
    raise AssertionError("it was answered")


@pytest.mark.promise("model-faults")
async def test_an_outage_is_noticed_and_further_turns_wait_without_calling(
    runtime: Open, model: Model, clock: StillClock
) -> None:
    model.fault(mode="drop", times=None)
    async with runtime() as engine:
        for chat in range(FAILURES_TO_OPEN):
            assert (await fail(engine, chat)).action == "retry"
        calls = len(model.journal)
        failure = await fail(engine, 99)
        assert (failure.action, failure.backoff, len(model.journal)) == ("retry", FIRST_PAUSE_S, calls)
        model.clear()
        clock.seconds += FIRST_PAUSE_S
        assert (await engine.run(ask(99, "back"), Screen())).text == "echo: back [n=1]"


async def test_while_a_model_is_down_the_fallback_answers(runtime: Open, model: Model) -> None:
    model.fault(mode="drop", times=FAILURES_TO_OPEN)
    async with runtime(COHORT_FALLBACK_MODEL="generic.spare") as engine:
        for chat in range(FAILURES_TO_OPEN):
            await fail(engine, chat)
        result = await engine.run(ask(1, "hi"), Screen())
    assert (result.text, result.usage.model) == ("echo: hi [n=1]", "spare")


async def test_a_refusal_does_not_count_as_an_outage(runtime: Open, model: Model) -> None:
    model.fault(status=400, times=FAILURES_TO_OPEN + 1)
    async with runtime() as engine:
        for chat in range(FAILURES_TO_OPEN + 1):
            assert (await fail(engine, chat)).action == "tell"
        assert (await engine.run(ask(1, "hi"), Screen())).text == "echo: hi [n=1]"
