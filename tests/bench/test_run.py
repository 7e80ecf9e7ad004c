"""``python -m bench`` as it is typed: a file of results, a table, and pages made of it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench.report import goals, judged, performance, readme, table, written
from bench.results import Results
from bench.rows import NAMES, Goal
from bench.rows.kill import GOALS as KILL
from tests.harness.processes import ROOT


def results(tmp_path: Path, row: str, **columns: list[dict[str, float]]) -> Results:
    """A file with runs of one row."""
    made = Results.new(tmp_path / f"{row}.json", quick=False, seed=1, argv=())
    for column, runs in columns.items():
        for number, numbers in enumerate(runs):
            made.add(row, column.replace("_", "-"), numbers, seed=number, load=0.5)
    made.save(60)
    return made


def test_a_quick_run_writes_its_numbers_and_prints_a_table(tmp_path: Path) -> None:
    file = tmp_path / "quick.json"
    command = [sys.executable, "-m", "bench", "--quick", "--rows", "cost,latency", "--columns", "cohort-1"]
    ran = subprocess.run([*command, "--output", str(file)], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    data = json.loads(file.read_text())
    assert {row: list(found["runs"]) for row, found in data["rows"].items()} == {
        "cost": ["cohort-1"],
        "latency": ["cohort-1"],
    }
    assert data["rows"]["cost"]["medians"]["cohort-1"]["round trips"] > 0
    assert data["rows"]["latency"]["medians"]["cohort-1"]["p50 ms"] > 0
    assert {"cpu", "cores", "python", "commit", "packages"} <= set(data["machine"])
    assert "| cohort-1 | 1 | " in ran.stdout
    assert "cohort-1, p99 ms: at most 50" in ran.stdout
    again = subprocess.run([*command, "--resume", str(file)], cwd=ROOT, capture_output=True, text=True, check=False)
    assert again.returncode == 0
    assert json.loads(file.read_text()) == data


def test_ratios_are_to_the_base_and_stand_before_medians(tmp_path: Path) -> None:
    found = results(
        tmp_path,
        "latency",
        cohort_1=[{"p50 ms": 10.0}, {"p50 ms": 30.0}, {"p50 ms": 12.0}],
        monolith_kept=[{"p50 ms": 24.0}],
    )
    assert "| cohort-1 | 3 | **x0.50** 12 (10-30) |" in table("latency", found)
    assert "| monolith-kept | 1 | 24 |" in table("latency", found)


def test_one_loss_in_five_runs_is_a_loss(tmp_path: Path) -> None:
    runs = [{"lost": 0.0, "doubled": 0.0, "gap s": 1.0}] * 4 + [{"lost": 1.0, "doubled": 0.0, "gap s": 9.0}]
    found = results(tmp_path, "kill", cohort_2=runs)
    assert [judged(goal, found, "kill") for goal in KILL] == [(1.0, False), (0.0, True), (1.0, True)]


def test_a_goal_that_was_not_measured_is_neither_met_nor_missed(tmp_path: Path) -> None:
    found = results(tmp_path, "kill")
    assert judged(Goal("cohort-2", "gap s", at_most=3), found, "kill") == (None, None)
    assert "not measured |  |" in goals(found, ["kill"])


def test_a_later_file_replaces_whole_rows(tmp_path: Path) -> None:
    early = results(tmp_path, "latency", cohort_1=[{"p50 ms": 10.0}], monolith=[{"p50 ms": 24.0}])
    early.add("cost", "cohort-1", {"round trips": 8.0}, seed=1, load=0.1)
    early.save()
    (tmp_path / "later").mkdir()
    later = results(tmp_path / "later", "latency", cohort_1=[{"p50 ms": 9.0}])
    assert early.path is not None
    assert later.path is not None
    merged = Results.merged([early.path, later.path])
    assert merged.runs("latency") == {"cohort-1": [{"p50 ms": 9.0}]}
    assert merged.runs("cost") == {"cohort-1": [{"round trips": 8.0}]}


def test_pages_show_what_there_is_of_a_row_and_say_what_was_not_measured(tmp_path: Path) -> None:
    found = results(tmp_path, "throughput", cohort_1=[{"turns/s": 90.0, "cpu ms/turn": 8.0}])
    assert "| throughput, turns/s (cohort-1) | 90 |  | at least 0.6 x direct: not measured |" in readme(found)
    assert "### throughput" in performance(found)
    found.add("throughput", "direct", {"turns/s": 100.0}, seed=1, load=0.1)
    assert "| throughput, turns/s (cohort-1) | 90 | direct 100 | at least 0.6 x direct: met |" in readme(found)


def test_a_report_is_written_between_its_markers_and_nowhere_else() -> None:
    page = "before\n<!-- bench: readme -->\nold\n<!-- /bench -->\nafter\n"
    assert written(page, "readme", "new") == "before\n<!-- bench: readme -->\n\nnew\n\n<!-- /bench -->\nafter\n"
    with pytest.raises(ValueError, match="write into"):
        written("nothing here", "readme", "new")


def test_every_row_can_be_named_and_has_what_a_row_has() -> None:
    files = {path.stem for path in (ROOT / "bench" / "rows").glob("[a-z]*.py")}
    assert files == set(NAMES)
