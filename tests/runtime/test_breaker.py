"""The circuit breaker: an outage costs a few chats' attempts, not every chat's, and one chat cannot bring it about."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.runtime.support import StillClock
from workers.runtime.models.breaker import (
    CHATS_TO_OPEN,
    FIRST_PAUSE_S,
    LONGEST_PAUSE_S,
    LOOK_AGAIN_S,
    WINDOW_S,
    Breaker,
    Caller,
)

A, B = Caller(1001, 1001), Caller(1002, 1002)


def broken(clock: StillClock) -> Breaker:
    """Chats 0, 1, ... have failed."""
    breaker = Breaker(clock)
    for number in range(CHATS_TO_OPEN):
        caller = Caller(number, number)
        assert breaker.wait("m", caller) == 0
        breaker.failed("m", caller)
    return breaker


def test_it_opens_when_several_chats_failed_and_lets_one_probe_through_later() -> None:
    clock = StillClock()
    breaker = broken(clock)
    assert breaker.wait("m", A) == FIRST_PAUSE_S
    assert breaker.wait("another", A) == 0
    assert breaker.open == ("m",)
    clock.seconds += FIRST_PAUSE_S
    assert breaker.wait("m", A) == 0
    assert breaker.wait("m", B) > 0, "one probe at a time"
    breaker.succeeded("m")
    assert breaker.wait("m", B) == 0


def test_a_failed_probe_doubles_the_pause_up_to_a_minute() -> None:
    clock = StillClock()
    breaker = broken(clock)
    pauses = []
    for number in range(100, 106):
        caller = Caller(number, number)
        pauses.append(breaker.wait("m", caller))
        clock.seconds += pauses[-1]
        assert breaker.wait("m", caller) == 0
        breaker.failed("m", caller)
    assert pauses == [10, 20, 40, 60, 60, 60]
    assert max(pauses) == LONGEST_PAUSE_S


def test_a_probe_that_was_cancelled_lets_another_probe() -> None:
    clock = StillClock()
    breaker = broken(clock)
    clock.seconds += FIRST_PAUSE_S
    assert breaker.wait("m", A) == 0
    breaker.abandoned("m", B)
    assert breaker.wait("m", B) == LOOK_AGAIN_S, "only the probe itself gives it up"
    breaker.abandoned("m", A)
    assert breaker.wait("m", B) == 0


def test_a_probe_that_takes_minutes_does_not_keep_the_model_closed() -> None:
    clock = StillClock()
    breaker = broken(clock)
    clock.seconds += FIRST_PAUSE_S
    assert breaker.wait("m", A) == 0
    clock.seconds += LONGEST_PAUSE_S
    assert breaker.wait("m", B) == 0


@pytest.mark.promise("model-faults")
@pytest.mark.parametrize(
    "callers",
    [
        [A] * 50,
        [Caller(-100, sender) for sender in range(50)],
        [Caller(chat, 7) for chat in range(50)],
    ],
    ids=["one private chat", "one group with many members or topics", "one person in many chats"],
)
def test_one_chat_and_one_person_never_close_a_model_for_others(callers: list[Caller]) -> None:
    clock = StillClock()
    breaker = Breaker(clock)
    for caller in callers:
        breaker.failed("m", caller)
        clock.seconds += 1
    assert breaker.wait("m", B) == 0
    assert breaker.open == ()


def test_chats_that_failed_hours_apart_are_no_outage() -> None:
    clock = StillClock()
    breaker = Breaker(clock)
    for number in range(50):
        breaker.failed("m", Caller(number, number))
        clock.seconds += WINDOW_S / (CHATS_TO_OPEN - 1) + 1
    assert breaker.wait("m", A) == 0


def test_one_success_forgets_the_failures_before_it() -> None:
    breaker = Breaker(StillClock())
    for _ in range(20):
        for number in range(CHATS_TO_OPEN - 1):
            breaker.failed("m", Caller(number, number))
        breaker.succeeded("m")
    assert breaker.wait("m", A) == 0


def test_the_probe_is_not_a_chat_that_failed_while_another_waits() -> None:
    clock = StillClock()
    breaker = broken(clock)
    culprit = Caller(0, 0)
    assert breaker.wait("m", A) == FIRST_PAUSE_S
    clock.seconds += FIRST_PAUSE_S
    assert breaker.wait("m", culprit) == FIRST_PAUSE_S / 2
    assert breaker.wait("m", A) == 0
    breaker.failed("m", A)
    assert breaker.wait("m", B) == 2 * FIRST_PAUSE_S
    clock.seconds += 2 * FIRST_PAUSE_S
    assert breaker.wait("m", A) == FIRST_PAUSE_S, "it has failed now, too"
    assert breaker.wait("m", B) == 0


def test_where_all_that_ask_have_failed_one_of_them_is_the_probe_after_the_pause() -> None:
    clock = StillClock()
    breaker = broken(clock)
    clock.seconds += FIRST_PAUSE_S
    assert breaker.wait("m", Caller(0, 0)) == 0


def test_a_chat_that_failed_is_the_probe_when_the_others_do_not_come_back() -> None:
    clock = StillClock()
    breaker = broken(clock)
    assert breaker.wait("m", A) == FIRST_PAUSE_S
    clock.seconds += FIRST_PAUSE_S * 1.5
    assert breaker.wait("m", Caller(0, 0)) == 0


@given(st.lists(st.tuples(st.sampled_from("fsaw"), st.integers(0, 3), st.floats(0, 30)), max_size=60))
def test_fewer_chats_than_an_outage_has_never_close_a_model(steps: list[tuple[str, int, float]]) -> None:
    clock = StillClock()
    breaker = Breaker(clock)
    for step, number, seconds in steps:
        caller = Caller(number, number)
        match step:
            case "f":
                breaker.failed("m", caller)
            case "s":
                breaker.succeeded("m")
            case "a":
                breaker.abandoned("m", caller)
            case _:
                assert breaker.wait("m", caller) == 0
        clock.seconds += seconds
        assert breaker.open == ()


@given(st.lists(st.tuples(st.sampled_from("fsaw"), st.integers(0, 9), st.floats(0, 30)), max_size=80))
def test_whatever_happened_every_chat_is_let_through_within_two_pauses(steps: list[tuple[str, int, float]]) -> None:
    clock = StillClock()
    breaker = broken(clock)
    for step, number, seconds in steps:
        caller = Caller(number, number)
        match step:
            case "f":
                breaker.failed("m", caller)
            case "s":
                breaker.succeeded("m")
            case "a":
                breaker.abandoned("m", caller)
            case _:
                breaker.wait("m", caller)
        clock.seconds += seconds
    for caller in (A, Caller(0, 0)):
        waited = 0.0
        for _ in itertools.repeat(None, 200):
            pause = breaker.wait("m", caller)
            if pause == 0:
                break
            waited += pause
            clock.seconds += pause
        assert waited <= 2.5 * LONGEST_PAUSE_S
        breaker.abandoned("m", caller)
