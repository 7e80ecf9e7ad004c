"""An outage has a beginning and an end, and is not told for each try."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from tasks.outage import STEADY_S, OnceAMinute, Outage


def test_an_outage_is_told_when_it_begins_and_when_it_ends_with_its_length() -> None:
    now = [100.0]
    outage = Outage(lambda: now[0])
    assert outage.ended() is None
    assert [outage.began() for _ in range(3)] == [True, False, False]
    now[0] = 107.25
    assert outage.ended() == 7.2
    assert outage.ended() is None
    now[0] += STEADY_S
    assert outage.began()
    now[0] += 5
    assert outage.ended() == 5


@given(st.lists(st.tuples(st.booleans(), st.sampled_from([0.0, 0.25, 1.0, 59.0, 61.0])), max_size=200))
def test_what_comes_and_goes_is_told_twice_and_then_no_more_than_once_a_minute(tries: list[tuple[bool, float]]) -> None:
    now = [0.0]
    outage = Outage(lambda: now[0])
    told = list[tuple[float, str]]()
    for failed, after in tries:
        now[0] += after
        if failed and outage.began():
            told.append((now[0], "began"))
        if not failed and outage.ended() is not None:
            told.append((now[0], "ended"))
    assert [what for _, what in told] == [("began", "ended")[number % 2] for number in range(len(told))]
    ends = [at for at, what in told if what == "ended"]
    assert all(later - sooner >= STEADY_S for sooner, later in pairwise(ends))
    at_once = outage.ended()
    now[0] += STEADY_S
    later = outage.ended()
    is_open = bool(told) and told[-1][1] == "began"
    assert (at_once is not None) + (later is not None) == is_open, "what works for a minute is told to be back, once"


def test_a_line_that_comes_often_is_told_once_a_minute_with_how_many_were_left_out() -> None:
    now = [0.0]
    line = OnceAMinute(lambda: now[0])
    assert [line.told() for _ in range(3)] == [{}, None, None]
    now[0] = STEADY_S
    assert line.told() == {"more": 2}
    now[0] *= 3
    assert line.told() == {}
