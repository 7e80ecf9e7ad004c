"""Which tests of a run stay in one process, one after the other; pytest-xdist gives all others to whichever is free.

pytest-xdist 3.8 has groups of its own (``xdist_group``), which group nothing under pytest 9.2.
"""

from pathlib import PurePath

from xdist.scheduler import LoadScopeScheduling

CHAINS = {
    "scenes-1": ("system/test_recovery.py", "system/test_failover.py", "system/test_slots.py"),
    "scenes-2": (
        *("system/test_redis_faults.py", "system/test_recycle.py", "system/test_shipped_cards.py"),
        *("system/test_steering.py", "system/test_steps.py", "system/test_events.py"),
        *("system/test_fair_shares.py", "system/test_cards_reload.py"),
    ),
    "embedded-valkey": ("ops/test_up.py", "ops/test_up_private.py"),
}
"""About as long as each other: scenes mostly wait, and each has a few workers of 90 MiB.

What `cohort up` starts looks for a free port by itself, so there is one such test at a time.
"""
SMALL = ("botapi", "playground", "tasks", "telegram", "tour", "workers")
"""Folders whose files take a second or two, so a file is given out as a whole."""


def chain_of(nodeid: str) -> str:
    """The name that a test has in common with those that run in its process: its own, where there are no others."""
    path = PurePath(nodeid.partition("::")[0]).relative_to("tests")
    for chain, files in CHAINS.items():
        if path.as_posix() in files:
            return chain
    if path.parts[0] == "system":
        return "stage"
    return str(path) if path.parts[0] in SMALL else nodeid


class ChainScheduling(LoadScopeScheduling):
    """Gives out the tests of a chain together."""

    def _split_scope(self, nodeid: str) -> str:
        return chain_of(nodeid)
