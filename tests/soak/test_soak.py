"""The soak in small: what a worker holds does not grow with the sessions it served. ``make soak`` is the long one."""

from itertools import pairwise
from pathlib import Path
from statistics import median

import pytest

from tasks.store.connection.gate import AT_ONCE
from tests.soak.run import Order, Sample, grown, plan, soak

A_TURN = 2
"""Objects left by each turn that would be a leak; the epochs of sessions that are remembered are less than one."""

A_CIRCLE = 2
"""Objects of each turn that only the garbage collector frees; a turn in a circle of references has two hundred."""

SLOT_SERIES = 2
"""Depth, and the oldest entry's age."""

A_CONNECTION = 70
"""Objects of a connection to Redis: 54 of redis-py and asyncio were counted, and the context that it was opened in."""

MOST_CONNECTIONS = 2 * AT_ONCE
"""The gate lets so many calls through at a time; Celery, the heartbeat and tools have connections of their own."""


@pytest.mark.promise("bounded-memory")
@pytest.mark.timeout(240)
async def test_a_worker_holds_no_more_after_further_sessions_than_before(tmp_path: Path) -> None:
    shown: list[Sample] = []
    async with soak(Order(sessions=600, turns=1200, first=100), tmp_path, COHORT_LANES="8") as running:
        await running.run(shown.append)
    first, last = shown[1], shown[-1]
    assert [sample.sessions for sample in shown] == [100, 200, 300, 400, 500, 600]
    assert [sample.turns for sample in shown] == [200, 400, 600, 800, 1000, 1200]
    # A slot in which something waits has series of its own while that is measured; each is a gauge, a value, a lock.
    series = last.holds["kinds"].get("Gauge", 0) - first.holds["kinds"].get("Gauge", 0)
    assert series <= SLOT_SERIES * 64
    # A slow machine has more calls on the way at once, each on a connection of its own, which stays in its pool.
    opened = last.holds["kinds"].get("Connection", 0) - first.holds["kinds"].get("Connection", 0)
    assert last.holds["kinds"]["Connection"] <= MOST_CONNECTIONS
    more = last.holds["objects"] - first.holds["objects"] - 3 * max(0, series) - A_CONNECTION * max(0, opened)
    assert more < A_TURN * 800, grown(first, last)
    assert last.holds["tasks"] <= first.holds["tasks"] + 5
    # What a start has left in circles is found in one of the blocks; circles of turns are in each.
    found = [sample.holds["cyclic"] for sample in shown]
    assert median(after - before for before, after in pairwise(found)) < A_CIRCLE * 200, found


def test_a_plan_has_every_turn_once_and_no_chat_speaks_twice_at_a_time() -> None:
    blocks = list(plan(Order(sessions=25, turns=60, first=10)))
    assert [len(block[0]) for block in blocks] == [10, 10, 5]
    rounds = [sessions for block in blocks for sessions in block]
    assert sum(len(sessions) for sessions in rounds) == 60
    assert all(len(set(sessions)) == len(sessions) for sessions in rounds)
