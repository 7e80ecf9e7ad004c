"""Runs the runtime's tests against the newest fast-agent, in an environment of its own: `make check-newest` (needs uv).

What pyproject.toml allows of fast-agent is set aside, and the lock with it; the lines below are what a person would
install today.
"""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PLACE = ROOT / ".venv-newest"
OURS = "fast-agent-mcp"
# Processes that run tests load it; its bounds hold back what fast-agent brings, so it comes without what it asks for.
UNBOUND = "aiogram"
BESIDE = ("magic-filter", "aiofiles")
"""What it asks for that no one else does."""
TESTS = ("tests/runtime",)


def name_of(requirement: str) -> str:
    """The project that a requirement is about."""
    found = re.match(r"[A-Za-z0-9._-]+", requirement)
    return found[0].lower() if found else requirement


def wanted(project: dict) -> list[str]:
    """What is installed: everything that pyproject.toml asks for, of fast-agent any release that is not older."""
    asked = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    oldest = next(line for line in asked if name_of(line) == OURS).partition(",")[0]
    rest = [line for line in asked if name_of(line) not in (OURS, UNBOUND)]
    return [oldest, *rest]


def main(uv: str, python: str, *arguments: str) -> int:
    """Make the environment, say what it has, run the tests; pytest's status."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    environ = {**os.environ, "UV_NO_CONFIG": "1", "UV_PYTHON_DOWNLOADS": "never"}
    own = str(PLACE / "bin" / "python")
    subprocess.run([uv, "venv", "--quiet", "--clear", "--python", python, str(PLACE)], env=environ, check=True)
    subprocess.run(
        [uv, "pip", "install", "--quiet", "--python", own, "--upgrade", "-r", "-"],
        env=environ,
        input="\n".join(wanted(project)),
        text=True,
        check=True,
    )
    unbound = ["--no-deps", UNBOUND, *BESIDE]
    subprocess.run([uv, "pip", "install", "--quiet", "--python", own, *unbound], env=environ, check=True)
    # Ourselves as well: `cohort.__version__` is read from the installed package.
    editable = ["--no-deps", "--editable", str(ROOT)]
    subprocess.run([uv, "pip", "install", "--quiet", "--python", own, *editable], env=environ, check=True)
    subprocess.run(
        [own, "-c", f"from importlib.metadata import version; print('{OURS}', version('{OURS}'))"], check=True
    )
    tests = arguments or TESTS
    return subprocess.run(
        [own, "-m", "pytest", "-n", "4", "--dist", "loadgroup", *tests], cwd=ROOT, check=False
    ).returncode


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
