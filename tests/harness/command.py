"""The `cohort` command, run to its end."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.harness.processes import ROOT


def cohort(*arguments: str, home: Path, cwd: Path = ROOT, **environ: str) -> subprocess.CompletedProcess[str]:
    """The command, to its end."""
    return subprocess.run(
        (sys.executable, "-m", "ops.cli", *arguments),
        cwd=cwd,
        env=clean(home) | environ,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )


def clean(home: Path) -> Mapping[str, str]:
    """Our environment without any setting of Cohort's or a provider's in it."""
    ours = ("COHORT_", "TELEGRAM_", "REDIS_", "FLOWER_", "FAST_AGENT_", "GENERIC_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours) and "API_KEY" not in name}
    return kept | {"COHORT_HOME": str(home), "PYTHONPATH": str(ROOT)}
