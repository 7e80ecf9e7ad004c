"""Nothing in PYTHONPATH is imported instead of ours."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from ops.namesakes import OURS, namesake
from tests.harness.processes import ROOT


@pytest.mark.parametrize(
    ("file", "before", "refused"),
    [
        ("tasks.py", "", True),
        ("bot/__init__.py", "", True),
        ("redis.py", "", True),
        # Without a module of its own a folder gives way to a package that stands later.
        ("bot/readme.txt", "", False),
        # It may be the package itself, as where a whole environment is named.
        ("redis/__init__.py", "", False),
        ("helpers.py", "", False),
        ("tasks.py", f"{ROOT}{os.pathsep}", False),
        ("tasks.py", f"/nowhere{os.pathsep}", True),
    ],
)
def test_a_namesake_of_ours_in_pythonpath_is_named(tmp_path: Path, file: str, before: str, refused: bool) -> None:
    (tmp_path / file).parent.mkdir(exist_ok=True)
    (tmp_path / file).write_text("")
    said = namesake({"PYTHONPATH": f"{before}{tmp_path}"})
    assert (said is not None and str(tmp_path / file) in said) == refused


def test_our_packages_are_those_that_are_looked_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert sorted(project["tool"]["importlinter"]["root_packages"]) == sorted(OURS)


def test_a_start_beside_a_namesake_with_an_empty_entry_in_pythonpath_is_one_line_and_runs_nothing_of_it(
    tmp_path: Path,
) -> None:
    (tmp_path / "tasks.py").write_text("print('theirs')")
    cohort = Path(sys.executable).with_name("cohort")
    done = subprocess.run(
        (cohort, "--version"), cwd=tmp_path, env={"PYTHONPATH": ":"}, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "cohort: PYTHONPATH: names the current directory, as an empty entry does, where Python would take"
        " tasks.py for a part of Cohort; rename it\n"
    )
