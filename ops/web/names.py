"""What the console calls processes: by host and kind, so that a process that starts again has its old name (pure)."""

from collections import Counter
from collections.abc import Mapping

from tasks.bot_status import BotStatus
from tasks.worker_status import WorkerStatus


def process_names(workers: Mapping[str, WorkerStatus], bots: Mapping[str, BotStatus]) -> dict[str, str]:
    """The process as it publishes (incarnation, or holder of the bot's lease) -> its name in labels.

    Where two have one name, each has what it publishes as in its name, too.
    """
    wanted = {incarnation: worker_name(incarnation, status) for incarnation, status in workers.items()}
    wanted |= {holder: f"bot@{status.host}" for holder, status in bots.items()}
    often = Counter(wanted.values())
    return {process: name if often[name] == 1 else f"{name}/{process}" for process, name in wanted.items()}


def worker_name(incarnation: str, status: WorkerStatus) -> str:
    """``worker-1@host`` of ``worker-1-1a2b3c4d``, as `cohort up` numbers its workers; others have random names."""
    name, _, life = incarnation.rpartition("-")
    kept = name if name.startswith("worker-") and len(life) == len("1a2b3c4d") else incarnation
    return f"{kept}@{status.host}"
