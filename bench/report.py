"""``python -m bench.report FILES...``: results as Markdown; with ``--write`` into docs/performance.md and the README.

A row of a later file replaces an earlier one's.
"""

import argparse
import importlib
import re
import sys
from pathlib import Path
from types import ModuleType

from bench.results import Results, medians
from bench.rows import NAMES, Goal
from tests.harness.processes import ROOT

PAGES = {"performance": ROOT / "docs" / "performance.md", "readme": ROOT / "README.md"}
"""Each holds ``<!-- bench: NAME -->`` ... ``<!-- /bench -->``, and what is between is written here."""

_OURS = "cohort-"


def table(name: str, results: Results) -> str:
    """One row of the benchmark: columns below each other, ratios first, then the median and the range."""
    row, runs = _row(name), results.runs(name)
    found = medians(runs)
    base = found.get(row.BASE, {})
    metrics = list(dict.fromkeys(metric for column in found.values() for metric in column))
    lines = [f"**{name}**: {row.ABOUT}", ""]
    lines += ["| | runs | " + " | ".join(metrics) + " |", "|---|---|" + "---|" * len(metrics)]
    for column in sorted(found, key=row.COLUMNS.index):
        cells: list[str] = []
        for metric in metrics:
            values = [run[metric] for run in runs[column] if metric in run]
            reference = None if column == row.BASE else base.get(metric)
            cells.append(_cell(values, found[column].get(metric), reference))
        lines.append(f"| {column} | {len(runs[column])} | " + " | ".join(cells) + " |")
    lines += [f"\n{column} failed: {why.splitlines()[0][:200]}" for column, why in results.failed(name).items()]
    if why := getattr(row, "WHY", ""):
        lines += ["", why]
    return "\n".join(lines)


def _cell(values: list[float], median: float | None, reference: float | None) -> str:
    if median is None:
        return ""
    said = number(median)
    if len(values) > 1 and max(values) > min(values):
        said += f" ({number(min(values))}-{number(max(values))})"
    return f"**x{median / reference:.2f}** {said}" if reference else said


