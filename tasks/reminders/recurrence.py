"""When a recurring reminder comes: RFC 5545 rules in a person's time zone (pure).

A rule gives local times, so 09:00 stays 09:00 when the clocks change. A time that such a night leaves out comes an hour
later by the clock, as soon as it may; a time that it has twice is the first of the two.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from dateutil.rrule import DAILY, HOURLY, MONTHLY, WEEKLY, YEARLY, rrule, weekday

from tasks.errors import Terminal
from tasks.reminders.timezones import zone_info

DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_FREQUENCIES: Mapping[str, Literal[0, 1, 2, 3, 4]] = {
    "HOURLY": HOURLY,
    "DAILY": DAILY,
    "WEEKLY": WEEKLY,
    "MONTHLY": MONTHLY,
    "YEARLY": YEARLY,
}
# Parts that a rule may have beside these. What is left out could make a rule that never comes, and whose next time a
# search until the year 9999 would look for: that takes a second, in which a worker's loop stands still.
_PARTS: Mapping[str, frozenset[str]] = {
    "HOURLY": frozenset(),
    "DAILY": frozenset(),
    "WEEKLY": frozenset({"BYDAY"}),
    "MONTHLY": frozenset({"BYDAY", "BYMONTHDAY", "BYSETPOS"}),
    "YEARLY": frozenset({"BYMONTH", "BYMONTHDAY"}),
}
_ALWAYS = frozenset({"FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST"})
_TIMES = ("BYHOUR", "BYMINUTE", "BYSECOND")
_MOST_EVERY = {"HOURLY": 24 * 31, "DAILY": 366, "WEEKLY": 53, "MONTHLY": 12, "YEARLY": 1}
_LONGEST_RULE = 200
_DAY = re.compile(rf"([+-]?[1-5])?({'|'.join(DAYS)})")
_TIME = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
_UNTIL = re.compile(r"(\d{4})-?(\d{2})-?(\d{2})(?:T\d{6}Z?)?")
_ALL_OF_A_MONTH = range(1, 6)
_SHORTEST_MONTH = 28
_MONTH_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_LOCAL = "%Y-%m-%dT%H:%M"


def _numbers(text: str, allowed: Callable[[int], bool]) -> tuple[int, ...]:
    """Numbers with commas between them.

    Raises:
        ValueError: something is no number, or not one of those that are allowed.
    """
    found = tuple(int(part) if len(part) < 5 else 9999 for part in text.split(","))  # noqa: PLR2004 - digits of a year
    if len(found) > 31 or not all(map(allowed, found)):  # noqa: PLR2004 - days of a month
        raise ValueError
    return found


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule that was read."""

    frequency: str
    every: int = 1
    days: tuple[tuple[int, str], ...] = ()
    """(which of the month, or 0; the day)."""
    month_days: tuple[int, ...] = ()
    months: tuple[int, ...] = ()
    which: tuple[int, ...] = ()
    """Of the days that fit in a month."""
    count: int | None = None
    until: str = ""

    @classmethod
    def parse(cls, text: str) -> "Rule":
        """Read one.

        Raises:
            Terminal: it is none that may be used; the message is for the model.
        """
        try:
            parts = _parts(text)
            return cls._of(parts)
        except ValueError as problem:
            raise Terminal(
                "that rule cannot be used: an RRULE of RFC 5545 is needed whose FREQ is HOURLY, DAILY, WEEKLY, MONTHLY "
                "or YEARLY, with INTERVAL, BYDAY, BYMONTHDAY, BYMONTH, BYSETPOS, COUNT or UNTIL where they fit, for "
                "example FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"
            ) from problem

    @classmethod
    def _of(cls, parts: Mapping[str, str]) -> "Rule":
        frequency = parts.get("FREQ", "")
        if parts.keys() - _ALWAYS - set(_TIMES) - _PARTS.get(frequency, frozenset()) or frequency not in _FREQUENCIES:
            raise ValueError
        most = _MOST_EVERY[frequency]
        rule = cls(
            frequency,
            every=_numbers(parts.get("INTERVAL", "1"), lambda n: 1 <= n <= most)[0],
            days=_days(parts.get("BYDAY", "")),
            month_days=_numbers(parts["BYMONTHDAY"], lambda n: 1 <= n <= 31 or n == -1)  # noqa: PLR2004 - a month's
            if "BYMONTHDAY" in parts
            else (),
            months=_numbers(parts["BYMONTH"], lambda n: 1 <= n <= 12) if "BYMONTH" in parts else (),  # noqa: PLR2004
            which=_numbers(parts["BYSETPOS"], lambda n: 1 <= abs(n) <= 3) if "BYSETPOS" in parts else (),  # noqa: PLR2004
            count=_numbers(parts["COUNT"], lambda n: n >= 1)[0] if "COUNT" in parts else None,
            until=_until(parts.get("UNTIL", "")),
        )
        rule.check()
        return rule

    def check(self) -> None:
        """Refuse what may never come.

        Raises:
            ValueError: its parts do not fit together.
        """
        ordinal = any(number for number, _ in self.days)
        if ordinal and (self.frequency != "MONTHLY" or self.month_days or self.which):
            raise ValueError
        if self.which and (not self.days or self.month_days):
            raise ValueError
        if not _some_month_has(self.month_days, self.months):
            raise ValueError

    def leaves_out(self, first: datetime) -> bool:
        """Whether some months, or years, do not have its day; ``first``: one of its times."""
        if self.frequency not in ("MONTHLY", "YEARLY") or self.days or -1 in self.month_days:
            return False
        days, months = self.month_days or (first.day,), self.months or (first.month,)
        shortest = _SHORTEST_MONTH if self.frequency == "MONTHLY" or 2 in months else 31  # noqa: PLR2004 - February
        return min(days) > shortest

    def text(self) -> str:
        """As it is stored."""
        parts = {
            "FREQ": self.frequency,
            "INTERVAL": str(self.every) if self.every > 1 else "",
            "BYDAY": ",".join(f"{number or ''}{day}" for number, day in self.days),
            "BYMONTHDAY": ",".join(map(str, self.month_days)),
            "BYMONTH": ",".join(map(str, self.months)),
            "BYSETPOS": ",".join(map(str, self.which)),
            "UNTIL": self.until,
        }
        return ";".join(f"{name}={value}" for name, value in parts.items() if value)

    def after(self, start: datetime, zone: str, now: float) -> tuple[str, float] | None:
        """The first time behind ``now`` (seconds since the epoch) of those that are counted from ``start`` on.

        Args:
            start: A local time, without a zone.
            zone: The zone that it is meant in.
            now: The time that is over.

        Returns:
            The local time as the rule gives it, and when that is; None when there is none.
        """
        info = zone_info(zone)
        # A zone is at most a day away from UTC, so nothing earlier can be behind now.
        near = datetime.fromtimestamp(now, UTC).replace(tzinfo=None) - timedelta(days=2)
        if not _some_month_has(self.month_days or ((start.day,) if self.months else ()), self.months):
            return None
        for local in self._rrule(start).xafter(near, inc=True):
            if f"{local:%Y%m%d}" > self.until > "" or local.year > near.year + 30:
                return None
            if (due := _instant(local, info)) > now:
                return local.strftime(_LOCAL), due
        return None

    def first(self, start: datetime, zone: str, now: float) -> tuple[str, float] | None:
        """The time that the others are counted from: the first one behind ``now``, however many are left out later."""
        return (self if self.frequency == "HOURLY" else replace(self, every=1)).after(start, zone, now)

    def _rrule(self, start: datetime) -> rrule:
        parts: dict[str, Any] = {
            "byweekday": [weekday(DAYS.index(day), number or None) for number, day in self._weekdays()],
            "bymonthday": self.month_days,
            "bymonth": self.months,
            "bysetpos": self.which,
        }
        given = {name: value for name, value in parts.items() if value}
        return rrule(_FREQUENCIES[self.frequency], dtstart=start, interval=self.every, **given)

    def _weekdays(self) -> list[tuple[int, str]]:
        """The days as dateutil takes them: where one has a number it wants days that fit those without one, too."""
        if not any(number for number, _ in self.days):
            return list(self.days)
        return [(which, day) for number, day in self.days for which in ((number,) if number else _ALL_OF_A_MONTH)]


