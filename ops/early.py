"""Begins the template of ``cohort up`` before the settings are read, which takes longer than this."""

from collections.abc import Mapping

from ops.up.forking import Template
from ops.up.orphans import CAN_ADOPT
from ops.withheld import for_worker
from tasks.config.environ import merged
from tasks.errors import Misconfigured

MODULE = "workers.process.preload"


def begin(environ: Mapping[str, str]) -> Template | None:
    """Begin to load what workers need; None where workers are to be started, or cannot be forked."""
    try:
        found = merged(environ)
    except Misconfigured:
        return None  # `cohort up` reports the problem
    return Template(MODULE, for_worker(found)) if CAN_ADOPT and found.get("COHORT_FORK") != "off" else None
