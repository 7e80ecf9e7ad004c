"""A time of day stays what its person said over every change of the clocks, and comes once a day."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.errors import Terminal
from tasks.reminders.recurrence import DAYS, Rule, beginning, instant_of, read_local

CHANGES = {
    "Europe/Berlin": ("2026-03-29", "2026-10-25", "2028-03-26"),
    "America/New_York": ("2026-03-08", "2026-11-01"),
    "America/Santiago": ("2026-04-05", "2026-09-06"),
    "Australia/Lord_Howe": ("2026-04-05", "2026-10-04"),
    "Africa/Casablanca": ("2026-02-15", "2026-03-22"),
    "Asia/Kathmandu": ("2026-06-01",),
    "Asia/Beirut": ("2026-03-29", "2026-10-25"),
}
"""Days on which clocks change: at night, at midnight, by half an hour, for a month, never."""


@pytest.mark.promise("reminders-recur")
@settings(max_examples=60, deadline=None)
@given(
    change=st.sampled_from([(zone, day) for zone, days in CHANGES.items() for day in days]),
    before=st.timedeltas(timedelta(hours=1), timedelta(days=3)),
    hour=st.integers(0, 23),
    minute=st.sampled_from([0, 15, 30, 45]),
    days=st.sets(st.sampled_from(DAYS)),
)
def test_a_time_of_day_holds_over_a_change_of_the_clocks(
    change: tuple[str, str], before: timedelta, hour: int, minute: int, days: set[str]
) -> None:
    zone, day = change
    info, said = ZoneInfo(zone), f"{hour}:{minute:02}"
    text = f"FREQ=WEEKLY;BYDAY={','.join(sorted(days))}" if days else "FREQ=DAILY"
    rule = Rule.parse(text)
    now = (datetime.fromisoformat(day).replace(tzinfo=UTC) - before).timestamp()
    found, seen = rule.first(beginning(rule, said, text, zone, now), zone, now), [now]
    while found is not None and len(seen) < 9:
        local, due = found
        assert due > seen[-1]
        meant, shown = read_local(local), datetime.fromtimestamp(due, info)
        assert (meant.hour, meant.minute) == (hour, minute)
        assert not days or DAYS[meant.weekday()] in days
        if shown.replace(tzinfo=None) != meant:
            # There is no such time on that day: it comes when the clocks have gone on.
            late = shown.replace(tzinfo=None) - meant
            assert timedelta() < late <= timedelta(hours=1)
            back = meant.replace(tzinfo=info).astimezone(UTC).astimezone(info)
            assert back.replace(tzinfo=None) != meant
        seen.append(due)
        found = rule.after(read_local(local), zone, due)
    assert len(seen) == 9
    if not days:
        assert all(22.9 < (later - due) / 3600 < 25.1 for due, later in pairwise(seen[1:]))


@pytest.mark.parametrize(
    ("rule", "first", "days"),
    [
        ("FREQ=MONTHLY;BYMONTHDAY=31", "2026-01-01", ["01-31", "03-31", "05-31", "07-31", "08-31", "10-31", "12-31"]),
        ("FREQ=MONTHLY;BYMONTHDAY=-1", "2028-01-01", ["01-31", "02-29", "03-31", "04-30"]),
        ("FREQ=MONTHLY;BYMONTHDAY=30", "2027-01-01", ["01-30", "03-30", "04-30"]),
    ],
)
def test_a_day_that_a_month_does_not_have_is_left_out(rule: str, first: str, days: list[str]) -> None:
    read, now, zone = Rule.parse(rule), datetime.fromisoformat(first).replace(tzinfo=UTC).timestamp(), "Europe/Berlin"
    found, seen = read.first(beginning(read, "9:00", rule, zone, now), zone, now), list[str]()
    while found is not None and len(seen) < len(days):
        seen.append(found[0][5:10])
        found = read.after(read_local(found[0]), zone, found[1])
    assert seen == days


@pytest.mark.parametrize(
    ("zone", "said", "utc"),
    [
        ("Europe/Berlin", "2026-03-29 02:30", "2026-03-29 01:30"),
        ("Europe/Berlin", "2026-10-25 02:30", "2026-10-25 00:30"),
        ("America/New_York", "2026-03-08 02:30", "2026-03-08 07:30"),
        ("America/New_York", "2026-11-01 01:30", "2026-11-01 05:30"),
        ("Australia/Lord_Howe", "2026-10-04 02:15", "2026-10-03 15:45"),
        ("Australia/Lord_Howe", "2026-04-05 01:45", "2026-04-04 14:45"),
        ("Asia/Kathmandu", "2028-02-29  09:00", "2028-02-29 03:15"),
        ("UTC", "2026-12-31T23:59", "2026-12-31 23:59"),
    ],
)
def test_a_date_and_time_is_meant_by_the_clocks_of_its_zone(zone: str, said: str, utc: str) -> None:
    found = datetime.fromtimestamp(instant_of(said, zone), UTC)
    assert f"{found:%Y-%m-%d %H:%M}" == utc


@pytest.mark.parametrize(
    "said", ["", "09:00", "2027-02-29 09:00", "2026-04-31 09:00", "2026-11-28", "2026-11-28 24:00"]
)
def test_a_date_or_time_that_there_is_not_is_refused(said: str) -> None:
    with pytest.raises(Terminal, match="YYYY-MM-DD HH:MM"):
        instant_of(said, "Pacific/Kiritimati")
