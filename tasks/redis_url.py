"""What may stand in REDIS_URL, as redis-py and Celery's transport are told it (pure)."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import parse_qs, quote, unquote, urlsplit

from tasks.text import is_digits

_SENTINEL_PORT = 26379
_FORMS = "redis://host:port/0, rediss:// for TLS, or sentinel://host:port,host:port/MASTER/0"

_TLS = frozenset({"ssl_cert_reqs", "ssl_ca_certs", "ssl_certfile", "ssl_keyfile", "ssl_check_hostname"})
"""What both libraries take, and in the same way."""
_CERT_REQS = frozenset({"required", "optional", "none"})
_DATABASE = "put the database number in the path: redis://host:6379/3"


@dataclass(frozen=True, slots=True)
class Sentinels:
    """Which Redis is the master, as Sentinel says it: ``sentinel://[user:password@]host:port,host:port/MASTER[/DB]``."""

    hosts: tuple[tuple[str, int], ...]
    """Host and port of each Sentinel."""
    master: str
    """The name under which they watch it."""
    db: int
    username: str | None
    """Of the master, as ``password`` is."""
    password: str | None
    sentinel_password: str | None
    """What the Sentinels themselves ask for (``?sentinel_password=``)."""

    def broker_url(self) -> str:
        """The form that kombu reads: one URL a Sentinel, joined by semicolons."""
        who = ""
        if self.password is not None:
            who = f"{quote(self.username or '', safe='')}:{quote(self.password, safe='')}@"
        return ";".join(f"sentinel://{who}{_bracketed(host)}:{port}/{self.db}" for host, port in self.hosts)


def sentinels(url: str) -> Sentinels | None:
    """What a ``sentinel://`` URL says; None for every other URL.

    Raises:
        ValueError: it is not of the form.
    """
    if not url.startswith("sentinel://"):
        return None
    parts = urlsplit(url)
    who, _, where = parts.netloc.rpartition("@")
    username, _, password = who.partition(":")
    path = [unquote(part) for part in parts.path.split("/") if part]
    asked = parse_qs(parts.query)
    if not path or len(path) > 2 or (len(path) == 2 and not is_digits(path[1])):  # noqa: PLR2004 - name and number
        raise ValueError("names no master (expected sentinel://host:port,host:port/MASTER/0)")
    if set(asked) - {"sentinel_password"} or parts.fragment:
        raise ValueError("says more than sentinel_password behind its ?; TLS with Sentinel is not supported")
    return Sentinels(
        hosts=tuple(_host(one) for one in where.split(",")),
        master=path[0],
        db=int(path[1]) if len(path) > 1 else 0,
        username=unquote(username) or None,
        password=unquote(password) if password else None,
        sentinel_password=asked["sentinel_password"][-1] if asked else None,
    )


def check(url: str) -> None:
    """Whether redis-py and Celery's transport both understand it, and in the same way.

    Raises:
        ValueError: they do not; the message says what is expected.
    """
    if sentinels(url) is not None:
        return
    parts = urlsplit(url)
    if parts.scheme not in ("redis", "rediss"):
        raise ValueError(f"is not a Redis URL (expected {_FORMS})")
    asked = parse_qs(parts.query, keep_blank_values=True)
    if any(not name.startswith("ssl_") for name in asked):
        raise ValueError(f"only ssl_* query parameters are supported; {_DATABASE}")
    if wrong := sorted(set(asked) - _TLS):
        near = difflib.get_close_matches(wrong[0], sorted(_TLS), n=1)
        raise ValueError(
            f"{wrong[0]} is no parameter of a Redis URL; "
            + (f"did you mean {near[0]}?" if near else f"use {_listed(_TLS)}")
        )
    if asked and parts.scheme != "rediss":
        raise ValueError(f"has {min(asked)}, but ssl_* parameters need rediss://")
    if set(asked.get("ssl_cert_reqs", ())) - _CERT_REQS:
        raise ValueError(f"has a wrong ssl_cert_reqs (expected {_listed(_CERT_REQS)})")
    if (path := parts.path.strip("/")) and not (path.isascii() and path.isdigit()):
        raise ValueError(f"{parts.path!r} is not a database number; {_DATABASE}")


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))


def _host(text: str) -> tuple[str, int]:
    parts = urlsplit(f"//{text.strip()}")
    try:
        port = parts.port
    except ValueError:
        raise ValueError(f"has no host and port in {text!r}") from None
    if not parts.hostname:
        raise ValueError("names no Sentinel (expected sentinel://host:port,host:port/MASTER/0)")
    return parts.hostname, port or _SENTINEL_PORT


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
