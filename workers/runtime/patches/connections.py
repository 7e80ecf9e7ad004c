"""Connections to model servers that outlive a call: fast-agent makes a client for each call and closes it after it.

A kept client saves a TCP and TLS handshake before every first token, and leaves none behind unclosed (fast-agent never
closes Anthropic's and Google's). There is one client for each kind and trust setting; leaving the runtime closes them.
No cookie goes from one call to the next: a server that tells callers by theirs would take two chats for one.
"""

import os
import ssl
from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from copy import deepcopy
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

import certifi

from workers.runtime.patches import tls

# Servers keep idle connections for a minute and more; ours go first, so that none is used as it is closed.
_IDLE_S = 20.0

# What OpenAI's client reads when it is made.
_ENVIRONMENT = (
    "OPENAI_ADMIN_KEY",
    "OPENAI_API_KEY",
    "OPENAI_BASE_URL",
    "OPENAI_CUSTOM_HEADERS",
    "OPENAI_ORG_ID",
    "OPENAI_PROJECT_ID",
    "OPENAI_WEBHOOK_SECRET",
)
_REFUSED = 400
"""HTTP statuses from here on are refusals; clients read the body of one however long it is."""
_REDIRECTS = 3
# Keys may change while a process runs, and no event says when the old one is done with.
_SDK_CLIENTS = 64

_kept: dict[tuple[object, ...], Any] = {}
_idle_google: dict[tuple[object, ...], list[Any]] = {}
_lent: ContextVar[list[tuple[list[Any], Any]] | None] = ContextVar("_lent", default=None)


def _shared(kind: Any) -> Any:
    """The kept client of a kind, an SDK's ``httpx2.AsyncClient`` with its defaults."""
    key = (kind, *tls.environment())
    if key not in _kept:
        import httpx2  # noqa: PLC0415 - loaded by the SDKs, if at all

        from workers.runtime.streams import bodies  # noqa: PLC0415 - loaded with the SDKs only

        class Kept(kind):
            def __init__(self, **kwargs: Any) -> None:
                super().__init__(**kwargs)
                for transport in (self._transport, *self._mounts.values()):
                    # Anthropic's are httpx2's own, and have no session of aiohttp's.
                    if hasattr(transport, "get_client"):
                        transport.get_client = _forgetful(transport.get_client)
                self.users: dict[tuple[object, ...], Any] = {}

            async def send(self, request: Any, *, stream: bool = False, **kwargs: Any) -> Any:
                """A large body goes out in slices, and one that comes whole is bounded: a refusal's does."""
                given = {**kwargs, "follow_redirects": False}
                with bodies.sliced(request):
                    response = await super().send(request, stream=True, **given)
                    for _ in range(_REDIRECTS):
                        if (moved := _moved(response)) is None:
                            break
                        await response.aclose()
                        response = await super().send(moved, stream=True, **given)
                refused = response.status_code >= _REFUSED
                streams = stream and not refused and not bodies.comes_whole(response)
                return response if streams else await bodies.whole(response)

            async def aclose(self) -> None:
                """Nothing: other calls use it."""

            async def end(self) -> None:
                await super().aclose()

        limits = httpx2.Limits(max_connections=1000, max_keepalive_connections=100, keepalive_expiry=_IDLE_S)
        _kept[key] = Kept(limits=limits, cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())))
    return _kept[key]


def _moved(response: Any) -> Any | None:
    """The request that a redirect leads to, where it is the same one at the same server.

    A client takes ``Authorization`` off what it sends to another one, and leaves ``x-api-key`` and the conversation.
    """
    to, sent = response.next_request, response.request
    if to is None or to.method != sent.method:
        return None
    ours, theirs = sent.url, to.url
    secured = (ours.scheme, ours.port, theirs.scheme, theirs.port) == ("http", None, "https", None)
    same = (ours.scheme, ours.port) == (theirs.scheme, theirs.port)
    return to if ours.host == theirs.host and (same or secured) else None


