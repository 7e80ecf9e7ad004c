"""How the processes of a run get their tests (``tests.harness.collected``), shown by a small run of its own."""

import argparse
import os
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest

from tests.harness.nursery import SHARED, listening, nursery
from tests.harness.reporting import shows_more

TESTS = """
import os

from hypothesis import given, settings, strategies

COLLECTED_BY = os.getpid()

def test_of_the_process(): assert os.getpid() != COLLECTED_BY and "gw" in os.environ["PYTEST_XDIST_WORKER"]

def test_that_fails(capfd):
    os.system("echo said by a command")
    assert "nothing" in capfd.readouterr().out

def test_that_prints(tmp_path):
    os.system("echo told by a command")
    assert list(tmp_path.iterdir())

@settings(derandomize=True)
@given(strategies.none())
def test_that_is_a_property(_): ...
"""
CONFTEST = """
import os
from tests.harness.nursery import SHARED
from tests.harness.collected import EXECUTED, fork_processes

def pytest_configure(config):
    if config.getoption("dist") != "no":
        fork_processes(config, os.environ[SHARED], ())

def pytest_xdist_getremotemodule():
    return EXECUTED
"""
TOLD = """
import os

def pytest_runtest_logreport(report):
    if hasattr(report, "node"):
        with open("told", "a") as told:
            print(report.nodeid, report.when, report.outcome, len(report.keywords), file=told)
"""
"""What the process that shows the results was told."""
OUTCOMES = """
import pytest

@pytest.fixture
def ends():
    yield
    print("said at its end")

def test_passes(ends): print("said by what passed")

def test_fails(ends): assert not "wrong"

@getattr(pytest.mark, "x" "fail")
def test_expected(): raise ValueError

@pytest.fixture
def breaks():
    yield
    raise OSError("broken at its end")

def test_broken(breaks): ...
"""
WARNED = ("-W", "error::hypothesis.errors.HypothesisWarning")


def ran(directory: Path, shared: str, *arguments: str) -> str:
    """What pytest says of the tests in a directory, which two processes run."""
    (directory / "conftest.py").write_text(CONFTEST + TOLD)
    (directory / "pytest.ini").write_text("[pytest]\naddopts = --import-mode=importlib\n")
    argv = ["-m", "pytest", "-p", "xdist", "-n", "2", "-p", "no:cacheprovider", *WARNED, *arguments]
    environ = os.environ | {SHARED: shared, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    with (directory / "said").open("wb") as said:
        child = nursery().begin(argv, environ, said.fileno(), cwd=directory)
    child.wait(100)
    return (directory / "said").read_text()


@pytest.fixture
def shared() -> Iterator[str]:
    """The run's nursery; where this file runs alone, one that this test begins."""
    with nullcontext(os.environ[SHARED]) if SHARED in os.environ else listening() as name:
        yield name


def test_the_processes_of_a_run_tell_what_one_of_them_collected_and_what_they_ran(tmp_path: Path, shared: str) -> None:
    (tmp_path / "test_some.py").write_text(TESTS)
    (tmp_path / "test_other.py").write_text("def test_unseen(): ...\n\nraise RuntimeError('at once')\n")
    told = ran(tmp_path, shared, "-rA")
    assert "RuntimeError: at once" in told
    assert "PASSED test_some.py::test_of_the_process" in told
    assert told.count("ERROR test_other.py") == 2, "each process tells of what it could not collect"
    assert "PASSED test_some.py::test_that_is_a_property" in told
    assert "assert 'nothing' in 'said by a command" in told
    assert "Captured stdout call -----------------------------\ntold by a command" in told


def test_a_run_of_files_that_are_not_there_ends_as_one_of_no_tests(tmp_path: Path, shared: str) -> None:
    assert "2 workers [0 items]" in ran(tmp_path, shared, "no_such_file.py")


def test_of_a_test_that_passed_its_result_is_told_and_of_others_all(tmp_path: Path, shared: str) -> None:
    (tmp_path / "test_some.py").write_text(OUTCOMES)
    said = ran(tmp_path, shared)
    assert "1 failed, 2 passed, 1 xfailed, " in said
    assert ", 1 error in " in said
    assert " Captured stdout teardown -" in said
    assert "-\nsaid at its end" in said
    assert "OSError: broken at its end" in said
    told = [line.split()[:3] for line in (tmp_path / "told").read_text().splitlines()]
    last = ["teardown", "passed"]
    assert [line[1:] for line in told if line[0].endswith("passes")] == [["call", "passed"]]
    assert [line[1:] for line in told if line[0].endswith("fails")] == [["call", "failed"], last]
    assert [line[1:] for line in told if line[0].endswith("broken")] == [["call", "passed"], ["teardown", "failed"]]


@pytest.mark.parametrize(
    ("arguments", "all_of_it"),
    [
        ([], False),
        (["-q"], False),
        (["-ra"], False),
        (["-v"], True),
        (["-rA"], True),
        (["-rP"], True),
        (["--durations=1"], True),
        (["--junitxml=results.xml"], True),
    ],
)
def test_a_run_that_shows_what_passed_is_told_all_of_it(
    pytestconfig: pytest.Config, arguments: list[str], all_of_it: bool
) -> None:
    parser = pytestconfig._parser  # pyright: ignore[reportPrivateUsage] - nothing else reads arguments
    options = parser.parse(arguments, namespace=argparse.Namespace(reportchars=""))
    assert shows_more(options) == all_of_it