def _some_month_has(days: Sequence[int], months: Sequence[int]) -> bool:
    """Whether one of the days is in one of the months, or there are no days to look for."""
    return not days or min(days) <= max(_MONTH_DAYS[month - 1] for month in months or range(1, 13))


def _parts(text: str) -> dict[str, str]:
    plain = "".join(text.upper().split()).removeprefix("RRULE:").strip(";")
    if not plain or len(plain) > _LONGEST_RULE or not plain.isascii():
        raise ValueError
    pairs = [part.split("=", 1) for part in plain.split(";")]
    if any(len(pair) != 2 or not pair[1] for pair in pairs) or len({name for name, *_ in pairs}) < len(pairs):  # noqa: PLR2004 - name, value
        raise ValueError
    return dict(pairs)


def _days(text: str) -> tuple[tuple[int, str], ...]:
    found: list[tuple[int, str]] = []
    for part in text.split(",") if text else ():
        if (match := _DAY.fullmatch(part)) is None:
            raise ValueError
        found.append((int(match[1] or 0), match[2]))
    return tuple(dict.fromkeys(found))


def _until(text: str) -> str:
    if not text:
        return ""
    if (match := _UNTIL.fullmatch(text)) is None:
        raise ValueError
    year, month, day = map(int, match.groups())
    return f"{datetime(year, month, day, tzinfo=UTC):%Y%m%d}"


