"""Connections to model servers that outlive a call: fast-agent makes a client for each call and closes it after it.

A kept client saves a TCP and TLS handshake before every first token, and leaves none behind unclosed (fast-agent never
closes Anthropic's and Google's). There is one client for each kind and trust setting; leaving the runtime closes them.
"""

import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from workers.runtime import chunks, endings, tls
from workers.runtime.replacing import replace_once

_OPENAI = (
    "fast_agent.llm.provider.openai.llm_openai",
    "fast_agent.llm.provider.openai.responses",
    "fast_agent.llm.provider.openai.codex_responses",
)
_GOOGLE = "fast_agent.llm.provider.google.llm_google_native"
_ANTHROPIC = "fast_agent.llm.provider.anthropic.llm_anthropic"

# Servers keep idle connections for a minute and more; ours go first, so that none is used as it is closed.
_IDLE_S = 20.0

_kept: dict[tuple[object, ...], Any] = {}
_idle_google: dict[tuple[object, ...], list[Any]] = {}
_lent: ContextVar[list[tuple[list[Any], Any]] | None] = ContextVar("_lent", default=None)


def _shared(kind: Any) -> Any:
    """The kept client of a kind, an SDK's ``httpx2.AsyncClient`` with its defaults."""
    key = (kind, *tls.environment())
    if key not in _kept:
        import httpx2  # noqa: PLC0415 - loaded by the SDKs, if at all

        class Kept(kind):
            async def aclose(self) -> None:
                """Nothing: other calls use it."""

            async def end(self) -> None:
                await super().aclose()

        limits = httpx2.Limits(max_connections=1000, max_keepalive_connections=100, keepalive_expiry=_IDLE_S)
        _kept[key] = Kept(limits=limits)
    return _kept[key]


def _for_openai(kind: Any) -> Callable[..., Any]:
    def default_client(**kwargs: Any) -> Any:
        return kind(**kwargs) if kwargs else _shared(kind)

    return default_client


def _for_anthropic(kind: Any) -> Callable[..., Any]:
    def client(**kwargs: Any) -> Any:
        from anthropic import DefaultAsyncHttpxClient  # noqa: PLC0415 - loaded where this is called

        return kind(**{"http_client": _shared(DefaultAsyncHttpxClient), **kwargs})

    return client


class _GoogleClients:
    """``google.genai`` as fast-agent's provider sees it, with a ``Client`` that is lent for one call at a time.

    Google's client cannot be shared: calls that begin together each open a session and close each other's.
    """

    def __init__(self, module: Any) -> None:
        self._module = module

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)

    def Client(self, **kwargs: Any) -> Any:  # noqa: N802 - google's name
        key = (repr(kwargs), *tls.environment())
        idle = _idle_google.setdefault(key, [])
        client = idle.pop() if idle else self._module.Client(**kwargs)
        lent = _lent.get()
        if lent is not None:
            lent.append((idle, client))
        return client


@contextmanager
def call() -> Generator[None]:
    """Around one call of a model: what it borrows is free for the next call when it ends."""
    lent: list[tuple[list[Any], Any]] = []
    token = _lent.set(lent)
    try:
        yield
    finally:
        _lent.reset(token)
        for idle, client in lent:
            idle.append(client)


async def _end_google(client: Any) -> None:
    await client.aio.aclose()
    client.close()
    for part in (client.aio, client._api_client):  # noqa: SLF001 - google's; see the contract test
        # Left to itself its ``__del__`` starts this once more, in a task that nobody waits for.
        part.aclose = _nothing


def _nothing() -> None:
    """No coroutine: a task cannot be made of it."""


def install() -> None:
    """Have the providers that are loaded use kept clients, TLS contexts and quick chunks. Cheap to call again."""
    tls.install()
    chunks.install()
    endings.install()
    names = [(module, "DefaultAioHttpClient", _for_openai) for module in _OPENAI]
    for module, name, wrap in (*names, (_ANTHROPIC, "AsyncAnthropic", _for_anthropic)):
        if module in sys.modules:
            replace_once(sys.modules[module], name, wrap)
    google = vars(sys.modules[_GOOGLE]) if _GOOGLE in sys.modules else {}
    if google and not isinstance(google["genai"], _GoogleClients):
        google["genai"] = _GoogleClients(google["genai"])


async def close() -> None:
    """Close every kept client; in the loop that used them."""
    while _kept:
        _, client = _kept.popitem()
        await client.end()
    while _idle_google:
        _, clients = _idle_google.popitem()
        for client in clients:
            await _end_google(client)
