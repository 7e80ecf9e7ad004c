"""MCP servers over HTTP that refuse, answer too much or something else, list in pages, and end their streams."""

import asyncio
import gzip
import json
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.runtime.http_server import Refusal, SessionServer, rpc
from tests.runtime.support import Open, Screen, ask, card, until
from tests.support.model import Model
from tests.support.wire import Request
from workers.runtime.engine import Engine
from workers.runtime.servers import over_http
from workers.runtime.servers.over_http import Reopening, answers_of

STREAM = {"content-type": "text/event-stream"}
MIB = 2**20


class Wild(SessionServer):
    """``answer``: makes the body, or the chunks, of each call's answer."""

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        self.answer: Callable[[int], tuple[bytes, dict[str, str]]] | None = None
        self.endless = b""
        self.pages: list[list[str]] = []
        self.stream = b""
        """What each GET is answered with."""
        self.asked: Counter[str] = Counter()
        self.left = asyncio.Event()
        """A call's connection was closed by the client."""

    async def handle(self, request: Request) -> None:
        asked = request.json() if request.method == "POST" else {}
        self.asked[asked.get("method") or request.method] += 1
        if request.method == "GET" and self.stream:
            await request.respond(self.stream, headers=STREAM)
        elif asked.get("method") == "tools/list" and self.pages:
            place = int((asked.get("params") or {}).get("cursor") or 0)
            tools = [{"name": name, "inputSchema": {"type": "object"}} for name in self.pages[place % len(self.pages)]]
            more = {"nextCursor": str(place + 1)} if place + 1 != len(self.pages) else {}
            await request.respond({"jsonrpc": "2.0", "id": asked["id"], "result": {"tools": tools, **more}})
        elif asked.get("method") == "tools/call" and self.answer is not None:
            await self._odd(request, *self.answer(asked["id"]))
        else:
            await super().handle(request)

    async def _odd(self, request: Request, body: bytes, headers: dict[str, str]) -> None:
        if not self.endless:
            await request.respond(body, headers=headers)
            return
        try:
            await request.start(200, {"content-type": "application/json", **headers, "transfer-encoding": "chunked"})
            await request.chunk(body)
            while True:
                await request.chunk(self.endless)
                await request.pause(0.001)
        finally:
            self.left.set()


@pytest.fixture
async def wild() -> AsyncGenerator[Wild]:
    async with Wild() as server:
        yield server


@pytest.fixture
def agent(config: Path, cards: Path, wild: Wild) -> None:
    content = yaml.safe_load(config.read_text())
    content["mcp"] = {"servers": {"sky": {"transport": "http", "url": f"{wild.url}/mcp"}}}
    config.write_text(yaml.safe_dump(content))
    card(cards, "weatherman.md", "---\nname: weatherman\nmodel: generic.mock\nservers: [sky]\n---\nYou.\n")


async def weather(engine: Engine, tool: str = "weather") -> str:
    text = (await engine.run(ask(1, f"CALL:{tool}", agent="weatherman"), Screen())).text
    return text.partition("tool=")[2].partition("on server 'sky': ")[2] or text.partition("tool=")[2]


def result(ident: Any, text: str = "sunny") -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": ident, "result": {"content": [{"type": "text", "text": text}]}}


def event(said: dict[str, Any]) -> bytes:
    return b"event: message\ndata: " + json.dumps(said).encode() + b"\n\n"


PLAIN = {"content-type": "text/plain"}
STATUSES = {
    401: "refuses the login that it is given (HTTP 401 Unauthorized), and the call was not carried out",
    403: "refuses the login that it is given (HTTP 403 Forbidden), and the call was not carried out",
    405: "refused the call (HTTP 405 Method Not Allowed). It was not carried out",
    429: "is busy (HTTP 429 Too Many Requests, come again in 7 s), and the call was not carried out",
    500: "failed (HTTP 500 Internal Server Error). Whether the call was carried out is not known",
    599: "failed (HTTP 599). Whether the call was carried out is not known",
}


@pytest.mark.promise("servers-over-http")
async def test_a_refusal_is_told_by_its_status_and_a_refused_login_to_the_operator(
    runtime: Open, model: Model, wild: Wild, agent
) -> None:
    told: list[str] = []

    async def alert(_cause: str, detail: str) -> None:
        told.append(detail)

    async with runtime(COHORT_LANES="1", alert=alert) as engine:
        for status, words in STATUSES.items():
            wild.fails = Refusal(status, b"no", {**PLAIN, "retry-after": "7"} if status == 429 else PLAIN)
            assert words in await weather(engine)
        wild.fails = Refusal(400, rpc(-32602, "a city is missing"), {})
        assert "a city is missing" in await weather(engine)
        await until(lambda: len(told) == 2)
        assert engine.servers_down == ()
    assert ["HTTP 401" in told[0], "HTTP 403" in told[1]] == [True, True]


@pytest.mark.parametrize("status", [401, 503])
async def test_why_a_server_does_not_start_has_its_status(
    runtime: Open, model: Model, wild: Wild, agent, status: int
) -> None:
    wild.unlisted = Refusal(status, b"no", PLAIN)
    told: list[str] = []

    async def alert(_cause: str, detail: str) -> None:
        told.append(detail)

    async with runtime(COHORT_LANES="1", alert=alert) as engine:
        await engine.run(ask(1, "hello", agent="weatherman"), Screen())
        assert engine.servers_down == ("sky",)
        await until(lambda: told != [])
    assert "HTTP 401" in told[0] or status == 503
    assert "NotReachable" not in told[0]


