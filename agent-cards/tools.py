"""Tools of the assistant card: plain functions, no processes; fast-agent shows their docstrings to the model."""  # noqa: INP001 - a folder of cards, not a package

from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"{name!r} is no IANA time zone (examples: Europe/Berlin, America/New_York, UTC)") from None


def current_time(timezone: str = "UTC") -> str:
    """The current date and time in an IANA time zone such as Europe/Berlin."""
    now = datetime.now(_zone(timezone))  # noqa: TID251 - the model asks what time it really is
    return now.strftime("%A %Y-%m-%d %H:%M:%S %Z (UTC%z)")


def convert_time(time: str, from_timezone: str, to_timezone: str) -> str:
    """Convert a time of today, written HH:MM, from one IANA time zone to another."""
    zone = _zone(from_timezone)
    hour, minute = (int(part) for part in time.split(":", 1))
    there = datetime.now(zone).replace(hour=hour, minute=minute, second=0)  # noqa: TID251 - as above
    return there.astimezone(_zone(to_timezone)).strftime("%A %Y-%m-%d %H:%M %Z")
