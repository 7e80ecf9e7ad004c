"""What stands in PYTHONPATH under a name of ours: Python would import it instead (pure but for looking at files)."""

import os
from collections.abc import Mapping
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent
OURS = ("bot", "botapi", "cohort", "ops", "playground", "tasks", "workers")
NEEDED = (
    "aiohttp", "celery", "cryptography", "fast_agent", "flower", "httpx", "kombu", "mcp", "pydantic", "redis", "rich",
    "starlette", "telegram", "typer", "uvicorn", "vine",
)  # fmt: skip
"""Packages that Cohort imports. A folder of this name may be the package itself, a file is a namesake."""


def namesake(environ: Mapping[str, str]) -> str | None:
    """One line about the first file or package that would be imported instead of ours; None: there is none."""
    said = environ.get("PYTHONPATH", "")
    for entry in said.split(os.pathsep) if said else ():
        place = Path(entry or ".")
        if place.resolve() == _ROOT:
            return None  # ours are found here, before those of all further entries
        files = [place / f"{name}.py" for name in (*OURS, *NEEDED)] + [place / name / "__init__.py" for name in OURS]
        if (found := next(filter(_there, files), None)) is not None:
            named = entry or "the current directory, as an empty entry does"
            return f"PYTHONPATH: names {named}, where Python would take {found} for a part of Cohort; rename it"
    return None


def _there(file: Path) -> bool:
    try:
        return file.exists()
    except OSError:  # a folder that may not be read; Python takes nothing of it
        return False
