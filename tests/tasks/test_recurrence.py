"""Rules of recurring reminders and time zones, by the calendar."""

import sys
from datetime import UTC, datetime

import pytest

from tasks.errors import Terminal
from tasks.reminders.recurrence import Rule, beginning, read_local
from tasks.reminders.timezones import find_zone, nearest_zone

BERLIN = "Europe/Berlin"


def at(text: str) -> float:
    """Seconds since the epoch of a time in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def times(rule: str, clock: str, now: str, count: int, zone: str = BERLIN) -> list[str]:
    """The first times of a rule: local as the rule gives them, and in UTC."""
    read, over = Rule.parse(rule), at(now)
    found = read.first(beginning(read, clock, rule, zone, over), zone, over)
    said: list[str] = []
    while found is not None and len(said) < count:
        local, due = found
        said.append(f"{local[5:]} {datetime.fromtimestamp(due, UTC):%d %H:%M}")
        found = read.after(read_local(local), zone, due)
    return said


@pytest.mark.promise("reminders-recur")
@pytest.mark.parametrize(
    ("rule", "clock", "expected"),
    [
        ("FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", "9:00", ["11-27T09:00 27 08:00", "11-30T09:00 30 08:00"]),
        ("RRULE:FREQ=DAILY;BYHOUR=9;BYMINUTE=30", "", ["11-27T09:30 27 08:30", "11-28T09:30 28 08:30"]),
        ("freq=daily", "23:00", ["11-26T23:00 26 22:00", "11-27T23:00 27 22:00"]),
        ("FREQ=MONTHLY;BYMONTHDAY=1", "09:00", ["12-01T09:00 01 08:00", "01-01T09:00 01 08:00"]),
        ("FREQ=MONTHLY;BYMONTHDAY=31", "09:00", ["12-31T09:00 31 08:00", "01-31T09:00 31 08:00"]),
        ("FREQ=MONTHLY;BYDAY=-1FR", "09:00", ["11-27T09:00 27 08:00", "12-25T09:00 25 08:00"]),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO", "09:00", ["11-30T09:00 30 08:00", "12-14T09:00 14 08:00"]),
        ("FREQ=HOURLY;INTERVAL=3", "09:00", ["11-26T18:00 26 17:00", "11-26T21:00 26 20:00"]),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", "09:00", ["02-29T09:00 29 08:00", "02-29T09:00 29 08:00"]),
        ("FREQ=DAILY;UNTIL=20261127", "09:00", ["11-27T09:00 27 08:00"]),
        ("FREQ=MONTHLY;BYDAY=SU,1WE", "09:00", ["11-29T09:00 29 08:00", "12-02T09:00 02 08:00"]),
        ("FREQ=MONTHLY;BYDAY=5MO,-1MO", "09:00", ["11-30T09:00 30 08:00", "12-28T09:00 28 08:00"]),
        ("FREQ=YEARLY;BYMONTH=2", "09:00", ["02-26T09:00 26 08:00", "02-26T09:00 26 08:00"]),
    ],
)
def test_a_rule_comes_at_the_times_that_it_names(rule: str, clock: str, expected: list[str]) -> None:
    assert times(rule, clock, "2026-11-26T14:00", 2) == expected


@pytest.mark.promise("reminders-recur")
def test_nine_stays_nine_when_the_clocks_change_and_a_time_that_is_missing_or_there_twice_comes_once() -> None:
    assert times("FREQ=DAILY", "09:00", "2026-03-28T00:00", 2) == ["03-28T09:00 28 08:00", "03-29T09:00 29 07:00"]
    spring = times("FREQ=DAILY", "02:30", "2026-03-28T02:00", 3)
    # 02:30 is left out on the 29th: it comes when the clocks show 03:30. On the next day it is 02:30 again.
    assert spring == ["03-29T02:30 29 01:30", "03-30T02:30 30 00:30", "03-31T02:30 31 00:30"]
    autumn = times("FREQ=DAILY", "02:30", "2026-10-24T02:00", 2)
    assert autumn == ["10-25T02:30 25 00:30", "10-26T02:30 26 01:30"]
    hours = times("FREQ=HOURLY", "00:30", "2026-03-28T23:45", 4)
    assert [hour[-5:] for hour in hours] == ["00:30", "01:30", "02:30", "03:30"]


@pytest.mark.parametrize(
    "rule",
    [
        "",
        "every weekday",
        "FREQ=SECONDLY",
        "FREQ=MINUTELY;INTERVAL=30",
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=MONTHLY;BYDAY=1MO;BYMONTHDAY=20",
        "FREQ=MONTHLY;BYSETPOS=2",
        "FREQ=WEEKLY;BYDAY=1MO",
        "FREQ=WEEKLY;BYDAY=",
        "FREQ=DAILY;INTERVAL=0",
        f"FREQ=DAILY;INTERVAL={'9' * 5000}",
        "FREQ=DAILY;INTERVAL=\u0661\u0662",
        "FREQ=DAILY;UNTIL=20261399",
        "FREQ=DAILY;COUNT=-1",
        "FREQ=DAILY;FREQ=DAILY",
        "FREQ=DAILY;" * 10_000,
        "FREQ=DAILY\nDTSTART:00010101T000000",
    ],
)
def test_a_rule_that_never_comes_comes_all_the_time_or_is_none_is_refused(rule: str) -> None:
    with pytest.raises(Terminal, match="cannot be used"):
        Rule.parse(rule)


@pytest.mark.parametrize(
    ("rule", "clock"), [("FREQ=DAILY", "25:00"), ("FREQ=DAILY", ""), ("FREQ=DAILY;BYHOUR=9,17", "")]
)
def test_a_time_of_day_that_is_none_is_refused(rule: str, clock: str) -> None:
    with pytest.raises(Terminal, match="time"):
        beginning(Rule.parse(rule), clock, rule, BERLIN, at("2026-11-26T14:00"))


def test_a_zone_is_found_by_its_name_its_place_and_its_offset() -> None:
    names = ("europe/berlin", "Berlin", " new   york ", "UTC+2", "-3", "utc", "+05:17", "nowhere", "../etc/passwd", "")
    found = [find_zone(name) for name in names]
    assert found[:6] == [BERLIN, BERLIN, "America/New_York", "Etc/GMT-2", "Etc/GMT+3", "UTC"]
    assert found[6:] == [None] * 4
    assert find_zone("x" * 100_000) is None
    assert nearest_zone("Europe/Berln") == BERLIN
    assert nearest_zone("q" * 100_000) is None


@pytest.mark.parametrize(
    ("said", "zone"),
    [
        ("UTC+5:30", "Asia/Kolkata"),
        ("gmt+0545", "Asia/Kathmandu"),
        ("UTC\N{MINUS SIGN}3", "Etc/GMT+3"),
        ("UTC\uff0b\uff19", "Etc/GMT-9"),
        ("\u202eMumbai\u200b", "Asia/Kolkata"),
        ("\u041c\u043e\u0441\u043a\u0432\u0430", "Europe/Moscow"),
        ("北京", "Asia/Shanghai"),
        ("München", "Europe/Berlin"),
        ("São Paulo", "America/Sao_Paulo"),
        ("Istanbul", "Asia/Istanbul"),
        ("Berlin, Germany", "Europe/Berlin"),
        ("Paris, Texas", None),
    ],
)
def test_a_zone_is_found_as_people_say_it(said: str, zone: str | None) -> None:
    assert find_zone(said) == zone


@pytest.mark.parametrize("said", ["GMT+5:17", "UTC+99", "IST", "hi", "\u202e"])
def test_a_name_that_is_like_those_of_many_places_is_taken_for_none_of_them(said: str) -> None:
    assert (find_zone(said), nearest_zone(said)) == (None, None)


@pytest.mark.parametrize(
    ("rule", "first", "some"),
    [
        ("FREQ=MONTHLY;BYMONTHDAY=31", "2026-12-31T09:00", True),
        ("FREQ=MONTHLY;BYMONTHDAY=29", "2026-12-29T09:00", True),
        ("FREQ=MONTHLY", "2026-12-30T09:00", True),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", "2028-02-29T09:00", True),
        ("FREQ=YEARLY", "2028-02-29T09:00", True),
        ("FREQ=MONTHLY;BYMONTHDAY=28", "2026-12-28T09:00", False),
        ("FREQ=MONTHLY;BYMONTHDAY=-1", "2026-12-31T09:00", False),
        ("FREQ=MONTHLY;BYMONTHDAY=15,31", "2026-12-15T09:00", False),
        ("FREQ=MONTHLY;BYDAY=-1FR", "2026-12-25T09:00", False),
        ("FREQ=YEARLY", "2026-12-31T09:00", False),
        ("FREQ=WEEKLY", "2026-12-31T09:00", False),
    ],
)
def test_a_rule_knows_whether_months_do_not_have_its_day(rule: str, first: str, some: bool) -> None:
    assert Rule.parse(rule).leaves_out(read_local(first)) is some


def test_a_day_that_its_months_never_have_is_not_looked_for_until_the_year_9999() -> None:
    calls = 0

    def count(*_: object) -> None:
        nonlocal calls
        calls += 1

    sys.setprofile(count)
    try:
        found = [times(f"FREQ=YEARLY;BYMONTH={months}", "09:00", "2026-10-31T14:00", 1) for months in ("2", "2,4")]
    finally:
        sys.setprofile(None)
    assert (found, calls < 10_000) == ([[], []], True)
    assert times("FREQ=YEARLY;BYMONTH=4,12", "09:00", "2026-10-31T14:00", 1) == ["12-31T09:00 31 08:00"]
