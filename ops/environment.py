"""The environment with ``.env`` filled in, for us and for every process we start (provider keys stand there too)."""

import os
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
    return {**written, **own}
