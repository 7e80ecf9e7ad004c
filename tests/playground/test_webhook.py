"""Webhooks: delivered in order per chat, with the secret, and again until they are taken."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from playground.server import PlaygroundServer, listen
from tests.playground.conformance import check_result
from tests.playground.test_sending import refused

ACTIVE = "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"


class Receiver:
    """A bot's webhook. ``answers`` are given first, in order; then 200."""

    def __init__(self) -> None:
        self.answers: list[Response] = []
        self.taken: list[dict] = []
        self.offered = 0
        self.secrets: set[str | None] = set()
        self.hold: asyncio.Event | None = None
        self.news = asyncio.Condition()

    async def receive(self, request: Request) -> Response:
        update = await request.json()
        async with self.news:
            self.offered += 1
            self.secrets.add(request.headers.get("x-telegram-bot-api-secret-token"))
            answer = self.answers.pop(0) if self.answers else Response()
            if answer.status_code == 200:
                self.taken.append(update)
            self.news.notify_all()
        if self.hold is not None and update["message"]["text"] == "slow":
            await self.hold.wait()
        return answer

    async def until(self, count: int) -> list[int]:
        async with asyncio.timeout(60), self.news:
            await self.news.wait_for(lambda: len(self.taken) >= count)
        return [update["update_id"] for update in self.taken]


@pytest.fixture
async def hook() -> AsyncIterator[tuple[Receiver, str]]:
    receiver = Receiver()
    sock = listen("127.0.0.1", 0)
    app = Starlette(routes=[Route("/hook", receiver.receive, methods=["POST"])])
    server = PlaygroundServer(uvicorn.Config(app, log_config=None, timeout_graceful_shutdown=1))
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(server.serve([sock]), name="receiver")
        yield receiver, f"http://127.0.0.1:{sock.getsockname()[1]}/hook"
        server.leave.set()


async def test_updates_go_to_the_webhook_in_order_with_the_secret(pg, hook):
    receiver, url = hook
    before = await pg.bulk(3)
    answer = await pg.call("setWebhook", url=url, secret_token="s3cret-_")
    assert answer == {"ok": True, "result": True, "description": "Webhook was set"}
    after = await pg.bulk(20, into=before.chats)
    assert await receiver.until(23) == list(range(before.first_update_id, after.last_update_id + 1))
    assert receiver.secrets == {"s3cret-_"}
    await pg.wait_confirmed()


async def test_a_refused_update_comes_again_before_the_chats_next_one(pg, hook):
    receiver, url = hook
    receiver.answers = [Response(status_code=503), Response(status_code=500, headers={"retry-after": "1"})]
    many = await pg.bulk(3)
    await pg.call("setWebhook", url=url)
    assert await receiver.until(3) == [many.first_update_id + n for n in range(3)]
    assert receiver.offered == 5
    info = (await pg.call("getWebhookInfo"))["result"]
    check_result("getWebhookInfo", info)
    assert info["last_error_message"] == "Wrong response from the webhook: 500 Internal Server Error"


async def test_a_slow_chat_does_not_hold_up_the_others(pg, hook):
    receiver, url = hook
    receiver.hold = asyncio.Event()
    slow, quick = (await pg.chat())["id"], (await pg.chat())["id"]
    await pg.call("setWebhook", url=url)
    await pg.say(slow, "slow")
    await pg.say(slow, "behind it")
    for number in range(5):
        await pg.say(quick, f"quick {number}")
    await receiver.until(6)
    assert [update["message"]["text"] for update in receiver.taken if update["message"]["chat"]["id"] == slow] == [
        "slow"
    ]
    receiver.hold.set()
    await receiver.until(7)


async def test_polling_and_webhook_exclude_each_other(pg, hook):
    _, url = hook
    async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        poll = tasks.create_task(pg.call("getUpdates", timeout=50), name="poll")
        await pg.wait_polling()
        await pg.call("setWebhook", url=url)
    assert poll.result()["description"] == "Conflict: terminated by setWebhook request"
    assert await refused(pg, "getUpdates") == (409, ACTIVE)
    assert (await pg.call("deleteWebhook"))["description"] == "Webhook was deleted"
    assert (await pg.call("deleteWebhook"))["description"] == "Webhook is already deleted"
    assert (await pg.call("getUpdates"))["ok"]


async def test_what_the_webhook_did_not_take_can_be_polled(pg, hook):
    receiver, url = hook
    receiver.answers = [Response(status_code=503, headers={"retry-after": "3600"})]
    many = await pg.bulk(2)
    await pg.call("setWebhook", url=url)
    async with asyncio.timeout(60), receiver.news:
        await receiver.news.wait_for(lambda: receiver.offered == 1)
    await pg.call("deleteWebhook")
    got = (await pg.call("getUpdates"))["result"]
    assert [update["update_id"] for update in got] == [many.first_update_id, many.last_update_id]


async def test_pending_updates_can_be_dropped(pg, hook):
    await pg.bulk(5)
    await pg.call("deleteWebhook", drop_pending_updates=True)
    assert (await pg.queue())["pending"] == 0


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        ({"url": "https://example.org/hook"}, "invalid webhook URL specified"),
        ({"url": "http://127.0.0.1:1/", "secret_token": "no spaces"}, "secret token contains unallowed characters"),
        ({"url": "http://127.0.0.1:1/", "secret_token": "x" * 257}, "secret token is too long"),
    ],
)
async def test_bad_webhooks_are_refused(pg, wish, words):
    assert await refused(pg, "setWebhook", **wish) == (400, f"Bad Request: {words}")