def packed(size: int) -> bytes:
    return gzip.compress(json.dumps(result(1, "x" * size)).encode())


UNREAD = "cannot be read"
BODIES: dict[str, tuple[Callable[[int], tuple[bytes, dict[str, str]]], str]] = {
    "another id": (lambda _: (json.dumps(result(99_999)).encode(), {}), "sunny"),
    "a text as its id": (lambda ident: (json.dumps(result(str(ident))).encode(), {}), "sunny"),
    "a list": (lambda ident: (json.dumps([result(ident)]).encode(), {}), "sunny"),
    "a list with others": (lambda ident: (json.dumps([result("another"), result(ident, "rain")]).encode(), {}), "rain"),
    "an error without an id": (lambda _: (json.dumps(rpc(-32700, "what?")).encode(), {}), "what?"),
    "nothing": (lambda _: (b"", {}), UNREAD),
    "no object": (lambda _: (b"null", {}), UNREAD),
    "an empty list": (lambda _: (b"[]", {}), UNREAD),
    "a notice alone": (lambda _: (b'{"jsonrpc": "2.0", "method": "notifications/x"}', {}), UNREAD),
    "too much": (lambda ident: (json.dumps(result(ident, "x" * 3 * MIB)).encode(), {}), UNREAD),
    "too much, packed": (lambda _: (packed(64 * MIB), {"content-encoding": "gzip"}), UNREAD),
    "an event of 1.5 MiB": (lambda ident: (event(result(ident, "x" * (3 * MIB // 2))), STREAM), "xxx"),
    "an event of another id": (lambda _: (event(result(99_999)), STREAM), "sunny"),
}


@pytest.mark.promise("servers-over-http")
async def test_the_body_that_answers_a_call_is_its_answer(
    runtime: Open, model: Model, wild: Wild, agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(over_http, "LONGEST", 2 * MIB)
    said: dict[str, bool] = {}
    async with runtime(COHORT_LANES="1") as engine:
        for kind, (wild.answer, words) in BODIES.items():
            said[kind] = words in await weather(engine)
    assert said == dict.fromkeys(BODIES, True)


async def test_a_body_without_end_is_left(
    runtime: Open, model: Model, wild: Wild, agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(over_http, "LONGEST", 2 * MIB)
    wild.endless, wild.answer = b"x" * MIB, lambda _: (b'{"jsonrpc": "2.0", "id": 1, "result": "', {})
    async with runtime(COHORT_LANES="1") as engine:
        assert UNREAD in await weather(engine)
        await wild.left.wait()


async def test_what_a_call_that_is_given_up_left_open_is_closed(runtime: Open, model: Model, wild: Wild, agent) -> None:
    wild.endless, wild.answer = b": still here\n\n", lambda _: (b": begun\n\n", STREAM)
    async with runtime(COHORT_LANES="1", COHORT_TOOL_TIMEOUT="1") as engine:
        assert "timed out" in await weather(engine)
        async with asyncio.timeout(60):
            await wild.left.wait()
        await until(lambda: wild.asked["notifications/cancelled"] == 1)


async def test_a_stream_that_its_server_ends_at_once_is_not_asked_for_without_pause(
    runtime: Open, model: Model, wild: Wild, agent
) -> None:
    wild.stream = b"retry: 0\nid: 1\ndata: \n\n"
    async with runtime(COHORT_LANES="1") as engine:
        for _ in range(20):
            assert "sunny" in await weather(engine)
        # It was hundreds.
        assert wild.asked["GET"] <= 8


def test_each_pause_is_longer_until_a_stream_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    now, again, pauses = [0.0], Reopening(), list[int]()
    monkeypatch.setattr(over_http, "monotonic", lambda: now[0])
    for lasted in (0, 1, 1, 1, 1, 1, 1, 1, 100, 1):
        now[0] += lasted
        again.asked()
        pauses.append(again.pause_ms // 1000)
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 1, 2]


@pytest.mark.promise("servers-over-http")
async def test_tools_of_all_pages_are_known_and_a_list_without_end_has_one(
    runtime: Open, model: Model, wild: Wild, agent
) -> None:
    wild.pages = [["sun", "moon"], ["rain"], ["weather"]]
    async with runtime(COHORT_LANES="1") as engine:
        assert await weather(engine) == "sunny"
    assert len(model.journal[-1].tools) == 4
    # A cursor that leads on for ever.
    wild.pages, wild.asked["tools/list"] = [*wild.pages, ["snow"]] * 50, 0
    del wild.pages[-1]
    async with runtime(COHORT_LANES="1") as engine:
        assert await weather(engine) == "sunny"
    assert wild.asked["tools/list"] == 100


def test_a_body_that_cannot_be_read_answers_its_request() -> None:
    def read(_: Any) -> Any:
        raise ValueError

    for body in (b"", b"[", b"[" * 100_000, b"\xff", b"{}"):
        (answer,) = answers_of(body, 5, read)
        assert (answer.id, answer.error.message) == (5, "the server answered, and its answer cannot be read")  # pyright: ignore[reportAttributeAccessIssue]