def number(value: float) -> str:
    """Three figures; of large numbers all before the point."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def verdicts(name: str, results: Results) -> str:
    """The goals of a row, a line each."""
    lines = [(goal, *judged(goal, results, name)) for goal in _row(name).GOALS]
    return "\n".join(f"- {wanted(goal)}: {_verdict(found, met)}" for goal, found, met in lines)


def goals(results: Results, names: list[str]) -> str:
    """All goals in one table."""
    lines = ["| row | goal | found | |", "|---|---|---|---|"]
    for name in names:
        for goal in _row(name).GOALS:
            found, met = judged(goal, results, name)
            said = "not measured" if found is None else _number(goal, found)
            lines.append(f"| {name} | {wanted(goal)} | {said} | {'met' if met else '' if met is None else 'missed'} |")
    return "\n".join(lines)


def wanted(goal: Goal) -> str:
    """The goal in words."""
    limit = goal.at_most if goal.at_most is not None else goal.at_least
    assert limit is not None
    sign = "at most" if goal.at_most is not None else "at least"
    said = f"{goal.column}, {goal.metric}: {sign} {number(limit)}" + (f" x {goal.to}" if goal.to else "")
    return said + (", in every run" if goal.worst else "") + (f" ({goal.says})" if goal.says else "")


def judged(goal: Goal, results: Results, row: str) -> tuple[float | None, bool | None]:
    """What was found (a ratio where the goal is one), and whether that meets it; None, None: not measured."""
    runs = results.runs(row)
    found = medians(runs)
    value = found.get(goal.column, {}).get(goal.metric)
    reference = found.get(goal.to, {}).get(goal.metric) if goal.to else 1.0
    if value is None or not reference:
        return None, None
    if goal.worst:
        values = [run[goal.metric] for run in runs[goal.column]]
        value = max(values) if goal.at_most is not None else min(values)
    ratio = value / reference
    return ratio, ratio <= goal.at_most if goal.at_most is not None else ratio >= (goal.at_least or 0)


def _verdict(found: float | None, met: bool | None) -> str:  # noqa: FBT001 - three values, all data
    return "not measured" if found is None else f"{number(found)}, {'met' if met else 'MISSED'}"


def _number(goal: Goal, found: float) -> str:
    return f"x{found:.3g}" if goal.to else number(found)


def about(results: Results) -> str:
    """Machine, versions, seeds, command."""
    data, one = results.data, results.data["machine"]
    packages = ", ".join(f"{name} {version}" for name, version in one["packages"].items())
    loads = [load for row in data["rows"].values() for column in row["load"].values() for load in column]
    commits = dict.fromkeys([one["commit"], *(other["commit"] for other in data.get("also", ()))])
    where = f"{one['cpu']}, {one['cores']} cores, {one['memory GiB']} GiB, Linux {one['kernel']}"
    spent = f"{round(data['seconds'] / 60)} minutes in all"
    before = f"load when a run began {min(loads, default=0):.1f} to {max(loads, default=0):.1f}"
    lines = [
        f"{where}, Python {one['python']}; {packages}.",
        f"Commit {', '.join(commits)}; seeds from {data['seed']}; {spent}; {before}.",
    ]
    if data["quick"]:
        lines.append("**A quick run: it shows that the benchmark works, and is no measurement.**")
    return "\n".join(lines)


def performance(results: Results) -> str:
    """What stands in docs/performance.md."""
    names = [name for name in NAMES if name in results.rows]
    parts = [about(results), goals(results, names)]
    for name in names:
        said = _row(name).ABOUT
        parts += [f"### {name}", f"{said[:1].upper()}{said[1:]}.", table(name, results).partition("\n")[2].strip()]
    return "\n\n".join(parts)


def readme(results: Results) -> str:
    """What stands in the README: Cohort beside each peer, in the metrics that rows have goals for."""
    lines = ["| | Cohort | beside it | goal |", "|---|---|---|---|"]
    for name in (name for name in NAMES if name in results.rows):
        row, found = _row(name), medians(results.runs(name))
        for goal in row.GOALS:
            value = found.get(goal.column, {}).get(goal.metric)
            if value is None:
                continue
            others = [
                f"{column} {number(numbers[goal.metric])}"
                for column, numbers in found.items()
                if goal.metric in numbers and not column.startswith(_OURS)
            ]
            ratio, met = judged(goal, results, name)
            said = "not measured" if ratio is None else "met" if met else f"missed ({_number(goal, ratio)})"
            verdict = f"{wanted(goal).partition(': ')[2]}: {said}"
            lines.append(
                f"| {name}, {goal.metric} ({goal.column}) | {number(value)} | {', '.join(others)} | {verdict} |"
            )
    return "\n".join(lines)


def written(page: str, name: str, text: str) -> str:
    """The page with ``text`` between its markers.

    Raises:
        ValueError: it has none.
    """
    pattern = re.compile(rf"(<!-- bench: {name} -->\n).*?(<!-- /bench -->)", flags=re.DOTALL)
    if not pattern.search(page):
        raise ValueError(f"there is no <!-- bench: {name} --> ... <!-- /bench --> to write into")
    return pattern.sub(lambda found: f"{found[1]}\n{text}\n\n{found[2]}", page)


def _row(name: str) -> ModuleType:
    return importlib.import_module(f"bench.rows.{name}")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.report", description=__doc__)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--write", action="store_true", help="into docs/performance.md and README.md")
    given = parser.parse_args()
    results = Results.merged(given.files)
    texts = {"performance": performance(results), "readme": readme(results)}
    if not given.write:
        print("\n\n".join(texts.values()))
        return
    if results.data["quick"]:
        sys.exit("a quick run is no measurement, and is not written into pages")
    for name, path in PAGES.items():
        path.write_text(written(path.read_text(), name, texts[name]))


if __name__ == "__main__":
    main()
