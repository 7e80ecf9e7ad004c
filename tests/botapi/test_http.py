"""Requests over aiohttp: what may have reached Telegram is told from what surely did not."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from traceback import format_exception

import pytest
from telegram import InputFile
from telegram.error import NetworkError, TelegramError, TimedOut
from telegram.request import RequestData
from telegram.request._requestparameter import RequestParameter

from botapi.refusals import perhaps_done
from botapi.transport import AiohttpRequest

type Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def server(serve: Serve) -> AsyncIterator[str]:
    """A server that treats connections so; its address."""
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    async with server:
        yield f"http://{host}:{port}/bot1:token/sendMessage"


@pytest.fixture
async def request_() -> AsyncIterator[AiohttpRequest]:
    async with AiohttpRequest(connections=1) as request:
        yield request


async def refused(request: AiohttpRequest, url: str, **timeouts: float) -> TelegramError:
    with pytest.raises(NetworkError) as caught:
        await request.post(url, RequestData([]), **timeouts)
    assert "token" not in "".join(format_exception(caught.value)), "its address, in a log of what went wrong"
    return caught.value


async def test_a_server_that_is_not_there_means_that_nothing_was_sent(request_: AiohttpRequest) -> None:
    async def never(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with server(never) as url:
        pass
    error = await refused(request_, url)
    assert not perhaps_done(error)


async def test_a_connection_that_ends_without_an_answer_may_have_brought_the_request(request_: AiohttpRequest) -> None:
    async def takes_it_and_hangs_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.close()

    async with server(takes_it_and_hangs_up) as url:
        error = await refused(request_, url)
    assert perhaps_done(error)


async def test_an_answer_cut_in_the_middle_may_have_been_given(request_: AiohttpRequest) -> None:
    async def half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
        await writer.drain()
        writer.close()

    async with server(half) as url:
        assert perhaps_done(await refused(request_, url))


async def test_an_answer_that_does_not_come_in_time_may_be_on_its_way(request_: AiohttpRequest) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with server(silent) as url:
        error = await refused(request_, url, read_timeout=0.05)
    assert isinstance(error, TimedOut)
    assert perhaps_done(error)


# aiohttp says so of a body that it writes in one go, in which the loop does nothing else.
@pytest.mark.filterwarnings("error:Sending a large body:ResourceWarning")
async def test_a_file_that_the_server_does_not_take_is_given_up(request_: AiohttpRequest) -> None:
    over = asyncio.Event()

    async def stalls(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await over.wait()
        writer.close()

    file = RequestParameter.from_input("document", InputFile(bytes(30_000_000), filename="report.txt"))
    patience = dict.fromkeys(("read_timeout", "write_timeout", "pool_timeout"), 0.05) | {"connect_timeout": 1.0}
    async with server(stalls) as url:
        try:
            with pytest.raises(TimedOut) as caught:
                async with asyncio.timeout(60):
                    await request_.post(url, RequestData([file]), **patience)
        finally:
            over.set()
    assert perhaps_done(caught.value)


async def test_a_pool_without_room_in_time_means_that_nothing_was_sent(request_: AiohttpRequest) -> None:
    taken, over = asyncio.Event(), asyncio.Event()

    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        taken.set()
        await over.wait()
        writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 25\r\n\r\n{"ok":true,"result":true}')
        await writer.drain()
        writer.close()

    async with server(slow) as url, asyncio.TaskGroup() as group:
        first = group.create_task(request_.post(url, RequestData([])))
        await taken.wait()
        try:
            error = await refused(request_, url, pool_timeout=0.05)
        finally:
            over.set()
    assert await first is True
    assert isinstance(error, TimedOut)
    assert not perhaps_done(error)


async def test_a_redirect_is_not_followed_because_the_address_holds_the_token(request_: AiohttpRequest) -> None:
    asked: list[bytes] = []

    async def elsewhere(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            asked.append(line)
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 302 Found\r\nLocation: /login\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    async with server(elsewhere) as url:
        await refused(request_, url)
        await request_.shutdown()
    assert len(asked) == 1
