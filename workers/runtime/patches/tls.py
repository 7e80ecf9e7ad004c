"""TLS contexts made once: reading the authorities takes 25 to 50 ms in which nothing else of a worker moves.

httpx2 makes its default context for each client: for each connection to an MCP server over HTTP. A client that brings
its own context or certificate is served as before, and a file of certificates that changes on disk gives a new context.
"""

import os
import ssl
from collections.abc import Callable
from functools import wraps
from typing import Any

type Key = tuple[object, ...]

_contexts: dict[Key, ssl.SSLContext] = {}


def _stamp(path: str | None) -> Key:
    """A path and when it changed."""
    if not path:
        return ()
    try:
        return path, os.stat(path).st_mtime_ns  # noqa: PTH116 - one system call on a hot path
    except OSError:
        return path, 0


def environment() -> Key:
    """What the process trusts now."""
    return _stamp(os.environ.get("SSL_CERT_FILE")), _stamp(os.environ.get("SSL_CERT_DIR"))


def remembered(key: object, make: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
    """The context that was made for the same key and the same environment, or a new one."""
    place = (key, *environment())
    if place not in _contexts:
        _contexts[place] = make()
    return _contexts[place]


def for_httpx(original: Callable[..., ssl.SSLContext]) -> Callable[..., ssl.SSLContext]:
    """``create_ssl_context`` that remembers the default one."""

    @wraps(original)
    def create_ssl_context(
        verify: ssl.SSLContext | str | bool = True,  # noqa: FBT001, FBT002 - httpx's signature
        cert: Any = None,
        trust_env: bool = True,  # noqa: FBT001, FBT002
    ) -> ssl.SSLContext:
        if verify is True and cert is None:
            return remembered(trust_env, lambda: original(verify=True, cert=None, trust_env=trust_env))
        return original(verify=verify, cert=cert, trust_env=trust_env)

    return create_ssl_context


def count() -> int:
    """How many contexts are kept; it grows with the certificate files in use, not with calls."""
    return len(_contexts)
