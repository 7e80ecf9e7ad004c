"""`make`'s first step: the right Python, among what is on a machine."""

import importlib.util
import re
import subprocess
from pathlib import Path

import pytest

from tests.harness.processes import ROOT

FINDER = ROOT / "tools" / "find-python.sh"
TOOLS = ("sh", "sort", "sed", "cat")


def fake(path: Path, version: str, *, venv: bool = True) -> Path:
    """A program that answers like that Python, or fails like one without venv (or an inactive shim of pyenv)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    answer = f'case "$2" in *"!= \'{version}\'"*) exit 0;; *) exit 1;; esac' if venv else "exit 1"
    path.write_text(f"#!/bin/sh\n{answer}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A machine's root: `bin` is on PATH, `home` is HOME; the tools that a script needs are there."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "home").mkdir()
    for tool in TOOLS:
        found = subprocess.run(("which", tool), capture_output=True, text=True, check=True).stdout.strip()
        (tmp_path / "bin" / tool).symlink_to(found)
    return tmp_path


def find(machine: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    # Where the finder looks besides PATH (such as /usr/local/bin) is this machine's own, so it is left out.
    text = FINDER.read_text().replace("/usr/local/bin /opt/homebrew/bin /usr/bin", "")
    script = machine / "find-python.sh"
    script.write_text(text)
    return subprocess.run(
        ("sh", str(script), *arguments),
        env={"PATH": str(machine / "bin"), "HOME": str(machine / "home")} | environ,
        capture_output=True,
        text=True,
        check=False,
    )


def test_an_old_python3_is_passed_over_for_one_of_pyenv(machine: Path) -> None:
    fake(machine / "bin/python3", "3.11")
    wanted = fake(machine / "home/.pyenv/versions/3.13.0/bin/python", "3.13")
    assert find(machine).stdout.strip() == str(wanted)


def test_a_shim_of_an_inactive_version_is_passed_over(machine: Path) -> None:
    fake(machine / "bin/python3.13", "3.13", venv=False)
    wanted = fake(machine / "home/.pyenv/versions/3.13.0/bin/python", "3.13")
    assert find(machine).stdout.strip() == str(wanted)


def test_3_13_is_preferred_to_3_12_wherever_they_are(machine: Path) -> None:
    fake(machine / "bin/python3.12", "3.12")
    wanted = fake(machine / "home/.pyenv/versions/3.13.2/bin/python", "3.13")
    assert find(machine).stdout.strip() == str(wanted)


def test_the_newest_patch_of_pyenv_is_taken(machine: Path) -> None:
    for patch in ("3.13.0", "3.13.9", "3.13.11"):
        fake(machine / f"home/.pyenv/versions/{patch}/bin/python", "3.13")
    assert find(machine).stdout.strip().endswith("/3.13.11/bin/python")


def test_3_12_serves_where_there_is_no_3_13(machine: Path) -> None:
    fake(machine / "bin/python3", "3.11")
    wanted = fake(machine / "home/.pyenv/versions/3.12.1/bin/python", "3.12")
    assert find(machine).stdout.strip() == str(wanted)


def test_python3_itself_serves_when_it_is_new_enough(machine: Path) -> None:
    wanted = fake(machine / "bin/python3", "3.12")
    assert find(machine).stdout.strip() == str(wanted)


def test_pyenv_root_is_looked_at_before_the_home_directory(machine: Path) -> None:
    fake(machine / "home/.pyenv/versions/3.13.5/bin/python", "3.13")
    wanted = fake(machine / "opt/versions/3.13.1/bin/python", "3.13")
    assert find(machine, PYENV_ROOT=str(machine / "opt")).stdout.strip() == str(wanted)


def test_a_named_python_is_taken_or_refused(machine: Path) -> None:
    right = fake(machine / "some/python", "3.12")
    wrong = fake(machine / "other/python", "3.11")
    fake(machine / "bin/python3.13", "3.13")
    assert find(machine, str(right)).stdout.strip() == str(right)
    refused = find(machine, str(wrong))
    assert refused.returncode == 1
    assert len(refused.stderr.splitlines()) == 1


def test_a_machine_without_one_is_told_in_one_line_what_to_install(machine: Path) -> None:
    fake(machine / "bin/python3", "3.11")
    fake(machine / "bin/python3.12", "3.12", venv=False)
    found = find(machine)
    assert (found.returncode, found.stdout) == (1, "")
    assert len(found.stderr.splitlines()) == 1
    assert "python3.12-venv" in found.stderr


def test_what_is_compiled_after_an_installation_is_there() -> None:
    text = (ROOT / "tools" / "bootstrap.sh").read_text()
    names = {name for found in re.findall(r"ours='([^']+)'", text) for name in found.split(", ")}
    assert {"workers.process.preload", "bot.wiring", "ops.up.flower"} <= names
    assert [name for name in sorted(names) if importlib.util.find_spec(name) is None] == []


@pytest.mark.promise("locked-install")
def test_the_locked_requirements_are_those_of_pyproject_and_name_no_address() -> None:
    from tools import lock

    assert lock.stale() == []
    for path in ROOT.glob("requirements*.txt"):
        text = path.read_text()
        assert "://" not in text
        entries = lock._entries(text)
        assert entries
        assert all("--hash=sha256:" in entry for entry in entries)
