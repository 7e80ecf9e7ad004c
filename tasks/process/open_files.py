"""How many files (and connections) this process and those that it starts may have open: ``ulimit -n``."""

import resource

_WANTED = 4096
ENOUGH = 1024
"""What systems give as a rule. A worker has a connection to Redis, the model and Telegram for each turn that runs."""


def raise_limit() -> int:
    """Raise the limit as far as the system lets a process raise it, and as Cohort has use for; gives the limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _WANTED if hard == resource.RLIM_INFINITY else min(_WANTED, hard)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return _WANTED if soft == resource.RLIM_INFINITY else soft
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return wanted


def too_few(limit: int) -> str | None:
    """What so low a limit means, in one sentence; None: it is enough (pure)."""
    if limit >= ENOUGH:
        return None
    return (
        f"only {limit} files and connections may be open at a time (ulimit -n): when many chats write at once, turns "
        f"wait and fail; allow {_WANTED} (systemd: LimitNOFILE={_WANTED})"
    )
