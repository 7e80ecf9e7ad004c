"""The environment of what we start: ``.env`` filled in, our programs on PATH, and for each process what it needs.

Provider keys stand in the environment, and so does the bot's token. Workers need both, and their MCP servers need
whatever an operator sets; they get all but what is the bot's alone. Each other kind of process gets a list of names,
because a defect in a page's server or in a database cannot give away what was never there.
"""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from tasks.environ import NAME, merged
from tasks.settings import Settings, env_name

type Kind = Literal["bot", "worker", "flower", "playground", "model", "valkey"]

PLAYGROUND_BOT = 1000000001
"""The number of the playground's bot; ops and playground do not import each other (a test compares the two)."""

_SYSTEM = {
    "PATH", "HOME", "USER", "LOGNAME", "LANG", "LANGUAGE", "TZ", "TMPDIR", "TMP", "TEMP", "VIRTUAL_ENV",
    "LD_LIBRARY_PATH", "SSL_CERT_FILE", "SSL_CERT_DIR",
}  # fmt: skip
_SYSTEMS = ("LC_", "PYTHON", "COVERAGE_")
"""Names by how they begin: the language of messages, the interpreter, and what measures the tests."""
_LOGS = {"COHORT_LOG_LEVEL", "COHORT_LOG_FORMAT"}
_PROXIES = {"http_proxy", "https_proxy", "all_proxy", "no_proxy"}
_PLAYGROUND = {"COHORT_PLAYGROUND_PORT", "COHORT_PLAYGROUND_KEY"}
_WEBHOOK = {"COHORT_WEBHOOK_URL", "COHORT_WEBHOOK_SECRET"}
_SETTINGS = {env_name(field) for field in Settings.model_fields}

_NAMED: Mapping[Kind, set[str]] = {
    "bot": _SETTINGS - _PLAYGROUND | _PROXIES | {name.upper() for name in _PROXIES},
    "flower": _LOGS | {"REDIS_URL", "COHORT_SLOTS", "COHORT_FLOWER_HOSTS"},
    "playground": _LOGS | _PLAYGROUND,
    "model": set(),
    "valkey": set(),
}
_BEGINNINGS: Mapping[Kind, tuple[str, ...]] = {"flower": ("FLOWER_",), "model": ("OMP_", "GGML_", "LLAMA_")}


def environment(environ: Mapping[str, str] | None = None, file: Path | None = None) -> dict[str, str]:
    """What is set: a variable of the environment wins over the file's line, and a blank value is none."""
    found = merged(environ, file)
    # MCP servers are named as programs, and the environment that we run in need not be activated.
    programs = str(Path(sys.executable).parent)
    path = found.get("PATH", os.defpath)
    if programs not in path.split(os.pathsep):
        path = os.pathsep.join((programs, path))
    return {**found, "PATH": path}


def needed(kind: Kind, environ: Mapping[str, str]) -> dict[str, str]:
    """The part of an environment that a process of this kind gets.

    ``.env`` is part of it already, so the process does not read that file again. It would find there what it is not to
    have, or half of what belongs together, where the other half stands in the environment.
    """
    read = {NAME: os.devnull}
    if kind == "worker":
        return {name: value for name, value in environ.items() if name not in _WEBHOOK | _PLAYGROUND} | read
    named, beginnings = _SYSTEM | _NAMED[kind], _SYSTEMS + _BEGINNINGS.get(kind, ())
    found = {name: value for name, value in environ.items() if name in named or name.startswith(beginnings)}
    token = environ.get("TELEGRAM_BOT_TOKEN", "")
    if kind == "playground" and token.startswith(f"{PLAYGROUND_BOT}:"):
        found["TELEGRAM_BOT_TOKEN"] = token
    return found | read
