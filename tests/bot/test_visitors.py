"""Many connections that send nothing, little or rubbish: the real bot process, with as few descriptors as usual."""

import asyncio
import resource
import socket
from collections.abc import AsyncGenerator, Iterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

import httpx
import pytest

from bot.process.stop import Stop
from bot.receiving import webhook_connections
from bot.receiving.webhook import SECRET_HEADER, WebhookEndpoint, serve
from bot.receiving.webhook_connections import CONNECTIONS
from playground.client import PlaygroundClient
from playground.state.world import State
from tasks.clock import SystemClock
from tests.bot.conftest import BotUnderTest
from tests.bot.test_process import bot, told
from tests.bot.updates import said
from tests.conftest import TOKEN
from tests.support.ports import free_port

SECRET = "a-secret-of-decent-length"
GIVEN = {SECRET_HEADER: SECRET}
USUAL_DESCRIPTORS = 1024
HEAD = b"POST /hook HTTP/1.1\r\nHost: a.example\r\n"
KNOWN = HEAD + f"{SECRET_HEADER}: {SECRET}\r\nContent-Length: 100\r\n\r\n".encode()


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def few_descriptors() -> Iterator[None]:
    """What most systems give a process; our children have it, and we take more for ourselves once they started."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (USUAL_DESCRIPTORS, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.fixture
def settings_of_it(redis_url: str, api_url: str, port: int) -> dict[str, str]:
    return {
        "REDIS_URL": redis_url,
        "TELEGRAM_BOT_TOKEN": TOKEN,
        "TELEGRAM_BASE_URL": api_url,
        "COHORT_ACCESS": "open",
        "COHORT_WEBHOOK_URL": f"http://127.0.0.1:{port}/hook",
        "COHORT_WEBHOOK_SECRET": SECRET,
        "COHORT_WEBHOOK_PORT": str(port),
    }


@pytest.mark.promise("webhook-crowd")
@pytest.mark.usefixtures("few_descriptors")
async def test_1100_connections_that_stand_still_keep_no_update_out_and_do_not_fill_the_log(
    tmp_path: Path, settings_of_it: dict[str, str], playground: State, people: PlaygroundClient, port: int
) -> None:
    async with bot(tmp_path, **settings_of_it) as process:
        await told(process, "bot.ready")
        async with asyncio.timeout(60):
            while not playground.bot.webhook.url:
                await playground.bot.webhook_changed.wait(60)
        resource.setrlimit(resource.RLIMIT_NOFILE, (4096, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
        with ExitStack() as open_ones:
            for number in range(1100):
                one = open_ones.enter_context(socket.create_connection(("127.0.0.1", port)))
                one.sendall((b"", HEAD, b"\x00\xffrubbish\r\n\r\n")[number % 3])
            url = settings_of_it["COHORT_WEBHOOK_URL"]
            async with httpx.AsyncClient(trust_env=False, verify=False, timeout=60) as client:
                answer = await client.post(url, json=said("hello"), headers=GIVEN)
            assert answer.status_code == 200
            chat = (await people.chat())["id"]
            await people.say(chat, "/help")
            await people.wait_for(chat, 1)
        process.terminate()
        assert process.stderr is not None
        log = await process.stderr.read()
    assert log.count(b"webhook.crowded") == 1
    assert b"Traceback" not in log
    assert len(log) < 20_000


@asynccontextmanager
async def few_places(bot: BotUnderTest, most: int) -> AsyncGenerator[int]:
    """A webhook with so many places; its port."""
    stop = Stop()
    with socket.create_server(("127.0.0.1", 0)) as sock:
        async with asyncio.timeout(60), asyncio.TaskGroup() as group:
            group.create_task(serve(WebhookEndpoint(bot.intake.take, SECRET), sock, stop, SystemClock(), most))
            yield sock.getsockname()[1]
            stop.set()


async def closed(port: int, sent: bytes) -> bytes:
    """What is answered to these bytes until the connection ends."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(sent)
    try:
        return await reader.read()
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


@pytest.mark.promise("webhook-crowd")
@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(HEAD, id="half a head"),
        pytest.param(KNOWN + b"{", id="half a body"),
        pytest.param(KNOWN.replace(b"Content-Length: 100", b"Transfer-Encoding: chunked"), id="no chunk"),
        pytest.param(HEAD + b"Content-Length: 5\r\n\r\n12", id="half a body without the secret"),
        pytest.param(KNOWN.replace(b"100", b"2") + b"{}" + HEAD, id="half a second head"),
        pytest.param(b"GET /other HTTP/1.1\r\nHost: a\r\n\r\n", id="another method"),
        pytest.param(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n", id="health"),
    ],
)
async def test_a_connection_that_stands_still_is_ended(
    bot: BotUnderTest, monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    for name in (
        "tasks.http.connections.HEAD_S",
        "bot.receiving.webhook_connections.LINGER_S",
        "bot.receiving.webhook.BODY_S",
        "bot.receiving.webhook._KEEP_ALIVE_S",
    ):
        monkeypatch.setattr(name, 0.2)
    async with few_places(bot, 4) as port:
        await closed(port, sent)


@pytest.mark.promise("webhook-crowd")
async def test_a_head_without_end_ends_its_connection_before_its_deadline(
    bot: BotUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tasks.http.connections.HEAD_S", 3600.0)
    async with few_places(bot, 4) as port:
        await closed(port, HEAD + b"A: " + b"x" * 200_000)


async def test_one_connection_more_ends_the_oldest_stranger_and_never_a_known_one(bot: BotUnderTest) -> None:
    async with few_places(bot, 3) as port:
        known, writing = await asyncio.open_connection("127.0.0.1", port)
        writing.write(KNOWN)
        async with httpx.AsyncClient(trust_env=False, verify=False, timeout=60) as client:
            # A request behind it: what came before has been read.
            assert (await client.get(f"http://127.0.0.1:{port}/healthz")).status_code == 200
            strangers = [await asyncio.open_connection("127.0.0.1", port) for _ in range(20)]
            for reader, _ in strangers[:17]:
                assert await reader.read() == b""
            assert not any(reader.at_eof() for reader, _ in strangers[17:])
        writing.write(b" " * 98 + b"{}")
        assert b" 200 " in await known.readline()
        for _, writer in (*strangers, (known, writing)):
            writer.close()


async def test_more_known_connections_than_there_are_places_are_asked_to_come_again(bot: BotUnderTest) -> None:
    async with few_places(bot, 2) as port:
        held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(2)]
        for _, writer in held:
            writer.write(KNOWN)
        async with httpx.AsyncClient(trust_env=False, verify=False, timeout=60) as client:
            url = f"http://127.0.0.1:{port}/"
            assert (await client.get(f"{url}healthz")).status_code == 200
            answer = await client.post(url, json=said("hello"), headers=GIVEN)
            assert answer.status_code == 503
            assert int(answer.headers["Retry-After"]) > 0
        for _, writer in held:
            writer.close()


def test_a_process_with_few_descriptors_gives_fewer_places() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, before[1]))
        assert webhook_connections.connection_limit() == 64
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert webhook_connections.connection_limit() <= CONNECTIONS
