"""What may stand in REDIS_URL, as redis-py and Celery's transport are told it (pure)."""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

from tasks.text import is_digits

_SENTINEL_PORT = 26379
_FORMS = "redis://host:port/0, rediss:// for TLS, sentinel://host:port,host:port/MASTER/0, or rediss+sentinel://"
_SENTINEL, _SENTINEL_TLS = "sentinel", "rediss+sentinel"

_TLS = frozenset({"ssl_cert_reqs", "ssl_ca_certs", "ssl_certfile", "ssl_keyfile", "ssl_check_hostname"})
"""What both libraries take, and in the same way."""
_CERT_REQS = frozenset({"required", "optional", "none"})
_FALSE = ("0", "f", "false", "n", "no")
"""As redis-py reads them in a URL."""
_DATABASE = "put the database number in the path: redis://host:6379/3"


@dataclass(frozen=True, slots=True)
class Sentinels:
    """Which Redis is the master, as Sentinel says it: ``sentinel://[user:password@]host:port,host:port/MASTER[/DB]``.

    With ``rediss+sentinel://`` the Sentinels and the master are both reached with TLS, and checked in the same way.
    """

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
    tls: Mapping[str, Any] | None = field(default=None)
    """The ``ssl_*`` options, as redis-py takes them; None: no TLS."""

    @property
    def connection_options(self) -> dict[str, Any]:
        """What a client of redis-py is given, to the Sentinels and to the master."""
        return {} if self.tls is None else {"ssl": True, **self.tls}

    def broker_url(self) -> str:
        """The form that kombu reads: one URL a Sentinel, joined by semicolons."""
        who = ""
        if self.password is not None:
            who = f"{quote(self.username or '', safe='')}:{quote(self.password, safe='')}@"
        return ";".join(f"sentinel://{who}{_bracketed(host)}:{port}/{self.db}" for host, port in self.hosts)


def sentinels(url: str) -> Sentinels | None:
    """What a ``sentinel://`` or ``rediss+sentinel://`` URL says; None for every other URL.

    Raises:
        ValueError: it is not of the form.
    """
    parts = urlsplit(url)
    if parts.scheme not in (_SENTINEL, _SENTINEL_TLS):
        return None
    who, _, where = parts.netloc.rpartition("@")
    username, _, password = who.partition(":")
    path = [unquote(part) for part in parts.path.split("/") if part]
    asked = parse_qs(parts.query, keep_blank_values=True)
    passwords = asked.pop("sentinel_password", [""])
    if not path or len(path) > 2 or (len(path) == 2 and not is_digits(path[1])):  # noqa: PLR2004 - name and number
        raise ValueError("names no master (expected sentinel://host:port,host:port/MASTER/0)")
    if parts.fragment or any(not name.startswith("ssl_") for name in asked):
        raise ValueError("says more than sentinel_password and ssl_* behind its ?")
    _check_tls(asked, parts.scheme, _SENTINEL_TLS)
    return Sentinels(
        hosts=tuple(_host(one) for one in where.split(",")),
        master=path[0],
        db=int(path[1]) if len(path) > 1 else 0,
        username=unquote(username) or None,
        password=unquote(password) if password else None,
        sentinel_password=passwords[-1] or None,
        tls=_tls_options(asked) if parts.scheme == _SENTINEL_TLS else None,
    )


def tls_of(url: str) -> dict[str, Any] | None:
    """The ``ssl_*`` options of a ``rediss://`` URL, as redis-py takes them; None for every other URL."""
    parts = urlsplit(url)
    return _tls_options(parse_qs(parts.query)) if parts.scheme == "rediss" else None


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
    _check_tls(asked, parts.scheme, "rediss")
    if (path := parts.path.strip("/")) and not is_digits(path):
        raise ValueError(f"{parts.path!r} is not a database number; {_DATABASE}")


def _check_tls(asked: Mapping[str, Sequence[str]], scheme: str, needed: str) -> None:
    if wrong := sorted(set(asked) - _TLS):
        near = difflib.get_close_matches(wrong[0], sorted(_TLS), n=1)
        raise ValueError(
            f"{wrong[0]} is no parameter of a Redis URL; "
            + (f"did you mean {near[0]}?" if near else f"use {_listed(_TLS)}")
        )
    if asked and scheme != needed:
        raise ValueError(f"has {min(asked)}, but ssl_* parameters need {needed}://")
    if set(asked.get("ssl_cert_reqs", ())) - _CERT_REQS:
        raise ValueError(f"has a wrong ssl_cert_reqs (expected {_listed(_CERT_REQS)})")


def _tls_options(asked: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    # Never empty: kombu takes an empty one for no TLS.
    given: dict[str, Any] = {"ssl_cert_reqs": "required"} | {name: said[-1] for name, said in asked.items()}
    if "ssl_check_hostname" in given:
        given["ssl_check_hostname"] = given["ssl_check_hostname"].lower() not in _FALSE
    return given


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
