"""Whether this machine has memory for as many workers as `cohort up` may start."""

from ops.commands.doctor.processes import running
from ops.commands.finding import Finding
from ops.context import Context
from tasks.config.worker_count import WorkerCount
from tasks.process.memory import WORKER_MIB, available_mib, pss_mib, room


async def memory(here: Context, wanted: int | None = None) -> list[Finding]:
    """What is available, against the workers that are still to be started: to ``wanted``, else as many as are set."""
    pids = [one["pid"] for one in await running(here) if one["incarnation"] and one["pid"]]
    sizes = [size for pid in pids if (size := pss_mib(pid)) is not None]
    scale = here.running.scale if here.running is not None else None
    count = WorkerCount(scale.least, scale.most, scale.auto) if scale is not None else here.settings.workers
    count = count if wanted is None else WorkerCount(wanted, wanted)
    return [verdict(count, available_mib(), sizes)]


def verdict(count: WorkerCount, available: float | None, sizes: list[float]) -> Finding:
    """What so much memory means for so many workers, of which those with ``sizes`` (MiB) run (pure)."""
    about, left = "memory", room(available, sizes)
    if available is None or left is None:
        return Finding(about, "ok", "this system does not tell what is available; `auto` goes up to its bound")
    each = max([WORKER_MIB, *sizes])
    running = f"; the largest of {len(sizes)} workers here has {max(sizes):,.0f} MiB" if sizes else ""
    seen = f"{available:,.0f} MiB available{running}"
    missing = max(0, count.most - len(sizes)) - left
    if missing <= 0:
        return Finding(about, "ok", f"{seen}; {count.most} workers have room")
    do = f"set COHORT_WORKERS lower, or give this machine {missing * each:,.0f} MiB more"
    if count.auto and count.least <= len(sizes) + left:
        do = f"`auto` stops at {len(sizes) + left} workers"
    return Finding(about, "warning", f"{seen}: too little for {count.most} workers of {each:,.0f} MiB", do)
