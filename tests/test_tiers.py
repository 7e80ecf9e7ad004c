"""Tests stand in tiers by their folders, and what the heavy tiers share stands in the harness."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ORDER, TIERS, tier_of
from tests.harness.scheduling import CHAINS, EMBEDDED, HOUSE, MOSTLY_WAIT, STAGE, chain_of, next_of

ROOT = Path(__file__).parent
SHARED = ("tests.harness", "tests.support", "tests.conftest", "tests.promises")
HEAVY = ("system", "rehearsal", "browser", "chaos", "soak", "bench")


def imported(path: Path) -> Iterator[str]:
    """The modules under tests/ that a file imports."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("tests."):
            yield f"{node.module}"
        elif isinstance(node, ast.Import):
            yield from (name.name for name in node.names if name.name.startswith("tests."))


def within(module: str, *packages: str) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in packages)


def test_a_folder_of_tests_has_one_tier() -> None:
    given = [folder for folders in TIERS.values() for folder in folders]
    there = {path.parent.relative_to(ROOT).as_posix() for path in ROOT.rglob("test_*.py")}
    assert sorted(given) == sorted(there)
    assert sorted(ORDER) == sorted(TIERS)


def test_a_folder_without_a_tier_is_refused() -> None:
    with pytest.raises(pytest.UsageError, match="tests/elsewhere has no tier"):
        tier_of(ROOT / "elsewhere" / "test_a.py")


def test_tests_of_a_chain_stay_together_and_their_files_are_there() -> None:
    files = [name for names in CHAINS.values() for name in names]
    assert [name for name in files if not (ROOT / name).is_file()] == []
    assert len(set(files)) == len(files)
    assert chain_of("tests/system/test_path.py::test_a") == chain_of("tests/system/test_kill.py::test_b[::]") == STAGE
    assert chain_of("tests/test_house.py::test_a") == chain_of("tests/test_waits.py::test_b")
    assert chain_of("tests/system/test_slots.py::test_a") == chain_of("tests/system/test_failover.py::test_b")
    assert chain_of("tests/runtime/test_a.py::test_a[1]") == chain_of("tests/runtime/test_a.py::test_a[2]")
    assert chain_of("tests/runtime/test_a.py::test_a[1]") != chain_of("tests/runtime/test_a.py::test_b[1]")
    assert chain_of("tests/ops/test_a.py::test_a[1]") != chain_of("tests/ops/test_a.py::test_a[2]")


def test_one_process_of_a_run_is_left_to_tests_that_do_not_wait() -> None:
    assert {*MOSTLY_WAIT} == {*CHAINS, STAGE}
    waiting = ["tests/a", *MOSTLY_WAIT, "tests/b"]
    assert next_of(waiting, [], 4) == EMBEDDED
    assert next_of(["tests/a", "scenes-1"], [EMBEDDED], 4) == "tests/a", "it is alone"
    assert next_of(["tests/a", EMBEDDED, "scenes-2"], ["scenes-1"], 4) == "scenes-2"
    assert next_of(["tests/a", EMBEDDED], ["scenes-1"], 4) == "tests/a"
    assert next_of(["tests/a", STAGE], ["scenes-1", "scenes-2"], 4) == "tests/a"
    assert next_of([EMBEDDED], ["scenes-1", "scenes-2"], 4) == EMBEDDED, "nothing else is left"
    assert next_of(["tests/a", STAGE], [], 1) == STAGE, "a run of one process"
    assert next_of(["tests/a"], [STAGE], 2) == "tests/a"
    computes, starts = "tests/runtime/test_a.py::test_b", "tests/ops/test_a.py::test_b"
    assert next_of(["tests/a", computes, starts], ["scenes-1", STAGE], 4) == starts
    assert next_of([starts, "tests/a", computes], ["scenes-1", STAGE, starts], 4) == computes
    assert next_of([starts, "tests/a"], ["scenes-1", STAGE, starts], 4) == "tests/a"
    assert next_of([starts, computes], [EMBEDDED], 4) == computes
    assert next_of([starts], [starts], 4) == starts, "nothing else is left"
    assert next_of([HOUSE, "tests/a"], [], 4) == HOUSE
    assert next_of([HOUSE, "tests/a"], [STAGE, starts], 4) == "tests/a"


@pytest.mark.parametrize("tier", HEAVY)
def test_a_heavy_tier_imports_nothing_from_another_folder_of_tests(tier: str) -> None:
    sideways = [
        f"{path.relative_to(ROOT)}: {module}"
        for path in (ROOT / tier).rglob("*.py")
        for module in imported(path)
        if not within(module, *SHARED, f"tests.{tier}")
    ]
    assert sideways == []


@pytest.mark.parametrize("folder", ["tests/harness", "tests/support", "bench"])
def test_the_harness_the_stand_ins_and_the_benchmark_import_no_tests(folder: str) -> None:
    upwards = [
        f"{path.relative_to(ROOT.parent)}: {module}"
        for path in (ROOT.parent / folder).rglob("*.py")
        for module in imported(path)
        if not within(module, "tests.harness", "tests.support")
    ]
    assert upwards == []
