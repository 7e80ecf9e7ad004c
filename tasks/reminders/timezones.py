"""Time zones by the names that people use for them (pure)."""

import difflib
import re
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

_NO_PLACES = frozenset({"localtime", "Factory", "posixrules"})
_OFFSET = re.compile(r"(?:utc|gmt)?\s*([+-])\s*(\d{1,2})(?::?(\d\d))?", re.ASCII)
_DASHES = str.maketrans(dict.fromkeys("\N{HYPHEN}\N{NON-BREAKING HYPHEN}\N{EN DASH}\N{EM DASH}\N{MINUS SIGN}", "-"))
_LONGEST = 64
_MOST_HOURS = {"+": 14, "-": 12}
_ALIKE = 0.8
_LEAST = 4
"""Characters of a name that may be mistyped: three letters are like those of any place."""
# Of each offset with minutes, the zone that has it all year. The names of fixed offsets are of whole hours.
_WITH_MINUTES: Mapping[str, str] = {
    "+3:30": "Asia/Tehran",
    "+4:30": "Asia/Kabul",
    "+5:30": "Asia/Kolkata",
    "+5:45": "Asia/Kathmandu",
    "+6:30": "Asia/Yangon",
    "+8:45": "Australia/Eucla",
    "+9:30": "Australia/Darwin",
    "-9:30": "Pacific/Marquesas",
}
# What people say for a place after which no zone is named, or in the languages that the bot speaks.
_ALSO: Mapping[str, str] = {
    "Asia/Kolkata": "India, Indien, Индия, 印度, Mumbai, Bombay, Delhi, New Delhi, Bangalore, Bengaluru, Chennai",
    "Asia/Shanghai": "China, Китай, 中国, Beijing, Peking, Pekín, Pequim, Пекин, 北京, 上海, 深圳, 广州, Shenzhen",
    "Asia/Hong_Kong": "香港, Hongkong",
    "Asia/Taipei": "台北, Taiwan",
    "Asia/Tokyo": "Tokio, Tóquio, Токио, 东京, Osaka, Japan, JST",
    "Asia/Singapore": "Singapur, Сингапур, 新加坡",
    "Asia/Dubai": "Abu Dhabi, Дубай",
    "Europe/Moscow": "Moskau, Moscú, Moscou, Москва, 莫斯科, MSK, Saint Petersburg, St. Petersburg, Санкт-Петербург",
    "Europe/Kaliningrad": "Калининград",
    "Europe/Samara": "Самара",
    "Asia/Yekaterinburg": "Ekaterinburg, Екатеринбург, Челябинск, Уфа, Пермь",
    "Asia/Omsk": "Омск",
    "Asia/Novosibirsk": "Новосибирск",
    "Asia/Krasnoyarsk": "Красноярск",
    "Asia/Irkutsk": "Иркутск",
    "Asia/Vladivostok": "Владивосток, Хабаровск",
    "Europe/Kyiv": "Киев, Київ, Kiew",
    "Europe/Minsk": "Минск",
    "Asia/Almaty": "Алматы, Астана, Astana",
    "Europe/Berlin": "Germany, Deutschland, Alemania, Alemanha, Берлин, 柏林, Hamburg, Munich, München, Köln",
    "Europe/Vienna": "Wien, Viena, Austria, Österreich",
    "Europe/Zurich": "Zürich, Switzerland, Schweiz, Geneva, Genf, Bern, Basel",
    "Europe/Paris": "France, Frankreich, Париж, 巴黎, Lyon, Marseille",
    "Europe/London": "UK, England, Londres, Лондон, 伦敦, Manchester, Birmingham, Edinburgh, Glasgow",
    "Europe/Madrid": "Barcelona, Valencia, Sevilla, España, Spain, Мадрид",
    "Europe/Lisbon": "Lisboa, Lissabon, Porto, Portugal",
    "Europe/Rome": "Rom, Roma, Milan, Milano, Italy, Italien",
    "America/New_York": "Nueva York, Nova York, Нью-Йорк, 纽约, Washington, Boston, Miami, Atlanta, Eastern",
    "America/Chicago": "Dallas, Houston, Austin, Texas, Central",
    "America/Denver": "Salt Lake City, Mountain",
    "America/Los_Angeles": "San Francisco, California, Seattle, San Diego, Las Vegas, Pacific, PST, PDT, 洛杉矶",
    "America/Sao_Paulo": "Rio de Janeiro, Rio, Brasília, Belo Horizonte, Curitiba, Porto Alegre, Salvador",
    "America/Mexico_City": "Ciudad de México, CDMX, Guadalajara",
}


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
    for zone, said in _ALSO.items():
        for place in said.split(", ") if zone in found.values() else ():
            found.setdefault(_plain(place), zone)
    for place, named in places.items():
        if len(named) == 1 or _same(named):
            found.setdefault(place, named[0])
    return found


def _same(zones: Sequence[str]) -> bool:
    """Whether zones have the same time, winter and summer: one of them is another name, mostly an older one."""
    days = [datetime(2026, month, 15, tzinfo=UTC) for month in (1, 4, 7, 10)]
    return len({tuple(day.astimezone(ZoneInfo(zone)).utcoffset() for day in days) for zone in zones}) == 1


def _plain(name: str) -> str:
    """A name without case, accents and invisible characters, and with plain dashes and digits."""
    bare = unicodedata.normalize("NFKD", name.translate(_DASHES).replace("_", " "))
    shown = "".join(letter for letter in bare if unicodedata.category(letter) not in ("Mn", "Cf"))
    return " ".join(shown.split()).casefold()


def find_zone(said: str) -> str | None:
    """The IANA name of ``Europe/Berlin``, ``new york`` or ``UTC+2``; None where it means no zone, or several."""
    name = _plain(said[: _LONGEST + 1])
    if (offset := _OFFSET.fullmatch(name)) is not None:
        sign, hours, minutes = offset[1], int(offset[2]), offset[3] or "00"
        if minutes != "00":
            return _WITH_MINUTES.get(f"{sign}{hours}:{minutes}")
        # POSIX turns the sign around.
        turned = "-" if sign == "+" else "+"
        return None if hours > _MOST_HOURS[sign] else f"Etc/GMT{turned}{hours}" if hours else "UTC"
    names = _names()
    # "Berlin, Germany"; but "Paris, Texas" is not in France.
    parts = {names[part] for part in map(str.strip, name.split(",")) if part in names}
    return names.get(name) or (parts.pop() if len(parts) == 1 else None)


def nearest_zone(said: str) -> str | None:
    """The zone that a mistyped name means, if one is near."""
    name = _plain(said[:_LONGEST])
    if len(name) < _LEAST or not set(name).isdisjoint("+0123456789"):
        return None
    close = difflib.get_close_matches(name, _names(), n=1, cutoff=_ALIKE)
    return _names()[close[0]] if close else None


def zone_info(name: str) -> ZoneInfo:
    """The zone of a name that ``find_zone`` gave, or UTC where this machine does not know it."""
    return ZoneInfo(name if name in available_zones() else "UTC")


@cache
def available_zones() -> frozenset[str]:
    """The names of all zones that this machine knows."""
    return frozenset(_names().values())
