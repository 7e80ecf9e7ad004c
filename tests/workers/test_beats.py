"""Heartbeats come at their times, however long one takes."""

import pytest

from workers.process.beats import pause_s


@pytest.mark.parametrize(
    ("took", "pause"), [(0.0, 1.0), (0.25, 0.75), (0.8, 0.2), (1.0, 0.2), (9.0, 0.2)], ids=lambda number: f"{number} s"
)
def test_the_pause_after_a_heartbeat_is_what_is_left_of_its_time(took: float, pause: float) -> None:
    assert pause_s(1.0, took) == pytest.approx(pause)
