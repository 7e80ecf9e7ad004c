"""What the console calls processes: by host and kind, so that a process that starts again has its old name (pure)."""

from collections import Counter
from collections.abc import Mapping

from tasks.bot_status import BotStatus
from tasks.worker_status import WorkerStatus


def process_names(workers: Mapping[str, WorkerStatus], bots: Mapping[str, BotStatus]) -> dict[str, str]:
    """The process as it publishes (incarnation, or holder of the bot's lease) -> its name in labels.

    Where two have one name, each has what it publishes as in its name, too.
    """
    wanted = {incarnation: status.node_of(incarnation) for incarnation, status in workers.items()}
    wanted |= {holder: f"bot@{status.host}" for holder, status in bots.items()}
    often = Counter(wanted.values())
    return {process: name if often[name] == 1 else f"{name}/{process}" for process, name in wanted.items()}
