"""Which proxy a Bot API server is reached through, as the environment says."""

import ipaddress
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from tasks.errors import Misconfigured


def proxy_for(root: str) -> str | None:
    """The proxy's URL from the environment: ``https_proxy`` or ``http_proxy``, else ``all_proxy``, less ``no_proxy``.

    Asked once for a client: aiohttp's own way (``trust_env``) costs two threads for each request.

    Args:
        root: Root of the Bot API server. One on this machine is reached without: a proxy would only be in the way.

    Raises:
        Misconfigured: it is a kind of proxy that we cannot use.
    """
    asked = urlsplit(root)
    host = asked.hostname or ""
    if is_local(root) or proxy_bypass(host):
        return None
    named = getproxies()
    found = named.get(asked.scheme) or named.get("all")
    if not found:
        return None
    url = found if "://" in found else f"http://{found}"
    if urlsplit(url).scheme not in ("http", "https"):
        raise Misconfigured(f"{asked.scheme}_proxy or all_proxy: only http and https proxies can be used")
    return url


def is_local(url: str) -> bool:
    """Whether this machine is meant."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