def _forgetful(original: Callable[[], Any]) -> Callable[[], Any]:
    """``get_client`` of a transport over aiohttp, whose sessions have a cookie jar too."""

    def get_client() -> Any:
        from aiohttp import DummyCookieJar  # noqa: PLC0415 - loaded where this is called

        session = original()
        session._cookie_jar = DummyCookieJar()  # noqa: SLF001 - aiohttp takes it when a session is made only
        return session

    return get_client


def openai_http(kind: Any) -> Callable[..., Any]:
    def default_client(**kwargs: Any) -> Any:
        return kind(**kwargs) if kwargs else _shared(kind)

    return default_client


def _shown_whole(value: Any) -> bool:
    """Whether it is all in its ``repr``; that of many a thing with a secret in it hides that."""
    if type(value) is dict:
        settings: dict[Any, Any] = value
        return all(type(part) is str for item in settings.items() for part in item)
    return value is None or type(value) is str


def openai_user(kind: Any) -> Callable[..., Any]:
    """``AsyncOpenAI``, the same again for the same settings: making one and its first look at the platform cost more
    than its request. It knows nothing of a call, and goes with the connections it uses.
    """

    def client(**kwargs: Any) -> Any:
        users: dict[tuple[object, ...], Any] | None = getattr(kwargs.get("http_client"), "users", None)
        settings = {name: value for name, value in kwargs.items() if name != "http_client"}
        if users is None or not all(map(_shown_whole, settings.values())):
            return kind(**kwargs)
        key = (repr(sorted(settings.items())), *map(os.environ.get, _ENVIRONMENT))
        found = users.get(key)
        if found is None:
            if len(users) >= _SDK_CLIENTS:
                users.pop(next(iter(users)))
            found = users[key] = kind(**deepcopy(settings), http_client=kwargs["http_client"])
        return found

    return client


def anthropic_user(kind: Any) -> Callable[..., Any]:
    def client(**kwargs: Any) -> Any:
        from anthropic import DefaultAsyncHttpxClient  # noqa: PLC0415 - loaded where this is called

        return kind(**{"http_client": _shared(DefaultAsyncHttpxClient), **kwargs})

    return client


class Google:
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
        client = idle.pop() if idle else self._module.Client(**self._with_context(kwargs))
        lent = _lent.get()
        if lent is not None:
            lent.append((idle, client))
        return client

    def _with_context(self, kwargs: dict[str, Any]) -> dict[str, Any]:
        """The same with a TLS context that is made once, where each client would read the authorities twice.

        Vertex may have a certificate of the machine's own.
        """
        if kwargs.get("vertexai"):
            return kwargs
        context = tls.remembered("google", _google_context)
        given = self._module.types.HttpOptions.model_validate(kwargs.get("http_options") or {})
        # A redirect would take the key along.
        each_call = {"verify": context, "ssl": context, "allow_redirects": False}
        ours = {"client_args": {"verify": context}, "async_client_args": each_call}
        return {**kwargs, "http_options": given.model_copy(update=ours)}


def _google_context() -> ssl.SSLContext:
    """As google-genai makes it."""
    where = os.environ.get("SSL_CERT_FILE", certifi.where())
    return ssl.create_default_context(cafile=where, capath=os.environ.get("SSL_CERT_DIR"))


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
            for session in client._api_client._aiohttp_sessions.values():  # noqa: SLF001 - google's; see its cookie test
                session.cookie_jar.clear()
            idle.append(client)


async def _end_google(client: Any) -> None:
    await client.aio.aclose()
    client.close()
    for part in (client.aio, client._api_client):  # noqa: SLF001 - google's; see the contract test
        # Left to itself its ``__del__`` starts this once more, in a task that is never awaited.
        part.aclose = _nothing


def _nothing() -> None:
    """No coroutine: a task cannot be made of it."""


async def close() -> None:
    """Close every kept client; in the loop that used them."""
    while _kept:
        _, client = _kept.popitem()
        await client.end()
    while _idle_google:
        _, clients = _idle_google.popitem()
        for client in clients:
            await _end_google(client)
