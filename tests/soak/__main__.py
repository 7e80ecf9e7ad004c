"""``python -m tests.soak [--sessions N] [--turns N] [--seed S]``: a worker's memory against the sessions it served.

One real worker process and a real Valkey; the model and Telegram are stand-ins that answer at once. Prints a line after
each thousand sessions; ends with status 1 when the worker has grown by a tenth since the first thousand.
"""

import argparse
import asyncio
import signal
import sys
import tempfile
from pathlib import Path

from tests.soak.run import Order, Sample, grown, soak

LIMIT = 0.10
COLUMNS = ("objects", "blocks", "tasks", "threads", "heap used", "heap free")


def say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - the report


def row(sample: Sample) -> str:
    rest = "".join(f"{sample.holds.get(name, '-'):>11}" for name in COLUMNS)
    return f"{sample.sessions:>9}{sample.turns:>8}{sample.seconds:>9.0f}{sample.rss_mib:>9.1f}{rest}"


async def main(order: Order) -> int:
    """0: it did not grow. 1: it did."""
    say(f"{'sessions':>9}{'turns':>8}{'seconds':>9}{'rss MiB':>9}" + "".join(f"{name:>11}" for name in COLUMNS))
    with tempfile.TemporaryDirectory(prefix="cohort-soak-") as home:
        async with soak(order, Path(home)) as running:
            await running.run(lambda sample: say(row(sample)))
    first, last = running.samples[0], running.samples[-1]
    say("more of: " + ", ".join(f"{kind} +{count}" for kind, count in grown(first, last)))
    growth = last.rss_mib / first.rss_mib - 1
    verdict = "as promised" if growth < LIMIT else f"PROBLEM: the promise is less than {LIMIT:.0%}"
    say(f"seed {order.seed}: {growth:+.1%} since the first {first.sessions} sessions; {verdict}")
    return 0 if growth < LIMIT else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sessions", type=int, default=10_000)
    parser.add_argument("--turns", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    # As Ctrl-C: what was started is ended.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(asyncio.run(main(Order(sessions=given.sessions, turns=given.turns, seed=given.seed))))
