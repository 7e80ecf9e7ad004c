"""Which tests of a run stay in one process, one after the other; pytest-xdist gives all others to whichever is free.

pytest-xdist 3.8 has groups of its own (``xdist_group``), which group nothing under pytest 9.2.
"""

import functools
from collections.abc import Collection, Iterable, Sequence
from pathlib import PurePath
from typing import SupportsIndex, override

from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

STAGE, EMBEDDED = "stage", "embedded-valkey"
CHAINS = {
    "scenes-1": ("system/test_recovery.py", "system/test_failover.py", "system/test_slots.py"),
    "scenes-2": (
        *("system/test_redis_faults.py", "system/test_shipped_cards.py"),
        *("system/test_steering.py", "system/test_steps.py", "system/test_events.py"),
        *("system/test_fair_shares.py", "system/test_cards_reload.py"),
    ),
    EMBEDDED: (
        *("system/test_recycle.py", "ops/test_up_private.py", "ops/test_bots_up.py", "ops/test_own_host.py"),
        "ops/test_agents_tested.py",
    ),
}
"""Each scene has a few workers of 90 MiB. What `cohort up` starts looks for a free port by itself, so there is one such
test at a time. It takes 400 MiB with its template, and so does the worker that comes above its memory limit.
"""
MOSTLY_WAIT = (EMBEDDED, "scenes-1", "scenes-2", STAGE)
"""Two at a time, and ``EMBEDDED`` alone, while there is anything else: their processes would fill the memory, and the
other processes of the run do what these leave of the time for which they wait.
"""
STARTS = "tests/ops/"
"""Tests that start commands of 100 MiB each: one process of a run has them, while nothing starts `cohort up`."""
COMPUTES = "tests/runtime/"
"""Tests that a core has most to do for; they run while the others wait."""
HOUSE = "house"
"""Tests that read all of the tree, for which a process takes 70 MiB. They are too long for the very end."""
SMALL = ("botapi", "playground", "tasks", "telegram", "tour", "workers")
"""Folders whose files take a second or two, so a file is given out as a whole."""

TABLES = ("bot", "runtime")
"""Folders of tests with many short cases: a test is given out with all of them."""


@functools.cache
def chain_of(nodeid: str) -> str:
    """The name that a test has in common with those that run in its process: its own, where there are no others."""
    path = PurePath(nodeid.partition("::")[0]).relative_to("tests")
    for chain, files in CHAINS.items():
        if path.as_posix() in files:
            return chain
    if path.parts[0] == "system":
        return STAGE
    if len(path.parts) == 1:
        return HOUSE
    if path.parts[0] in SMALL:
        return str(path)
    return nodeid.partition("[")[0] if path.parts[0] in TABLES else nodeid


def next_of(waiting: Collection[str], busy: Collection[str], processes: int) -> str:
    """Which chain a process runs next: of those that nothing has begun, while the other processes run ``busy``."""
    long = [chain for chain in MOSTLY_WAIT if chain in waiting]
    begun = [chain for chain in busy if chain in MOSTLY_WAIT]
    if long and len(waiting) == len(long):
        return long[0]
    room = min(max(processes - 1, 1), 2) - len(begun)
    if begun:
        long = [] if EMBEDDED in begun else [chain for chain in long if chain != EMBEDDED]
    if long and room > 0:
        return long[0]
    starting = EMBEDDED in begun or any(chain.startswith(STARTS) for chain in busy)
    wanted = [COMPUTES] if starting else [STARTS, COMPUTES]
    wanted += [] if begun else [HOUSE]
    found = (chain for part in wanted for chain in waiting if chain.startswith(part))
    small = (chain for chain in waiting if chain not in MOSTLY_WAIT and not chain.startswith((STARTS, HOUSE)))
    return next(found, None) or next(small, None) or next(chain for chain in waiting if chain not in MOSTLY_WAIT)


class NumberedTests(list[str]):
    """The tests of a process in order. pytest-xdist asks for the place of each, and a list would be searched for it."""

    def __init__(self, tests: Iterable[str]) -> None:
        super().__init__(tests)
        self._places = {test: place for place, test in enumerate(self)}

    @override
    def index(self, value: str, *_: SupportsIndex) -> int:
        return self._places[value]


class ChainScheduling(LoadScopeScheduling):
    """Gives out the tests of a chain together."""

    @override
    def add_node_collection(self, node: WorkerController, collection: Sequence[str]) -> None:
        super().add_node_collection(node, collection)
        if node in self.registered_collections:
            self.registered_collections[node] = NumberedTests(collection)

    @override
    def _split_scope(self, nodeid: str) -> str:
        return chain_of(nodeid)

    @override
    def _assign_work_unit(self, node: WorkerController) -> None:
        busy = [scope for other, units in self.assigned_work.items() if other is not node for scope in units]
        self.workqueue.move_to_end(next_of(self.workqueue, busy, len(self.nodes)), last=False)
        super()._assign_work_unit(node)

    @override
    def mark_test_complete(self, node: WorkerController, item_index: int, duration: float = 0) -> None:
        """Note it. What is done is forgotten: pytest-xdist would count it again after each of thousands of tests."""
        scope = chain_of(self.registered_collections[node][item_index])
        super().mark_test_complete(node, item_index, duration)
        if all(self.assigned_work[node][scope].values()):
            del self.assigned_work[node][scope]
