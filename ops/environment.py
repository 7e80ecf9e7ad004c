"""The environment of what we start: ``.env`` filled in (provider keys stand there too), our programs on PATH."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from dotenv import dotenv_values


def environment(environ: Mapping[str, str] | None = None, file: Path = Path(".env")) -> dict[str, str]:
    """What is set: a variable of the environment wins over the file's line, as everywhere."""
    own = os.environ if environ is None else environ
    try:
        written = {name: value for name, value in dotenv_values(file).items() if value is not None}
    except (OSError, UnicodeDecodeError):
        written = {}
    # MCP servers are named as programs, and the environment that we run in need not be activated.
    programs = str(Path(sys.executable).parent)
    path = own.get("PATH", os.defpath)
    if programs not in path.split(os.pathsep):
        path = os.pathsep.join((programs, path))
    return {**written, **own, "PATH": path}
