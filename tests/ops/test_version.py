"""``cohort --version``: what a bug report names."""

import re
import subprocess
import sys

from tests.harness.processes import ROOT


def test_the_version_names_cohort_and_fast_agent_and_needs_no_settings() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "ops.cli", "--version"],
        cwd=ROOT,
        env={"PATH": "/usr/bin", "COHORT_NONSENSE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert re.fullmatch(r"cohort \d+\.\d+\.\d+, fast-agent \d+\.\d+\.\d+\n", ran.stdout)
