"""Servers on 127.0.0.1 and the browsers beside them: which requests come from a page of another site (pure).

A browser on this machine reaches every port of it, and so does each page that it shows: as an image, a form or a
script, or as the same origin, when the page's own host name is made to resolve to 127.0.0.1 (DNS rebinding). Some
headers tell such requests, and no page can forge them. ``Host`` names another host after a rebinding. ``Origin`` and
``Referer`` name another site. ``Sec-Fetch-Site`` says ``cross-site``, or ``same-site`` for another port of this
machine. Programs send only ``Host``, so they pass.
"""

from collections.abc import Collection, Iterable
from urllib.parse import urlsplit

NAMES = ("127.0.0.1", "localhost", "[::1]")
"""By which this machine calls itself."""
_HTTP = 80
_OWN = frozenset({"same-origin", "none"})
"""What ``Sec-Fetch-Site`` says of a server's own page, and of an address that its user typed."""


def foreign(headers: Iterable[tuple[str, str]], port: int, names: Collection[str] = ()) -> str | None:
    """Why a request is not one of this machine's own, in words for its sender; None if it is.

    Args:
        headers: All of the request's headers, each as often as it stands there.
        port: The server's own port.
        names: Further hosts (``name`` or ``name:port``) by which it may be called, behind a proxy say.
    """
    found: dict[str, list[str]] = {}
    for name, value in headers:
        found.setdefault(name.lower(), []).append(value.strip().lower())
    hosts = found.get("host", [])
    if len(hosts) != 1 or hosts[0] not in _hosts(port, names):
        return f"call this server by its own address, 127.0.0.1:{port}"
    if any(site not in _OWN for site in found.get("sec-fetch-site", ())):
        return "requests of other pages are not answered"
    pages = (*found.get("origin", ()), *found.get("referer", ()))
    # A proxy may put our own address into Host; the browser still names the proxy's.
    own = {hosts[0], *(name.lower() for name in names)}
    if any(_place(page) not in own for page in pages):
        return "requests of other pages are not answered"
    return None


def _hosts(port: int, names: Collection[str]) -> set[str]:
    bare = NAMES if port == _HTTP else ()
    return {*(f"{name}:{port}" for name in NAMES), *bare, *(name.lower() for name in names)}


def _place(url: str) -> str | None:
    """Host and port of an address as ``Host`` would name them; None for what is no address of a page."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return parts.netloc if parts.scheme in {"http", "https"} else None
