"""HTTP MCP servers that forget their sessions, as real ones say it, and what else looks like it."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
import yaml

from tests.runtime.http_server import Refusal, SessionServer, rpc
from tests.runtime.support import Open, Screen, ask, card, until
from tests.support.model import Model
from workers.runtime.engine import Engine

TEXT = {"content-type": "text/plain"}
FORGOTTEN = {
    "typescript-sdk": Refusal(404, rpc(-32001, "Session not found")),
    "python-sdk": Refusal(404, rpc(-32600, "Session not found") | {"id": "server-error"}),
    "unknown-header": Refusal(404, rpc(-32000, "Not Found: Unknown Mcp-Session-Id header")),
    "json": Refusal(404, {"error": "Session not found"}),
    "text": Refusal(404, b"Not Found", TEXT),
    "empty": Refusal(404, b"", {}),
    "typescript-examples": Refusal(400, rpc(-32000, "Bad Request: No valid session ID provided")),
    "not-initialize": Refusal(400, rpc(-32000, "Bad Request: No valid session ID or not an initialize request")),
    "not-initialized": Refusal(400, rpc(-32000, "Bad Request: Server not initialized (session unknown)")),
    "older-python-sdk": Refusal(400, rpc(-32600, "Bad Request: No valid session ID")),
    "older-mcp-go": Refusal(400, b"Invalid session ID", TEXT),
    "proxy": Refusal(500, {"error": 'Error POSTing to endpoint (HTTP 400): {"message": "No valid session ID"}'}),
    "unavailable": Refusal(503, rpc(-32000, "Unknown session; please reconnect")),
    "http-200": Refusal(200, rpc(-32600, "missing or invalid Mcp-Session-Id") | {"id": "same"}),
}


@pytest.fixture
async def sky() -> AsyncGenerator[SessionServer]:
    async with SessionServer() as server:
        yield server


@pytest.fixture
def weatherman(config: Path, cards: Path, sky: SessionServer) -> None:
    content = yaml.safe_load(config.read_text())
    content["mcp"] = {"servers": {"sky": {"transport": "http", "url": f"{sky.url}/mcp"}}}
    config.write_text(yaml.safe_dump(content))
    card(cards, "weatherman.md", "---\nname: weatherman\nmodel: generic.mock\nservers: [sky]\n---\nYou.\n")


async def weather(engine: Engine, text: str = "CALL:weather") -> str:
    return (await engine.run(ask(1, text, agent="weatherman"), Screen())).text


@pytest.mark.promise("forgotten-sessions")
@pytest.mark.parametrize("said", FORGOTTEN)
async def test_a_session_that_its_server_forgot_is_opened_again_and_the_call_repeated_once(
    runtime: Open, model: Model, sky: SessionServer, weatherman, said: str
) -> None:
    async with runtime(COHORT_LANES="1") as engine:
        assert "tool=sunny" in await weather(engine)
        sky.forgotten = FORGOTTEN[said]
        sky.forget()
        assert "tool=sunny" in await weather(engine)
        assert "tool=sunny" in await weather(engine)
        assert (sky.begun, sky.calls, engine.lanes.made) == (2, 3, 1)


async def test_calls_that_find_out_at_the_same_time_begin_one_session(
    runtime: Open, model: Model, sky: SessionServer, weatherman
) -> None:
    async with runtime(COHORT_LANES="1") as engine:
        await weather(engine)
        sky.forget()
        text = await weather(engine, "CALL:weather CALL:weather CALL:weather")
        assert text.count("tool=sunny") == 3
        assert (sky.begun, sky.calls) == (2, 4)


@pytest.mark.promise("forgotten-sessions")
async def test_a_server_that_keeps_no_session_is_asked_twice_and_its_lane_replaced(
    runtime: Open, model: Model, sky: SessionServer, weatherman
) -> None:
    async with runtime(COHORT_LANES="1") as engine:
        await weather(engine)
        sky.forget_all = True
        assert "does not keep its sessions" in await weather(engine)
        assert sky.begun == 2
        sky.forget_all = False
        assert "tool=sunny" in await weather(engine)
        assert engine.lanes.made == 2


OTHERS = {
    "own-error": Refusal(200, rpc(-32001, "no weather session found in the cache") | {"id": "same"}),
    "bad-arguments": Refusal(400, rpc(-32602, "Invalid params")),
    "no-method": Refusal(404, rpc(-32601, "Method not found")),
    "broken": Refusal(500, b"Internal Server Error", TEXT),
    "login": Refusal(401, b"session expired, log in again", TEXT),
}


@pytest.mark.parametrize("said", OTHERS)
async def test_what_is_no_forgotten_session_is_told_and_not_repeated(
    runtime: Open, model: Model, sky: SessionServer, weatherman, said: str
) -> None:
    async with runtime(COHORT_LANES="1") as engine:
        await weather(engine)
        sky.fails = OTHERS[said]
        text = await weather(engine)
        assert "tool=" in text
        assert "sunny" not in text
        assert (sky.begun, sky.calls) == (1, 2)
        sky.fails = None
        assert "tool=sunny" in await weather(engine)


async def test_a_call_that_timed_out_is_not_repeated_though_the_sdk_uses_the_same_code(
    runtime: Open, model: Model, sky: SessionServer, weatherman
) -> None:
    sky.hang = asyncio.Event()
    async with runtime(COHORT_LANES="1", COHORT_TOOL_TIMEOUT="1") as engine:
        assert "timed out" in await weather(engine)
        assert (sky.begun, sky.calls) == (1, 1)
        sky.hang.set()


async def test_a_server_that_forgets_and_then_says_nothing_is_down(
    runtime: Open, sky: SessionServer, weatherman, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.runtime.patches.forgotten_sessions.BEGIN_S", 0.3)
    async with runtime(COHORT_LANES="1") as engine:
        assert "tool=sunny" in await weather(engine)
        sky.forget()
        sky.silent = asyncio.Event()
        assert "sky is not reachable" in await weather(engine)
        assert engine.servers_down == ("sky",)
        sky.silent.set()
        await until(lambda: not engine.servers_down)
        assert "tool=sunny" in await weather(engine)
