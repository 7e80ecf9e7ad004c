"""Says in a process's command line what it is, so that `ps` and `top` show it."""

import os

try:
    from setproctitle import setproctitle
except ImportError:  # where it has no wheel, processes run without a title
    setproctitle = None


def show(what: str) -> None:
    """Have the command line say ``cohort <what>``."""
    # The title takes the place of the arguments alone; the environment behind them stays readable in /proc.
    os.environ.setdefault("SPT_NOENV", "1")
    if setproctitle is not None:
        setproctitle(f"cohort {what}")
