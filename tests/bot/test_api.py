"""The client over real connections: what a cut poll leaves behind, and what its errors tell."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from traceback import format_exception

import pytest

from bot.api import Telegram, client
from bot.process.stop import Stop, Stopped
from botapi.errors import TelegramAway
from tests.bot.stand_ins import SOON
from tests.conftest import TOKEN

ANSWER = b'HTTP/1.1 200 OK\r\nContent-Length: 23\r\n\r\n{"ok":true,"result":[]}'


class Wire:
    """A server that holds each poll until its connection ends, and answers it at once when it is to hold 0 s."""

    def __init__(self) -> None:
        self.open = 0
        self.connections = 0
        self.heard: list[str] = []
        self._changed = asyncio.Condition()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        await self._is_open(1)
        try:
            while head := (await reader.readuntil(b"\r\n\r\n")).decode():
                self.heard.append(head)
                size = head.lower().partition("content-length: ")[2].partition("\r\n")[0]
                body = await reader.readexactly(int(size))
                if b"timeout=0" not in body:
                    await reader.read()
                    return
                writer.write(ANSWER)
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()
            await self._is_open(-1)

    async def _is_open(self, more: int) -> None:
        async with self._changed:
            self.open += more
            self._changed.notify_all()

    async def has_open(self, count: int) -> None:
        async with asyncio.timeout(SOON), self._changed:
            await self._changed.wait_for(lambda: self.open == count)


@pytest.fixture
async def wire() -> Wire:
    return Wire()


@pytest.fixture
async def url(wire: Wire) -> AsyncIterator[str]:
    async with await asyncio.start_server(wire.serve, "127.0.0.1", 0) as server:
        host, port = server.sockets[0].getsockname()
        yield f"http://{host}:{port}"


@pytest.fixture
async def telegram(url: str) -> AsyncIterator[Telegram]:
    async with client(TOKEN, url) as opened:
        yield opened


async def cut_poll(telegram: Telegram, rounds: int) -> None:
    """A long poll that a stop cuts after so many rounds of the event loop."""
    loop, stop = asyncio.get_running_loop(), Stop()

    def count_down(left: int) -> None:
        if left:
            loop.call_soon(count_down, left - 1)
        else:
            stop.set()

    count_down(rounds)
    with pytest.raises(Stopped):
        async with asyncio.timeout(SOON), stop.cuts():
            await telegram.updates(None)


async def test_polls_cut_anywhere_leave_no_connection_behind_and_the_next_works(telegram: Telegram, wire: Wire) -> None:
    cuts = 60
    for rounds in range(cuts):
        await cut_poll(telegram, rounds)
    assert 0 < len(wire.heard) < cuts, "some were cut while they connected, some while they waited"
    async with asyncio.timeout(SOON):
        assert await telegram.updates(None, hold=timedelta(0)) == []
    await wire.has_open(1)


async def test_polls_that_are_answered_share_a_connection(telegram: Telegram, wire: Wire) -> None:
    for _ in range(5):
        await telegram.updates(None, hold=timedelta(0))
    assert wire.connections == 1


async def test_a_client_that_ends_leaves_no_connection(url: str, wire: Wire) -> None:
    async with client(TOKEN, url) as telegram:
        await telegram.updates(None, hold=timedelta(0))
        await wire.has_open(1)
    await wire.has_open(0)


async def test_no_error_tells_the_token(wire: Wire) -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(hang_up, "127.0.0.1", 0) as server:
        host, port = server.sockets[0].getsockname()
        async with client(TOKEN, f"http://{host}:{port}") as telegram:
            with pytest.raises(TelegramAway) as while_it_hangs_up:
                await telegram.updates(None)
            server.close()
            with pytest.raises(TelegramAway) as no_server:
                await telegram.updates(None)
    for caught in (while_it_hangs_up, no_server):
        assert TOKEN not in "".join(format_exception(caught.value))


async def test_the_environments_proxy_is_used(monkeypatch: pytest.MonkeyPatch, url: str, wire: Wire) -> None:
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("http_proxy", url)
    async with client(TOKEN, "http://telegram.test") as telegram:
        assert await telegram.updates(None, hold=timedelta(0)) == []
    assert wire.heard[0].startswith(f"POST http://telegram.test/bot{TOKEN}/getUpdates ")
