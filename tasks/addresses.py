"""Addresses that servers listen on, and links between the pages of one machine (pure)."""

from collections.abc import Iterable
from ipaddress import ip_address

_LINK = {"sec-fetch-site": "same-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}


def is_loopback(address: str) -> bool:
    """Whether a server on this address is reached from this machine alone."""
    try:
        return ip_address(address.strip("[]")).is_loopback
    except ValueError:
        return address == "localhost"


def without_link(headers: Iterable[tuple[str, str]], method: str, path: str) -> list[tuple[str, str]]:
    """The headers of a link to a first page from a page of another port of this machine, as if its address was typed.

    The playground links to the console, and both to Flower. Such a page opens in a window of its own; the page that
    has the link reads nothing of it. All other requests keep what ``tasks.loopback.foreign`` refuses.
    """
    given = list(headers)
    said = {name.lower(): value.strip().lower() for name, value in given}
    if (
        (method, path) != ("GET", "/")
        or "origin" in said
        or any(said.get(name) != value for name, value in _LINK.items())
    ):
        return given
    return [(name, value) for name, value in given if name.lower() not in {"sec-fetch-site", "referer"}]
