"""Connections that send nothing whole shut the console for no one."""

import asyncio
import socket
from contextlib import closing

import httpx
import pytest

from ops.web.__main__ import config_of
from ops.web.app import create_app
from ops.web.patience import PatientReader
from tasks.clock import SystemClock
from tasks.config.settings import load
from tasks.http import connections as http_connections
from tasks.http.server import SignallessServer
from tests.conftest import TOKEN
from tests.support.until import until

HALF = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n"


@pytest.mark.promise("console-stands")
async def test_hundreds_of_half_sent_heads_keep_no_request_out_and_are_closed(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_connections, "HEAD_S", 3600.0)
    settings = load({"REDIS_URL": redis_url, "TELEGRAM_BOT_TOKEN": TOKEN})
    async with PatientReader(settings, SystemClock()) as reader, asyncio.TaskGroup() as group:
        with closing(socket.create_server(("127.0.0.1", 0))) as sock:
            server = SignallessServer(config_of(create_app(settings, reader, SystemClock(), {})))
            serving = group.create_task(server.serve([sock]), name="console")
            address = f"127.0.0.1:{sock.getsockname()[1]}"
            host, _, port = address.partition(":")
            half = [await asyncio.open_connection(host, int(port)) for _ in range(300)]
            for number, (_, writer) in enumerate(half):
                # Some say nothing, some send a whole request first and then half of one.
                writer.write((HALF + b"\r\n" + HALF, HALF, b"")[number % 3])
            async with httpx.AsyncClient(base_url=f"http://{address}", timeout=60) as http:
                assert (await http.get("/healthz")).text == "ok\n"

                async def closed() -> bool:
                    return sum(reader.at_eof() or reader.exception() is not None for reader, _ in half) >= 200

                await until(closed)
                assert (await http.get("/healthz")).text == "ok\n"
            monkeypatch.setattr(http_connections, "HEAD_S", 0.01)
            late_reader, late_writer = await asyncio.open_connection(host, int(port))
            late_writer.write(HALF)
            async with asyncio.timeout(60):
                assert await late_reader.read() == b""
            for _, writer in half:
                writer.close()
            server.should_exit = True
            await serving
