"""The environment of the processes that we start: ``.env`` merged in, our programs on PATH, reduced to what each needs.

The environment holds provider keys and the bot's token. Workers need both, and their MCP servers need variables that we
do not know, so workers get everything but the settings of the bot and the playground. Each other kind of process gets
a fixed list of names: a defect in a web server or a database cannot leak what its process never had.
"""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from ops.withheld import CONSOLE, PLAYGROUND, READ, for_worker
from tasks.config.environ import merged
from tasks.config.settings import Settings, env_name

type ProcessKind = Literal["bot", "worker", "flower", "console", "playground", "model", "valkey"]

PLAYGROUND_BOT = 1000000001
"""The id of the playground's bot. ops does not import the playground; a test compares the two numbers."""

_SYSTEM = {
    "PATH", "HOME", "USER", "LOGNAME", "LANG", "LANGUAGE", "TZ", "TMPDIR", "TMP", "TEMP", "VIRTUAL_ENV",
    "LD_LIBRARY_PATH", "SSL_CERT_FILE", "SSL_CERT_DIR",
}  # fmt: skip
_SYSTEMS = ("LC_", "PYTHON", "COVERAGE_")
"""Prefixes of names: locale, interpreter, coverage of tests."""
_LOGS = {"COHORT_LOG_LEVEL", "COHORT_LOG_FORMAT"}
_PROXIES = {"http_proxy", "https_proxy", "all_proxy", "no_proxy"}
_SETTINGS = {env_name(field) for field in Settings.model_fields}

_NAMED: Mapping[ProcessKind, set[str]] = {
    "bot": _SETTINGS - PLAYGROUND - CONSOLE | _PROXIES | {name.upper() for name in _PROXIES},
    "flower": _LOGS | {"REDIS_URL", "COHORT_SLOTS", "COHORT_FLOWER_HOSTS"},
    "console": _LOGS | CONSOLE | {"REDIS_URL", "COHORT_SLOTS", "CONSOLE_LINKS"},
    "playground": _LOGS | PLAYGROUND,
    "model": set(),
    "valkey": set(),
}
_BEGINNINGS: Mapping[ProcessKind, tuple[str, ...]] = {
    "bot": ("OTEL_",),
    "flower": ("FLOWER_",),
    "model": ("OMP_", "GGML_", "LLAMA_"),
}


def environment(environ: Mapping[str, str] | None = None, file: Path | None = None) -> dict[str, str]:
    """The environment with ``.env`` merged in: the environment wins, and a blank value is the same as none."""
    found = merged(environ, file)
    # Configurations name MCP servers as programs, and our virtual environment need not be activated.
    programs = str(Path(sys.executable).parent)
    path = found.get("PATH", os.defpath)
    if programs not in path.split(os.pathsep):
        path = os.pathsep.join((programs, path))
    return {**found, "PATH": path}


def needed(kind: ProcessKind, environ: Mapping[str, str]) -> dict[str, str]:
    """The part of an environment that a process of this kind gets.

    ``.env`` is merged in already, and the process does not read that file again: the file holds variables that this
    kind of process must not have.
    """
    if kind == "worker":
        return for_worker(environ)
    named, beginnings = _SYSTEM | _NAMED[kind], _SYSTEMS + _BEGINNINGS.get(kind, ())
    found = {name: value for name, value in environ.items() if name in named or name.startswith(beginnings)}
    token = environ.get("TELEGRAM_BOT_TOKEN", "")
    if kind == "playground" and token.startswith(f"{PLAYGROUND_BOT}:"):
        found["TELEGRAM_BOT_TOKEN"] = token
    return found | READ
