"""Forms of a text as Markdown: links, code, marks around words, moments (pure)."""

import re
from datetime import UTC, datetime

PAIRS = {"bold": "**", "italic": "_", "strikethrough": "~~", "spoiler": "||"}
_ADDRESS_CHARACTERS = 2048
"""Longer addresses are not links that a browser takes; they would only fill the history."""
_LANGUAGE_CHARACTERS = 32
_BACKTICKS = re.compile("`+")
_LATEST = 2**33
"""Seconds since the epoch: the year 2242."""


def around_link(address: str | None, shown: str) -> tuple[str, str]:
    """What stands before and behind a link's words; nothing where they are its address."""
    found = "".join((address or "").split())[:_ADDRESS_CHARACTERS]
    return ("[", f"]({found})") if found and not _same(found, shown) else ("", "")


def around_code(inner: str) -> tuple[str, str]:
    """What stands before and behind code in a line."""
    fence = "`" * (_longest(inner) + 1)
    blank = " " if inner.startswith("`") or inner.endswith("`") else ""
    return fence + blank, blank + fence


def around_block(inner: str, language: str | None) -> tuple[str, str]:
    """What stands before and behind a block of code."""
    fence = "`" * max(3, _longest(inner) + 1)
    named = "".join((language or "").split())[:_LANGUAGE_CHARACTERS]
    return f"{fence}{named}\n", f"\n{fence}"


def around_moment(unix_time: int | None) -> tuple[str, str]:
    """What stands behind "tomorrow at five", which each reader sees in their own time: the moment."""
    return "", f" ({found})" if (found := moment(unix_time)) else ""


def moment(unix_time: int | None) -> str:
    """A moment in words; "" of none."""
    if unix_time is None or not 0 < unix_time < _LATEST:
        return ""
    return f"{datetime.fromtimestamp(unix_time, UTC):%Y-%m-%d %H:%M} UTC"


def _longest(text: str) -> int:
    return max((len(found) for found in _BACKTICKS.findall(text)), default=0)


def _same(address: str, shown: str) -> bool:
    """Whether a link shows its own address."""
    return address.removesuffix("/").partition("://")[2] == shown.removesuffix("/").rpartition("://")[2]
