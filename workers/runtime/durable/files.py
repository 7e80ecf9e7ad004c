"""Large results of tools, each in a file that is named by its digest."""

import logging
import shutil
from pathlib import Path

from mcp_types import CallToolResult

from workers.runtime.durable import entries

log = logging.getLogger("cohort.runtime")


def stand_in(directory: Path) -> bool:
    """Whether there are any."""
    return directory.is_dir()


def remove(directory: Path) -> None:
    """All of them."""
    shutil.rmtree(directory, ignore_errors=True)


def write(directory: Path, digest: str, raw: bytes) -> bool:
    """Keep one; whether that was possible."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        (directory / f"{digest}.json").write_bytes(raw)
    except OSError as problem:
        log.warning("journal.no_file", extra={"error": type(problem).__name__})
        return False
    return True


def read(directory: Path, digest: str) -> CallToolResult | None:
    """What stands in a file, if it is what was written there."""
    try:
        raw = (directory / f"{digest}.json").read_bytes()
        return entries.result_in(raw) if entries.digest(raw) == digest else None
    except (OSError, ValueError):
        return None
