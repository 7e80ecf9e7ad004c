"""``python -m bench``: measure the rows, columns interleaved, medians of repeats; a table and a file of results."""

import argparse
import asyncio
import importlib
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType

from bench import report
from bench.machine import load
from bench.results import Results
from bench.rows import NAMES, Size
from bench.stand import CLOCK
from tests.harness.processes import ROOT

RESULTS = ROOT / "bench" / "results"
RUN_LIMIT_S = 1200.0
"""A run that takes longer hangs."""


async def measure(results: Results, rows: Sequence[str], columns: Sequence[str], repeat: int) -> None:
    """What is missing of these rows; a table after each."""
    for name in rows:
        row = importlib.import_module(f"bench.rows.{name}")
        wanted = [column for column in row.COLUMNS if not columns or column in columns]
        for number in range(repeat):
            # Interleaved, and in turn from the front and from the back: what the machine does besides meets all alike.
            for column in wanted if number % 2 == 0 else reversed(wanted):
                done = len(results.runs(name).get(column, ()))
                if done <= number < times(row, column, repeat):
                    await _once(results, row, name, column, number)
        print(f"\n{report.table(name, results)}\n{report.verdicts(name, results)}", flush=True)


def times(row: ModuleType, column: str, repeat: int) -> int:
    """How often a column is measured: what was asked for, or less where a row says why."""
    return min(repeat, getattr(row, "TIMES", {}).get(column, repeat))


async def _once(results: Results, row: ModuleType, name: str, column: str, number: int) -> None:
    began, loaded, seed = CLOCK.monotonic(), load(), results.data["seed"] + number
    print(f"{name} {column} {number + 1} ...", end="", file=sys.stderr, flush=True)
    try:
        async with asyncio.timeout(RUN_LIMIT_S):
            numbers = await row.measure(column, Size(results.data["quick"], seed))
        results.add(name, column, numbers, seed=seed, load=loaded)
        said = ""
    except Exception as problem:  # noqa: BLE001 - one column's end is not the others'
        said = f"{type(problem).__name__}: {problem}"[:2000]
        results.fail(name, column, said)
        said = f", failed: {said}"
    took = CLOCK.monotonic() - began
    results.save(took)
    print(f" {took:.0f} s{said}", file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes, one repeat: shows that it runs")
    parser.add_argument("--rows", default=",".join(NAMES), help="by commas; default: all")
    parser.add_argument("--columns", default="", help="by commas; default: all of each row")
    parser.add_argument("--repeat", type=int, help="runs of each column; default 5, quick 1")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", type=Path, help="the file; default: named by the time, in bench/results/")
    parser.add_argument("--resume", type=Path, metavar="FILE", help="measure what this file lacks, into it")
    given = parser.parse_args()
    rows = [name for name in given.rows.split(",") if name]
    if unknown := [name for name in rows if name not in NAMES]:
        parser.error(f"no such rows: {', '.join(unknown)}; there are {', '.join(NAMES)}")
    if given.resume:
        results = Results.of(given.resume)
    else:
        stamp = datetime.fromtimestamp(CLOCK.now(), UTC).strftime("%Y%m%d-%H%M%S")
        path = given.output or RESULTS / f"{stamp}.json"
        results = Results.new(path, quick=given.quick, seed=given.seed, argv=sys.argv[1:])
    repeat = given.repeat or (1 if results.data["quick"] else 5)
    columns = [name for name in given.columns.split(",") if name]
    try:
        asyncio.run(measure(results, rows, columns, repeat))
    except KeyboardInterrupt:
        print(f"\nstopped; go on with --resume {results.path}", file=sys.stderr)
    print(f"\nwritten to {results.path}; as pages: python -m bench.report {results.path}", flush=True)
    sys.exit(any(results.failed(name) for name in results.rows))


if __name__ == "__main__":
    main()
