"""TLS contexts made once: each provider client makes its own for every call, 25-75 ms of blocking CPU each time.

What is cached is what the clients make by default: system or certifi roots, ``SSL_CERT_FILE`` and ``SSL_CERT_DIR``
heeded. A client that brings its own context, a client certificate or ``verify=False`` is served as before. A file of
certificates that changes on disk gives a new context.
"""

import os
import ssl
import sys
from collections.abc import Callable
from functools import partial, wraps
from types import SimpleNamespace
from typing import Any

from workers.runtime.patches.patch import replace_once

_GOOGLE = "google.genai._api_client"

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


def _remembered(key: Key, make: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
    key = (*key, *environment())
    found = _contexts.get(key)
    if found is None:
        found = _contexts[key] = make()
    return found


def _for_httpx(original: Callable[..., ssl.SSLContext], name: str) -> Callable[..., ssl.SSLContext]:
    """``httpx.create_ssl_context`` that remembers the default one."""

    @wraps(original)
    def create_ssl_context(
        verify: ssl.SSLContext | str | bool = True,  # noqa: FBT001, FBT002 - httpx's signature
        cert: Any = None,
        trust_env: bool = True,  # noqa: FBT001, FBT002
    ) -> ssl.SSLContext:
        if verify is True and cert is None:
            return _remembered((name, trust_env), lambda: original(verify=True, cert=None, trust_env=trust_env))
        return original(verify=verify, cert=cert, trust_env=trust_env)

    return create_ssl_context


def _for_google(module: Any) -> Any:
    """The ``ssl`` module as google-genai sees it, with ``create_default_context`` remembered."""
    plain: Callable[..., ssl.SSLContext] = module.create_default_context

    def create_default_context(*args: Any, **kwargs: Any) -> ssl.SSLContext:
        if args or kwargs.keys() - {"cafile", "capath"}:
            return plain(*args, **kwargs)
        key = ("google", _stamp(kwargs.get("cafile")), _stamp(kwargs.get("capath")))
        return _remembered(key, lambda: plain(**kwargs))

    return SimpleNamespace(**{**vars(module), "create_default_context": create_default_context})


def install() -> None:
    """Have httpx, httpx2 (OpenAI-like, Anthropic) and google-genai share contexts, as far as they are loaded.

    Cheap to call again: providers load their libraries when their first model is made.
    """
    for name in ("httpx", "httpx._transports.default", "httpx2", "httpx2._transports.default"):
        if name in sys.modules:
            library = name.partition(".")[0]
            replace_once(sys.modules[name], "create_ssl_context", partial(_for_httpx, name=library))
    google = vars(sys.modules[_GOOGLE]) if _GOOGLE in sys.modules else {}
    if google and not isinstance(google["ssl"], SimpleNamespace):
        google["ssl"] = _for_google(ssl)


def remembered() -> int:
    """How many contexts are kept; it grows with the certificate files in use, not with calls."""
    return len(_contexts)
