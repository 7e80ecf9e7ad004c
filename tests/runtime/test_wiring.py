"""What a worker is put together with."""

import pytest

from workers.process import wiring


@pytest.mark.parametrize(("lanes", "connections"), [(1, 64), (16, 64), (32, 128), (128, 512), (1000, 512)])
def test_a_worker_has_four_connections_to_telegram_for_each_lane_within_bounds(lanes: int, connections: int) -> None:
    assert wiring._connections(lanes) == connections
