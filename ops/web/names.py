"""What the console calls processes: by host and kind, so that a process that starts again has its old name (pure)."""

from collections import Counter
from collections.abc import Iterable, Mapping

from tasks.status.bot import BotStatus
from tasks.status.worker import OwnHostStatus, WorkerStatus


def process_names(
    workers: Mapping[str, WorkerStatus], bots: Mapping[str, BotStatus], own: Iterable[OwnHostStatus] = ()
) -> dict[str, str]:
    """The process as it publishes (incarnation, or holder of the bot's lease) -> its name in labels.

    A chat's own process is named by its place, ``own-3@host``: the names of places come again, and say no chat.

    Where two have one name, each has what it publishes as in its name, too.
    """
    wanted = {incarnation: status.node_of(incarnation) for incarnation, status in workers.items()}
    for holder, status in bots.items():
        wanted[holder] = f"bot-{status.name}@{status.host}" if status.name else f"bot@{status.host}"
    wanted |= {process: f"{place}@{host.host}" for host in own for process, place in host.processes.items()}
    often = Counter(wanted.values())
    return {process: name if often[name] == 1 else f"{name}/{process}" for process, name in wanted.items()}
