"""The `cohort` command, run to its end, and other modules that are commands."""

import functools
import os
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import Any

from tests.harness.nursery import SHARED, nursery
from tests.harness.processes import ROOT

PATIENCE_S = 90.0
STAND_IN = Path(__file__).with_name("forked_python.py")
CHECKS = ("workers.runtime.cards.checks", "workers.runtime.check")
"""What the command starts to look at cards and patches: fast-agent takes three seconds of processor time to load."""

PYTHON = f"""#!/bin/sh
case "$*" in
{"|".join(f'"-P -m {check}"' for check in CHECKS)}) exec {{python}} -IS {{stand_in}} {{shared}} "$@" ;;
*) exec {{python}} "$@" ;;
esac
"""


def cohort(*arguments: str, home: Path, cwd: Path = ROOT, **environ: str) -> subprocess.CompletedProcess[str]:
    """The command, to its end; forked with its modules loaded, which saves most of its second.

    Raises:
        subprocess.TimeoutExpired: it did not come to its end.
    """
    given = clean(home) | environ
    shared = os.environ.get(SHARED)
    if shared is None:
        return forked(("-m", "ops.cli", *arguments), given, cwd)
    # Programs beside our Python are found as they would be.
    given = {**given, "PATH": os.pathsep.join((str(Path(sys.executable).parent), given.get("PATH", os.defpath)))}
    return forked(("-m", "tests.harness.cli", _python(shared), *arguments), given, cwd)


def forked(argv: Sequence[str], environ: Mapping[str, str], cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """``python`` with these arguments (``-m module ...``), to its end, with its modules loaded.

    Raises:
        subprocess.TimeoutExpired: it did not come to its end.
    """
    with TemporaryFile() as out, TemporaryFile() as errors:
        child = nursery().begin(argv, environ, out.fileno(), errors.fileno(), cwd=cwd)
        try:
            status = child.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            child.kill()
            raise
        said, wrong = (file.seek(0) or file.read().decode() for file in (out, errors))
    return subprocess.CompletedProcess(argv, status, said, wrong)


@functools.cache
def _folder() -> TemporaryDirectory[str]:
    """Kept until this process ends."""
    return TemporaryDirectory(prefix="cohort-python-")


@functools.cache
def _python(shared: str) -> str:
    """A program that stands for our Python, and has the checks forked by the listening nursery."""
    path = Path(_folder().name) / "python"
    python, stand_in = shlex.quote(sys.executable), shlex.quote(str(STAND_IN))
    path.write_text(PYTHON.format(python=python, stand_in=stand_in, shared=shared))
    path.chmod(0o755)
    return str(path)


def python_with(directory: Path, installed: str) -> str:
    """A Python for one of ``CHECKS``, which runs this code first: it changes what is installed.

    Where a nursery listens the process is forked; otherwise its ``sitecustomize`` runs the code.
    """
    shared = os.environ.get(SHARED)
    path = directory / "python"
    if shared is None:
        (directory / "sitecustomize.py").write_text(installed)
        parts = (sys.executable,)
    else:
        code = f"import runpy, sys\n{installed}\nrunpy.run_module(sys.argv[3], run_name='__main__', alter_sys=True)\n"
        parts = (sys.executable, "-IS", str(STAND_IN), shared, "-u", "-c", code)
    path.write_text(f'#!/bin/sh\nexec {shlex.join(parts)} "$@"\n')
    path.chmod(0o755)
    return str(path)


def server_of(module: str) -> dict[str, Any]:
    """How a configuration starts ``python -m module`` as an MCP server; forked, where a nursery listens."""
    shared = os.environ.get(SHARED)
    if shared is None:
        return {"command": sys.executable, "args": ["-m", module], "env": {"PYTHONPATH": str(ROOT)}}
    return {"command": sys.executable, "args": ["-IS", str(STAND_IN), shared, "-u", "-m", module]}


def clean(home: Path) -> Mapping[str, str]:
    """Our environment without any setting of Cohort's or a provider's in it."""
    ours = ("COHORT_", "TELEGRAM_", "REDIS_", "FLOWER_", "FAST_AGENT_", "GENERIC_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours) and "API_KEY" not in name}
    # Systems that run beside each other would take one port for their consoles.
    return kept | {"COHORT_HOME": str(home), "COHORT_CONSOLE_PORT": "0", "PYTHONPATH": str(ROOT)}
