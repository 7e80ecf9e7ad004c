"""The `cohort` command, run to its end."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryFile

from tests.harness.nursery import nursery
from tests.harness.processes import ROOT

PATIENCE_S = 90.0


def cohort(*arguments: str, home: Path, cwd: Path = ROOT, **environ: str) -> subprocess.CompletedProcess[str]:
    """The command, to its end; forked with its modules loaded, which saves most of its second.

    Raises:
        subprocess.TimeoutExpired: it did not come to its end.
    """
    with TemporaryFile() as out, TemporaryFile() as errors:
        argv = ("-m", "ops.cli", *arguments)
        child = nursery().begin(argv, clean(home) | environ, out.fileno(), errors.fileno(), cwd=cwd)
        try:
            status = child.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            child.kill()
            raise
        said, wrong = (file.seek(0) or file.read().decode() for file in (out, errors))
    return subprocess.CompletedProcess(argv, status, said, wrong)


def clean(home: Path) -> Mapping[str, str]:
    """Our environment without any setting of Cohort's or a provider's in it."""
    ours = ("COHORT_", "TELEGRAM_", "REDIS_", "FLOWER_", "FAST_AGENT_", "GENERIC_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours) and "API_KEY" not in name}
    # Systems that run beside each other would take one port for their consoles.
    return kept | {"COHORT_HOME": str(home), "COHORT_CONSOLE_PORT": "0", "PYTHONPATH": str(ROOT)}
