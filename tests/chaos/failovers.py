"""``python -m tests.chaos --failovers``: Redis fails over again and again, and nothing that was confirmed is lost."""

import tempfile
from itertools import cycle, islice
from pathlib import Path

from tests.harness.confirmed import Confirmed, confirmed_over
from tests.harness.failover import Failover

FAILOVERS = 20
MESSAGES = 2_000


async def run(failovers: int = FAILOVERS, messages: int = MESSAGES) -> Confirmed:
    """Failovers of both kinds in turn, an operator's and one after the master's death; so many answers at least."""
    with tempfile.TemporaryDirectory(prefix="cohort-failovers-") as home:
        async with Failover(Path(home)) as group:
            kinds = islice(cycle((group.coordinated, group.killed)), failovers)
            return await confirmed_over(group, list(kinds), each=-(-messages // failovers))


def report(found: Confirmed, failovers: int = FAILOVERS) -> str:
    """For people."""
    gone = f"{len(found.lost)} confirmed messages and {len(found.unsaid)} confirmed answers are lost"
    return f"{failovers} failovers of both kinds, {found.answers} confirmed answers: {gone}"
