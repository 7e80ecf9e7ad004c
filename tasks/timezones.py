"""Time zones by the names that people use for them (pure)."""

import difflib
import re
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

_NO_PLACES = frozenset({"localtime", "Factory", "posixrules"})
_OFFSET = re.compile(r"(?:utc|gmt)?\s*([+-])\s*(\d{1,2})(?::?00)?")
_LONGEST = 64
_MOST_HOURS = {"+": 14, "-": 12}
_ALIKE = 0.75


@cache
def _names() -> dict[str, str]:
    """Each zone by its name, and by its place where that is one zone's alone, in lower case."""
    zones = sorted(available_timezones() - _NO_PLACES)
    found: dict[str, str] = {}
    places: dict[str, list[str]] = {}
    for zone in zones:
        found[_plain(zone)] = zone
        # "US/Eastern" and "Etc/GMT+1" are names of other kinds.
        if "/" in zone and not zone.startswith(("Etc/", "SystemV/")):
            places.setdefault(_plain(zone.rsplit("/", 1)[-1]), []).append(zone)
    for place, named in places.items():
        if len(named) == 1:
            found.setdefault(place, named[0])
    return found


def _plain(name: str) -> str:
    return " ".join(name.replace("_", " ").split()).casefold()


def find_zone(said: str) -> str | None:
    """The IANA name of ``Europe/Berlin``, ``new york`` or ``UTC+2``; None where it means no zone, or several."""
    name = _plain(said[: _LONGEST + 1])
    if (offset := _OFFSET.fullmatch(name)) is not None:
        sign, hours = offset[1], int(offset[2])
        # POSIX turns the sign around.
        turned = "-" if sign == "+" else "+"
        return None if hours > _MOST_HOURS[sign] else f"Etc/GMT{turned}{hours}" if hours else "UTC"
    return _names().get(name)


def nearest_zone(said: str) -> str | None:
    """The zone that a mistyped name means, if one is near."""
    close = difflib.get_close_matches(_plain(said[:_LONGEST]), _names(), n=1, cutoff=_ALIKE)
    return _names()[close[0]] if close else None


def zone_info(name: str) -> ZoneInfo:
    """The zone of a name that ``find_zone`` gave, or UTC where this machine does not know it."""
    return ZoneInfo(name if name in available_zones() else "UTC")


@cache
def available_zones() -> frozenset[str]:
    """The names of all zones that this machine knows."""
    return frozenset(_names().values())
