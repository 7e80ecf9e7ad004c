"""The proxy that the environment names: found as other programs find it, and used with its password."""

import asyncio
import contextlib
from base64 import b64encode
from traceback import format_exception

import pytest
from telegram.error import NetworkError
from telegram.request import RequestData

from botapi.proxy import is_local, proxy_for
from botapi.refusals import perhaps_done
from botapi.transport import AiohttpRequest
from tasks.errors import Misconfigured

TELEGRAM = "https://api.telegram.org"
ANSWER = b'HTTP/1.1 200 OK\r\nContent-Length: 25\r\n\r\n{"ok":true,"result":true}'
BASIC = b"Proxy-Authorization: Basic " + b64encode(b"someone:secret")


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever this machine has."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.parametrize(
    ("environment", "root", "proxy"),
    [
        ({}, TELEGRAM, None),
        ({"HTTPS_PROXY": "http://proxy:3128"}, TELEGRAM, "http://proxy:3128"),
        ({"https_proxy": "proxy:3128"}, TELEGRAM, "http://proxy:3128"),
        ({"http_proxy": "http://proxy:3128"}, TELEGRAM, None),
        ({"http_proxy": "http://proxy:3128"}, "http://10.0.0.7:8081", "http://proxy:3128"),
        ({"ALL_PROXY": "https://proxy"}, TELEGRAM, "https://proxy"),
        ({"all_proxy": "http://one", "https_proxy": "http://other"}, TELEGRAM, "http://other"),
        ({"https_proxy": "http://proxy", "no_proxy": "telegram.org"}, TELEGRAM, None),
        ({"https_proxy": "http://proxy", "NO_PROXY": "*"}, TELEGRAM, None),
        ({"http_proxy": "http://proxy"}, "http://127.0.0.1:8081", None),
    ],
)
def test_the_environment_names_the_proxy(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], root: str, proxy: str | None
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert proxy_for(root) == proxy


def test_a_kind_of_proxy_that_cannot_be_used_is_one_clear_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("all_proxy", "socks5://someone:secret@proxy:1080")
    with pytest.raises(Misconfigured, match="only http and https proxies") as caught:
        proxy_for(TELEGRAM)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("http://127.0.0.1:8081", True),
        ("http://[::1]:8081", True),
        ("http://localhost", True),
        ("https://api.telegram.org", False),
        ("http://10.0.0.7:8081", False),
    ],
)
def test_a_server_on_this_machine_is_reached_without_a_proxy(url: str, local: bool) -> None:
    assert is_local(url) is local


async def through_a_proxy(url: str) -> list[bytes]:
    """What a proxy that wants a password hears when ``url`` is asked for."""
    heard: list[bytes] = []

    async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(ANSWER if heard[-1].startswith(b"POST") else b"HTTP/1.1 403 Forbidden\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(proxy, "127.0.0.1", 0) as server:
        host, port = server.sockets[0].getsockname()
        async with AiohttpRequest(connections=1, proxy=f"http://someone:secret@{host}:{port}") as request:
            with contextlib.suppress(NetworkError):
                await request.post(url, RequestData([]))
    return heard


async def test_a_server_without_tls_is_asked_through_the_proxy_with_its_password() -> None:
    (heard,) = await through_a_proxy("http://telegram.test/bot1:token/getMe")
    assert heard.startswith(b"POST http://telegram.test/bot1:token/getMe HTTP/1.1\r\n")
    assert BASIC in heard


async def test_a_server_with_tls_is_reached_by_a_tunnel_and_the_proxy_never_sees_the_token() -> None:
    (heard,) = await through_a_proxy("https://telegram.test/bot1:token/getMe")
    assert heard.startswith(b"CONNECT telegram.test:443 HTTP/1.1\r\n")
    assert BASIC in heard
    assert b"token" not in heard


async def test_a_proxy_that_makes_no_tunnel_means_that_nothing_was_sent() -> None:
    async def refuses(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(refuses, "127.0.0.1", 0) as server:
        host, port = server.sockets[0].getsockname()
        async with AiohttpRequest(connections=1, proxy=f"http://someone:secret@{host}:{port}") as request:
            with pytest.raises(NetworkError) as caught:
                await request.post("https://telegram.test/bot1:token/sendMessage", RequestData([]))
    assert not perhaps_done(caught.value)
    assert "secret" not in "".join(format_exception(caught.value))
