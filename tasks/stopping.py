"""What a /stop or /new sets aside, and what is said of it: by a worker, or by the bot in its place."""

from collections.abc import Sequence

from tasks.envelope import Inbound
from tasks.phrases import phrase


def set_aside(entries: Sequence[Inbound]) -> int:
    """How many messages of a person end unanswered by it; ``entries``: those before it."""
    return len(
        {
            entry.album or entry.message_id or f"update {entry.update_id}"
            for entry in entries
            if entry.kind in ("message", "reminder", "retry", "compact") or (entry.kind == "new" and entry.text.strip())
        }
    )


def stopped(count: int) -> str:
    """After /stop; so many messages were waiting or at work."""
    match count:
        case 0:
            return phrase("nothing-to-stop")
        case 1:
            return phrase("stopped")
        case _:
            return phrase("stopped-skipped", count=count)
