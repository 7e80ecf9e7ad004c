"""What workers do not get of the environment, which they get whole otherwise (``ops.environment`` says why)."""

import os
from collections.abc import Mapping

from tasks.config.environ import NAME

PLAYGROUND = {"COHORT_PLAYGROUND_PORT", "COHORT_PLAYGROUND_KEY"}
WEBHOOK = {"COHORT_WEBHOOK_URL", "COHORT_WEBHOOK_SECRET"}
CONSOLE = {
    "COHORT_CONSOLE_PORT", "COHORT_CONSOLE_HOST", "COHORT_CONSOLE_HOSTS", "COHORT_CONSOLE_AUTH", "COHORT_CONSOLE_TEXT",
}  # fmt: skip
READ = {NAME: os.devnull}
"""``.env`` is merged in already, and a process does not read that file again."""


def for_worker(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment of a worker."""
    return {name: value for name, value in environ.items() if name not in WEBHOOK | PLAYGROUND | CONSOLE} | READ
