"""fast-agent's configuration: the names that it may have, and which file it is where none is named."""

from pathlib import Path

CONFIGURATIONS = ("fastagent.config.yaml", "fast-agent.yaml", "fast-agent.config.yaml")
"""Names of fast-agent's configuration, here and in ``.fast-agent``."""


def found_configuration(default: Path) -> Path:
    """``default``, else the first of fast-agent's own names that is there."""
    if default.is_file():
        return default
    places = (Path(directory) / name for directory in (".", ".fast-agent") for name in CONFIGURATIONS)
    return next((path for path in places if path.is_file()), default)
