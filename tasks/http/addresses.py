"""Addresses that servers listen on, and links between the pages of one machine (pure)."""

import re
from collections.abc import Iterable
from ipaddress import ip_address
from urllib.parse import urlsplit

_LINK = {"sec-fetch-site": "same-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}


_LONGEST = 2048
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_PUBLIC_NAME = re.compile(rf"(?:{_LABEL}\.)+(?:[a-z]{{2,63}}|xn--[a-z0-9-]{{1,59}})")
"""A host that has a top-level domain: no number in any notation, and no name of the machine's own network."""
_PRIVATE = frozenset(
    {
        *("alt", "arpa", "corp", "example", "home", "internal", "intranet", "invalid", "lan", "local", "localdomain"),
        *("localhost", "onion", "private", "test"),
    }
)
"""Top-level domains that the public DNS does not have (RFC 2606, 6761, 6762, 7686, 9476), and common private ones."""


def is_public(address: str) -> bool:
    """Whether an address is https of a public host, as far as its syntax says: the name is not looked up."""
    if len(address) > _LONGEST or not address.isascii() or not address.isprintable() or set(address) & set(' \\<>"'):
        return False
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return False
    plain = parts.scheme == "https" and port in (None, 443) and "@" not in parts.netloc
    return plain and _PUBLIC_NAME.fullmatch(host) is not None and host.rpartition(".")[2] not in _PRIVATE


def is_loopback(address: str) -> bool:
    """Whether a server on this address is reached from this machine alone."""
    try:
        return ip_address(address.strip("[]")).is_loopback
    except ValueError:
        return address == "localhost"


def without_link(headers: Iterable[tuple[str, str]], method: str, path: str) -> list[tuple[str, str]]:
    """The headers of a link to a first page from a page of another port of this machine, as if its address was typed.

    The playground links to the console, and both to Flower. Such a page opens in a window of its own; the page that
    has the link reads nothing of it. All other requests keep what ``tasks.http.loopback.foreign`` refuses.
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
