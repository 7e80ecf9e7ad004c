"""What releases a version: the notes on its page, and the steps of the workflows."""

import re

import pytest
import yaml

from tests.harness.processes import ROOT
from tools.release_notes import CHANGELOG, notes

TOLD = """# Changelog

## [1.1.0] - unreleased

- Soon.

## [1.0.1] - 2026-12-01

### Fixed

- This.

## [1.0.0] - 2026-11-28

- All.
"""


def test_a_releases_notes_are_its_section_of_the_changelog() -> None:
    assert notes(TOLD, "v1.0.1") == "### Fixed\n\n- This.\n"
    assert notes(TOLD, "v1.0.0") == "- All.\n"


@pytest.mark.parametrize(
    ("tag", "why"),
    [("v1.1.0", "says 'unreleased' in place of a date"), ("v2.0.0", "no section"), ("1.0.0", "no section")],
)
def test_a_tag_without_a_dated_section_is_refused(tag: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        notes(TOLD, tag)


def test_the_changelogs_own_headings_are_read() -> None:
    versions = re.findall(r"^## \[(.+?)\]", CHANGELOG.read_text(), re.MULTILINE)
    assert versions
    dated = re.sub(r"^(## \[.+?\] - ).+$", r"\g<1>2026-11-28", CHANGELOG.read_text(), flags=re.MULTILINE)
    assert all(notes(dated, f"v{version}").startswith(("#", "-", "The")) for version in versions)


def _targets() -> dict[str, str]:
    """Of the Makefile: each target's line, with what it needs and what is said of it."""
    lines = (ROOT / "Makefile").read_text().splitlines()
    return {line.partition(":")[0]: line for line in lines if re.match(r"[a-z-]+:(?!=)", line)}


def _needs_root(target: str, targets: dict[str, str]) -> bool:
    needed = targets[target].partition("##")[0].split()[1:]
    return "needs root" in targets[target] or any(_needs_root(one, targets) for one in needed)


def test_each_step_of_a_workflow_that_runs_make_names_a_target_and_is_root_where_that_needs_it() -> None:
    targets, seen = _targets(), 0
    for file in (ROOT / ".github" / "workflows").glob("*.yml"):
        for job in yaml.safe_load(file.read_text())["jobs"].values():
            for step in job["steps"]:
                for sudo, target in re.findall(r"(sudo )?\bmake ([a-z-]+)", step.get("run", "")):
                    seen += 1
                    assert target in targets, f"{file.name}: make {target}"
                    # Hosted runners run steps as an ordinary user who may use sudo.
                    assert bool(sudo) == _needs_root(target, targets), f"{file.name}: make {target}"
    assert seen > 5
