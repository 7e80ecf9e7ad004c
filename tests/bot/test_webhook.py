"""WebhookEndpoint mode over real HTTP: what Telegram is answered, and when."""

import asyncio
import json
import socket
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from bot.process.stop import Stop
from bot.receiving.webhook import BODY_BYTES, SECRET_HEADER, WebhookEndpoint, serve
from tasks.clock import SystemClock
from tasks.config.settings import Settings, load
from tasks.errors import Misconfigured
from tasks.http.server import listen
from tasks.store import Store
from tests.bot.conftest import BotUnderTest, make_bot
from tests.bot.stand_ins import SOON, AwaySometimes
from tests.bot.updates import said

SECRET = "s3cret"
GIVEN = {SECRET_HEADER: SECRET}
ANNS = "4242:700"
LOOPBACK = "127.0.0.1"


@asynccontextmanager
async def webhook(bot: BotUnderTest) -> AsyncGenerator[httpx.AsyncClient]:
    """The webhook on a port of its own, and a client that plays Telegram."""

    async def take(updates: Sequence[object]) -> None:
        await bot.intake.take(updates)

    stop = Stop()
    with socket.create_server(("127.0.0.1", 0)) as sock:
        url = f"http://127.0.0.1:{sock.getsockname()[1]}"
        async with asyncio.timeout(SOON), asyncio.TaskGroup() as group:
            group.create_task(serve(WebhookEndpoint(take, SECRET), sock, stop, SystemClock()))
            async with httpx.AsyncClient(base_url=url, trust_env=False, verify=False, timeout=60) as client:
                yield client
            stop.set()


@pytest.fixture
async def calls(bot: BotUnderTest) -> AsyncIterator[httpx.AsyncClient]:
    async with webhook(bot) as client:
        yield client


@pytest.mark.promise("webhook")
async def test_an_update_is_answered_with_200_once_it_is_durable(bot: BotUnderTest, calls: httpx.AsyncClient) -> None:
    answer = await calls.post("/hook", json=said("hello"), headers=GIVEN)
    assert answer.status_code == 200
    assert [entry.text for entry in await bot.inbox(ANNS)] == ["hello"]
    again = await calls.post("/any/path", json=said("hello"), headers=GIVEN)
    assert again.status_code == 200
    assert len(await bot.inbox(ANNS)) == 1


@pytest.mark.promise("webhook")
@pytest.mark.parametrize("given", [{}, {SECRET_HEADER: "wrong"}, {SECRET_HEADER: SECRET + "x"}, {SECRET_HEADER: "é"}])
async def test_a_caller_without_the_secret_reaches_no_inbox(
    bot: BotUnderTest, calls: httpx.AsyncClient, given: dict[str, str]
) -> None:
    headers = {name: value.encode() for name, value in given.items()}
    answer = await calls.post("/hook", json=said("hello"), headers=headers)
    assert answer.status_code == 401
    assert await bot.inbox(ANNS) == []


@pytest.mark.promise("redis-away")
async def test_while_redis_is_away_telegram_is_asked_to_come_again_and_the_log_says_so_once(
    settings: Settings, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    intake = AwaySometimes(store)
    bot = make_bot(settings, store, intake=intake)
    async with webhook(bot) as calls:
        intake.away = True
        assert (await calls.post("/hook", json=said("hello"), headers=GIVEN)).status_code == 503
        answer = await calls.post("/hook", json=said("hello"), headers=GIVEN)
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) > 0
        intake.away = False
        assert (await calls.post("/hook", json=said("hello"), headers=GIVEN)).status_code == 200
    assert [entry.text for entry in await bot.inbox(ANNS)] == ["hello"]
    logged = [record.getMessage() for record in caplog.records if record.getMessage().startswith("store.")]
    assert logged == ["store.unavailable", "store.back"]


async def test_what_is_no_json_or_too_large_is_refused(bot: BotUnderTest, calls: httpx.AsyncClient) -> None:
    assert (await calls.post("/hook", content=b"{", headers=GIVEN)).status_code == 400
    assert (await calls.post("/hook", content=b"[" * 100_000, headers=GIVEN)).status_code == 400
    large = b" " * (BODY_BYTES + 1)
    assert (await calls.post("/hook", content=large, headers=GIVEN)).status_code == 413

    async def pieces() -> AsyncGenerator[bytes]:
        for _ in range(20):
            yield b" " * 100_000

    assert (await calls.post("/hook", content=pieces(), headers=GIVEN)).status_code == 413
    assert (await calls.post("/hook", content=b"{}" + b" " * (BODY_BYTES - 2), headers=GIVEN)).status_code == 200
    assert len(await bot.store.dead.list()) == 1


async def test_poison_is_taken_so_that_telegram_does_not_send_it_for_ever(
    bot: BotUnderTest, calls: httpx.AsyncClient
) -> None:
    poison: dict[str, Any] = {"update_id": 9, "message": {"chat": 1}}
    assert (await calls.post("/hook", json=poison, headers=GIVEN)).status_code == 200
    assert (await calls.post("/hook", json=poison, headers=GIVEN)).status_code == 200
    assert [dead.letter.update_id for dead in await bot.store.dead.list()] == [9]


async def test_many_updates_at_once_each_reach_their_inbox(bot: BotUnderTest, calls: httpx.AsyncClient) -> None:
    async def post(number: int) -> None:
        update = said("x", update_id=number, message_id=number)
        answer = await calls.post("/hook", content=json.dumps(update), headers=GIVEN)
        assert answer.status_code == 200

    async with asyncio.TaskGroup() as group:
        for number in range(1, 101):
            group.create_task(post(number))
    assert sorted(entry.update_id for entry in await bot.inbox(ANNS)) == list(range(1, 101))


async def test_other_requests_get_nothing(calls: httpx.AsyncClient) -> None:
    assert (await calls.get("/hook")).status_code == 405
    assert (await calls.get("/healthz")).text == "ok"
    assert "server" not in (await calls.post("/hook", json={})).headers, "nor what program answers"


def test_a_taken_port_is_one_clear_line() -> None:
    with listen(LOOPBACK, 0, "COHORT_WEBHOOK") as sock:
        port = sock.getsockname()[1]
        with pytest.raises(Misconfigured, match=rf"^COHORT_WEBHOOK_PORT: port {port} on 127.0.0.1 is taken"):
            listen(LOOPBACK, port, "COHORT_WEBHOOK")


@pytest.mark.parametrize("host", ["203.0.113.7", "no such host", "::ffff:203.0.113.7"])
def test_an_address_of_another_machine_is_one_clear_line(host: str) -> None:
    with pytest.raises(Misconfigured, match=r"^COHORT_WEBHOOK_HOST: cannot listen on [^\n]+$"):
        listen(host, 0, "COHORT_WEBHOOK")


@pytest.mark.promise("webhook")
def test_a_webhook_without_a_secret_is_never_made() -> None:
    async def take(updates: Sequence[object]) -> None:
        del updates

    with pytest.raises(Misconfigured, match="COHORT_WEBHOOK_SECRET"):
        WebhookEndpoint(take, "")


@pytest.mark.promise("webhook")
def test_the_webhook_listens_on_this_machine_alone_unless_told() -> None:
    assert load({}).webhook_host == LOOPBACK
