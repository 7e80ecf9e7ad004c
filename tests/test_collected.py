"""How the processes of a run get their tests (``tests.harness.collected``), shown by a small run of its own."""

import os
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest

from tests.harness.nursery import SHARED, listening, nursery

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
WARNED = ("-W", "error::hypothesis.errors.HypothesisWarning")


def ran(directory: Path, shared: str, *arguments: str) -> str:
    """What pytest says of the tests in a directory, which two processes run."""
    (directory / "conftest.py").write_text(CONFTEST)
    (directory / "pytest.ini").write_text("[pytest]\naddopts = --import-mode=importlib\n")
    argv = ["-m", "pytest", "-p", "xdist", "-n", "2", "-p", "no:cacheprovider", "-rA", *WARNED, *arguments]
    environ = os.environ | {SHARED: shared, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    with (directory / "said").open("wb") as said:
        child = nursery().begin(argv, environ, said.fileno(), cwd=directory)
    child.wait(60)
    return (directory / "said").read_text()


@pytest.fixture
def shared() -> Iterator[str]:
    """The run's nursery; where this file runs alone, one that this test begins."""
    with nullcontext(os.environ[SHARED]) if SHARED in os.environ else listening() as name:
        yield name


def test_the_processes_of_a_run_tell_what_one_of_them_collected_and_what_they_ran(tmp_path: Path, shared: str) -> None:
    (tmp_path / "test_some.py").write_text(TESTS)
    (tmp_path / "test_other.py").write_text("def test_unseen(): ...\n\nraise RuntimeError('at once')\n")
    told = ran(tmp_path, shared)
    assert "RuntimeError: at once" in told
    assert "PASSED test_some.py::test_of_the_process" in told
    assert told.count("ERROR test_other.py") == 2, "each process tells of what it could not collect"
    assert "PASSED test_some.py::test_that_is_a_property" in told
    assert "assert 'nothing' in 'said by a command" in told
    assert "Captured stdout call -----------------------------\ntold by a command" in told


def test_a_run_of_files_that_are_not_there_ends_as_one_of_no_tests(tmp_path: Path, shared: str) -> None:
    assert "2 workers [0 items]" in ran(tmp_path, shared, "no_such_file.py")
