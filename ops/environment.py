"""The environment of what we start: ``.env`` filled in (provider keys stand there too), our programs on PATH."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from tasks.environ import FILE, merged


def environment(environ: Mapping[str, str] | None = None, file: Path = FILE) -> dict[str, str]:
    """What is set: a variable of the environment wins over the file's line, and a blank value is none."""
    found = merged(environ, file)
    # MCP servers are named as programs, and the environment that we run in need not be activated.
    programs = str(Path(sys.executable).parent)
    path = found.get("PATH", os.defpath)
    if programs not in path.split(os.pathsep):
        path = os.pathsep.join((programs, path))
    return {**found, "PATH": path}
