"""What comes of a reminder that is due: what its session reads, and the next one of its series (pure)."""

import logging
from dataclasses import dataclass
from datetime import UTC, datetime

from tasks.envelope import Inbound, Repeats
from tasks.errors import Terminal
from tasks.reminders.recurrence import Rule, read_local

log = logging.getLogger("cohort.reminders")

LATE_S = 600
"""A reminder that comes so long after its time says so."""


@dataclass(frozen=True, slots=True)
class Firing:
    """A reminder that is due."""

    entry: Inbound
    """What goes into the inbox."""
    following: Inbound | None = None
    """The next one of its series."""


def named(reminder: Inbound) -> int:
    """The number by which a person cancels it; it stays the same for all of a series."""
    return -(reminder.repeats.series if reminder.repeats is not None else reminder.update_id)


def firing(reminder: Inbound, now: float, number: int = 0) -> Firing:
    """What comes of a reminder that is due. Of the times that were missed, all together are one.

    Args:
        reminder: The reminder.
        now: Seconds since the epoch.
        number: The update id of the next one of its series.
    """
    repeats = reminder.repeats
    zone = repeats.zone if repeats is not None else "UTC"
    late = now - reminder.at > LATE_S
    due = repeats.local.replace("T", " ") if repeats else f"{datetime.fromtimestamp(reminder.at, UTC):%Y-%m-%d %H:%M}"
    note = f"it was due at {due} {zone}, and comes late: say so" if late else ""
    if repeats is None:
        return Firing(reminder.model_copy(update={"note": note}) if late else reminder)
    following = _following(reminder, repeats, now, number)
    if following is None and repeats.left <= 1:
        note = "; ".join(filter(None, [note, "it has come for the last time: ask whether it should go on"]))
    return Firing(reminder.model_copy(update={"v": 1, "repeats": None, "note": note}), following)


def _following(reminder: Inbound, repeats: Repeats, now: float, number: int) -> Inbound | None:
    if repeats.left <= 1:
        return None
    try:
        found = Rule.parse(repeats.rule).after(read_local(repeats.local), repeats.zone, max(now, reminder.at))
    except (Terminal, ValueError):
        log.error("reminder.unreadable")  # noqa: TRY400 - what it was is not ours to log
        return None
    if found is None:
        return None
    local, due = found
    more = repeats.model_copy(update={"local": local, "left": repeats.left - 1})
    return reminder.model_copy(update={"update_id": number, "at": due, "repeats": more})
