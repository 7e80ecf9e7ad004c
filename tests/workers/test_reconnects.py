"""A lost connection of Celery's is told once an outage, and the next one is not tried in a hot loop."""

import pytest

from workers.process.reconnects import Reconnects


def test_the_first_loss_is_told_and_tried_at_once_and_further_ones_wait_longer_and_longer(
    caplog: pytest.LogCaptureFixture,
) -> None:
    now, pauses = [1000.0], list[float]()

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        now[0] += seconds

    reconnects = Reconnects(monotonic=lambda: now[0], pause=pause)
    for _ in range(100):
        reconnects.lost(ConnectionError())
    assert len(pauses) == 99
    assert pauses[0] < 0.3
    assert all(1 < pause <= 3 for pause in pauses[10:])
    now[0] += 31
    reconnects.lost(ConnectionError())
    assert len(pauses) == 99
    assert [record.message for record in caplog.records] == ["consumer.lost"] * 2
