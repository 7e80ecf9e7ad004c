"""``python -m tests.chaos``: break everything for a while, print figures; status 1 when a guarantee was violated."""

import argparse
import asyncio
import sys
from random import SystemRandom

from tests.chaos import failovers
from tests.chaos.driver import Order, run
from tests.chaos.report import report
from tests.harness.sabotage import WAYS


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=SystemRandom().randrange(1, 1_000_000))
    parser.add_argument("--minutes", type=float, default=3.0)
    parser.add_argument("--messages", type=int, help="default: 10 a second")
    parser.add_argument("--kinds", nargs="*", default=[], help="fault kinds; default: all")
    parser.add_argument("--gap", type=float, default=3.0, help="seconds between faults, on average")
    parser.add_argument("--workers", type=int, help="with failpoints; default: 2, sabotaged: 3")
    parser.add_argument("--supervised", type=int, default=2, help="workers under a real `cohort up`")
    parser.add_argument("--tools", type=float, default=0.25, help="share of messages that have tools called")
    parser.add_argument("--files", type=float, default=0.08, help="share of messages that hold a file")
    parser.add_argument("--asks", type=float, default=0.5, help="turns that ask a person, a second")
    parser.add_argument("--steers", type=float, default=0.4, help="people, a second, who write and edit meanwhile")
    parser.add_argument("--voices", type=float, default=0.2, help="people, a second, who speak")
    parser.add_argument("--customers", type=float, default=0.2, help="people, a second, who write to accounts")
    parser.add_argument("--no-steps", action="store_true", help="no failpoints")
    parser.add_argument("--sabotage", choices=sorted(WAYS), default="", help="break the product first")
    parser.add_argument("--keep", action="store_true", help="keep the traces of a good run, too")
    parser.add_argument("--failovers", action="store_true", help="20 failovers of Redis and 2,000 messages instead")
    given = parser.parse_args()
    if given.failovers:
        return _fail_over()
    seconds = given.minutes * 60
    order = Order(
        seed=given.seed,
        seconds=seconds,
        messages=given.messages or int(seconds * 10),
        kinds=tuple(given.kinds),
        gap=given.gap,
        workers=given.workers or (3 if given.sabotage else 2),
        bots=2 if given.sabotage else 1,
        supervised=0 if given.sabotage else given.supervised,
        tools=given.tools,
        files=given.files,
        asks=given.asks,
        steers=given.steers,
        voices=given.voices,
        customers=given.customers,
        steps=not given.no_steps,
        sabotage=given.sabotage,
        keep=given.keep,
    )
    print(f"seed {order.seed}, {given.minutes:g} minutes, {order.messages} messages", flush=True)  # noqa: T201 - so that the run can be repeated
    result = asyncio.run(run(order))
    print("\n".join(report(order, result)), flush=True)  # noqa: T201 - the report
    return 1 if result.verdict.violations else 0


def _fail_over() -> int:
    found = asyncio.run(failovers.run())
    print(failovers.report(found), flush=True)  # noqa: T201 - the report
    return 1 if found.lost or found.unsaid or found.answers < failovers.MESSAGES else 0


if __name__ == "__main__":
    sys.exit(main())
