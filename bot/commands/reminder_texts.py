"""Reminders and their times in words."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.texts import shortened
from tasks.envelope import Inbound
from tasks.errors import Terminal
from tasks.phrases import labelled, listing, phrase
from tasks.reminders.recurrence import DAYS, Rule
from tasks.reminders.timezones import zone_info

SHOWN, _SHORT = 20, 80
"""Reminders of a page, and how much of each: the answer stays one message."""
_SOON = 7
"""Days in which a day of the week says which day is meant."""
_WEEKDAYS = DAYS[:5]


def pages(waiting: Sequence[Inbound]) -> int:
    """How many pages a list has."""
    return -(-len(waiting) // SHOWN)


def on_page(waiting: Sequence[Inbound], page: int) -> list[tuple[int, Inbound]]:
    """The reminders of a page, each with its place in the whole list."""
    return list(enumerate(waiting, 1))[page * SHOWN : (page + 1) * SHOWN]


def reminders(waiting: Sequence[Inbound], zone: str, now: float, page: int = 0) -> str:
    """What /reminders answers.

    Args:
        waiting: The reminders, the next one first.
        zone: The zone of those that name none.
        now: Seconds since the epoch.
        page: The number of the page, from 0.
    """
    if not waiting:
        return phrase("reminders-none")
    lines = [f"{place}. {_line(one, zone, now)}" for place, one in on_page(waiting, page)]
    if (more := len(waiting) - (page + 1) * SHOWN) > 0:
        lines.append(phrase("and-more", count=more))
    return "\n".join([*lines, "", phrase("reminders-cancel")] if len(waiting) > 1 else lines)


def _line(reminder: Inbound, zone: str, now: float) -> str:
    repeats = reminder.repeats
    own = repeats.zone if repeats is not None else zone
    time, text = when(reminder.at, own, now), shortened(reminder.text, _SHORT)
    how = rule_in_words(repeats.rule) if repeats is not None else ""
    if how:
        return phrase("reminder-again", time=time, zone=zone_name(own), how=how, text=text)
    return phrase("reminder", time=time, zone=zone_name(own), text=text)


def when(due: float, zone: str, now: float) -> str:
    """A time by the clocks of a zone: today, tomorrow, a day of this week, or a date."""
    local, here = (datetime.fromtimestamp(at, zone_info(zone)) for at in (due, now))
    clock, days = f"{local:%H:%M}", (local.date() - here.date()) // timedelta(days=1)
    if days == 0:
        return phrase("when-today", time=clock)
    if days == 1:
        return phrase("when-tomorrow", time=clock)
    if 1 < days < _SOON:
        return phrase("when-day", day=phrase(f"day-{DAYS[local.weekday()].lower()}"), time=clock)
    return phrase("when-date", year=local.year, month=local.month, day=local.day, time=clock)


def rule_in_words(text: str) -> str:
    """How often a recurring reminder comes, in a few words; the next time says the rest."""
    try:
        rule = Rule.parse(text)
    except Terminal:
        return ""
    days = tuple(day for _, day in rule.days)
    if rule.frequency == "WEEKLY" and rule.every == 1 and sorted(days) == sorted(_WEEKDAYS):
        return phrase("every-weekday")
    match rule.frequency:
        case "HOURLY":
            return phrase("every-hours", count=rule.every)
        case "DAILY":
            return phrase("every-days", count=rule.every)
        case "WEEKLY":
            named = listing(phrase(f"day-{day.lower()}") for day in DAYS if day in days)
            every = phrase("every-weeks", count=rule.every)
            return labelled(every, named) if named else every
        case "MONTHLY":
            return phrase("every-months", count=rule.every)
        case _:
            return phrase("every-year")


def zone(name: str, now: float) -> str:
    """What /timezone answers when there is one."""
    clock = datetime.fromtimestamp(now, zone_info(name))
    return phrase("timezone", zone=zone_name(name), time=f"{clock:%H:%M}")


def zone_name(name: str) -> str:
    """A zone as people read it: POSIX turns the sign of an offset around."""
    if not name.startswith("Etc/GMT"):
        return name.replace("_", " ")
    sign, hours = name[7:8], name[8:]
    return f"UTC{'-' if sign == '+' else '+'}{hours}" if hours else "UTC"


def cancelled(count: int) -> str:
    """After /reminders cancel."""
    return phrase("reminders-cancelled", count=count) if count else phrase("reminders-none")


def one_cancelled(count: int) -> str:
    """After one of the list was to be cancelled: it may have come already, while others still wait."""
    return phrase("reminders-cancelled", count=count) if count else phrase("reminder-gone")