def _instant(local: datetime, zone: ZoneInfo) -> float:
    return local.replace(tzinfo=zone, fold=0).timestamp()


def instant_of(said: str, zone: str) -> float:
    """When a date and time by the clocks of a zone is, in seconds since the epoch.

    A time that the clocks leave out comes when they have gone on; of one that they have twice the first counts.

    Args:
        said: ``2026-11-28 09:00``.
        zone: The zone.

    Raises:
        Terminal: there is no such time.
    """
    text = " ".join(said.replace("T", " ").split())
    try:
        return _instant(datetime.strptime(text, "%Y-%m-%d %H:%M"), zone_info(zone))  # noqa: DTZ007 - local
    except (ValueError, OverflowError):
        raise Terminal("the time must be written as YYYY-MM-DD HH:MM, for example 2026-11-28 09:00") from None


def local_now(zone: str, now: float) -> datetime:
    """The time by the clocks of a zone, without the zone."""
    return datetime.fromtimestamp(now, zone_info(zone)).replace(tzinfo=None, fold=0)


def beginning(rule: Rule, at: str, said: str, zone: str, now: float) -> datetime:
    """The local time that a rule counts from: the one of today.

    Args:
        rule: The rule.
        at: ``9:00``; "" where the rule as it was said names the time, or an hourly one needs none.
        said: The rule as it was said.
        zone: The zone.
        now: Seconds since the epoch.

    Raises:
        Terminal: there is no such time.
    """
    here = local_now(zone, now)
    match = _TIME.fullmatch(at.strip())
    if match is not None:
        at_time = time(int(match[1]), int(match[2]))
    elif at.strip():
        raise Terminal("the time must be written as HH:MM, for example 09:00")
    elif (named := _named_time(said)) is not None:
        at_time = named
    elif rule.frequency == "HOURLY":
        return here.replace(second=0, microsecond=0)
    else:
        raise Terminal("the time of day is missing: give it as HH:MM, for example 09:00")
    return datetime.combine(here.date(), at_time)


def _named_time(said: str) -> time | None:
    try:
        parts = _parts(said)
        return time(int(parts["BYHOUR"]), int(parts.get("BYMINUTE", "0"))) if "BYHOUR" in parts else None
    except ValueError as problem:
        raise Terminal("a reminder has one time of day; set one reminder for each") from problem


def read_local(text: str) -> datetime:
    """A local time as ``Rule.after`` gives it.

    Raises:
        ValueError: it is none.
    """
    return datetime.strptime(text, _LOCAL)  # noqa: DTZ007 - a local time has its zone beside it
