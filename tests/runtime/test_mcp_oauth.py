"""MCP servers over HTTP that want a login: no login takes place, and chats that do not need them go on."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
import yaml

from tasks.errors import Misconfigured
from tests.runtime.support import Open, Screen, ask, card
from tests.support.model import Model
from tests.support.wire import HttpServer, Request

# Far below what fast-agent gives a person at a browser (five minutes), far above what a refusal takes.
SOON_S = 60.0
TOOL = {"name": "weather", "description": "Now.", "inputSchema": {"type": "object"}}


class Guarded(HttpServer):
    """Says 401 with an invitation to log in, to everything but discovery; opened, it is an MCP server with one tool."""

    def __init__(self, **more: object) -> None:
        super().__init__(**more)
        self.open = False
        self.paths: list[str] = []

    async def handle(self, request: Request) -> None:
        self.paths.append(request.path)
        if request.path.startswith("/.well-known/oauth-protected-resource"):
            await request.respond({"resource": f"{self.url}/mcp", "authorization_servers": [self.url]})
        elif request.path.startswith("/.well-known/"):
            await request.respond(
                {
                    "issuer": self.url,
                    "authorization_endpoint": f"{self.url}/authorize",
                    "token_endpoint": f"{self.url}/token",
                    "registration_endpoint": f"{self.url}/register",
                    "response_types_supported": ["code"],
                    "code_challenge_methods_supported": ["S256"],
                }
            )
        elif request.path == "/register":
            await request.respond({**request.json(), "client_id": "somebody"}, 201)
        elif not self.open and request.headers.get("authorization") != "Bearer sesame":
            where = f'Bearer resource_metadata="{self.url}/.well-known/oauth-protected-resource"'
            await request.respond({"error": "invalid_token"}, 401, {"www-authenticate": where})
        else:
            await self._serve(request)

    async def _serve(self, request: Request) -> None:
        asked = request.json() if request.method == "POST" else {}
        match asked.get("method"):
            case "initialize":
                version = asked["params"]["protocolVersion"]
                info = {"name": "guarded", "version": "1"}
                result = {"protocolVersion": version, "capabilities": {"tools": {}}, "serverInfo": info}
            case "tools/list":
                result = {"tools": [TOOL]}
            case "tools/call":
                result = {"content": [{"type": "text", "text": "sunny"}], "isError": False}
            case "ping":
                result = {}
            case _ if "id" in asked:
                error = {"code": -32601, "message": "no such method"}
                await request.respond({"jsonrpc": "2.0", "id": asked["id"], "error": error})
                return
            case _:
                await request.respond(b"", 202 if request.method == "POST" else 405)
                return
        await request.respond({"jsonrpc": "2.0", "id": asked["id"], "result": result})

    def no_login_is_begun(self) -> bool:
        """Neither a client was registered nor a login page or a token asked for."""
        return not any(path.startswith(("/register", "/authorize", "/token")) for path in self.paths)


@pytest.fixture
async def guarded() -> AsyncGenerator[Guarded]:
    async with Guarded() as server:
        yield server


@pytest.fixture
def weatherman(config: Path, cards: Path, guarded: Guarded):
    """A second agent that has the server; keyword arguments are the server's further settings."""

    def add(**settings: object) -> None:
        content = yaml.safe_load(config.read_text())
        content["mcp"] = {"servers": {"sky": {"transport": "http", "url": f"{guarded.url}/mcp", **settings}}}
        config.write_text(yaml.safe_dump(content))
        card(cards, "weatherman.md", "---\nname: weatherman\nmodel: generic.mock\nservers: [sky]\n---\nYou.\n")

    return add


# As most write it, and as a person at a terminal would.
AUTH = [{}, {"auth": {"oauth": True}}]


@pytest.mark.promise("nothing-asks")
@pytest.mark.parametrize("auth", AUTH, ids=["plain", "oauth"])
async def test_a_server_that_wants_a_login_at_start_is_named_in_one_line_and_the_others_answer(  # noqa: PLR0917
    runtime: Open,
    model: Model,
    guarded: Guarded,
    weatherman,
    auth: dict[str, object],
    caplog: pytest.LogCaptureFixture,
) -> None:
    weatherman(**auth)
    async with asyncio.timeout(SOON_S), runtime(COHORT_LANES="1") as engine:
        assert (await engine.run(ask(1, "hello"), Screen())).text == "echo: hello [n=1]"
        assert (await engine.run(ask(1, "hello", agent="weatherman"), Screen())).text == "echo: hello [n=1]"
        assert engine.servers_down == ("sky",)
    (line,) = [record.reason for record in caplog.records if record.message == "server.unreachable"]
    assert "MCP server sky does not start" in line
    assert "put a token under its headers if it wants a login" in line
    assert "\n" not in line
    assert guarded.paths
    assert guarded.no_login_is_begun()


@pytest.mark.promise("nothing-asks")
@pytest.mark.parametrize("auth", AUTH, ids=["plain", "oauth"])
async def test_cards_with_a_server_that_wants_a_login_are_not_let_in_and_the_others_answer(
    runtime: Open, guarded: Guarded, weatherman, cards: Path, auth: dict[str, object]
) -> None:
    weatherman(**auth)
    later = (cards / "weatherman.md").read_text()
    (cards / "weatherman.md").unlink()
    async with runtime(COHORT_LANES="1") as engine:
        card(cards, "weatherman.md", later)
        async with asyncio.timeout(SOON_S):
            with pytest.raises(Misconfigured, match=r"MCP server sky does not start.* wants a login"):
                await engine.reload()
        assert engine.agents == ("assistant",)
        assert (await engine.run(ask(1, "hello"), Screen())).text == "echo: hello [n=1]"
    assert guarded.no_login_is_begun()


@pytest.mark.promise("nothing-asks")
@pytest.mark.parametrize("auth", AUTH, ids=["plain", "oauth"])
async def test_a_chats_own_server_that_wants_a_login_costs_its_tools_and_the_others_answer(
    runtime: Open, model: Model, guarded: Guarded, weatherman, auth: dict[str, object]
) -> None:
    weatherman(isolation="chat", **auth)
    async with runtime(COHORT_LANES="2") as engine:
        async with asyncio.timeout(SOON_S):
            answer = await engine.run(ask(1, "rain?", agent="weatherman"), Screen())
        assert answer.text == "echo: rain? [n=1]"
        assert "do not have their tools: sky" in model.journal[-1].messages[0]["text"]
        assert (await engine.run(ask(1, "hello"), Screen())).text == "echo: hello [n=1]"
    assert guarded.no_login_is_begun()


@pytest.mark.promise("nothing-asks")
async def test_a_server_whose_login_ran_out_costs_its_tool_and_the_others_answer(
    runtime: Open, model: Model, guarded: Guarded, weatherman
) -> None:
    weatherman()
    guarded.open = True
    async with runtime(COHORT_LANES="1", COHORT_TOOL_TIMEOUT="5") as engine:
        dry = await engine.run(ask(1, "CALL:weather", agent="weatherman"), Screen())
        assert "tool=sunny" in dry.text
        guarded.open = False
        async with asyncio.timeout(SOON_S):
            wet = await engine.run(ask(1, "CALL:weather", agent="weatherman"), Screen())
        assert "tool=" in wet.text
        assert "sunny" not in wet.text
        assert (await engine.run(ask(2, "hello"), Screen())).text == "echo: hello [n=1]"
    assert guarded.no_login_is_begun()


@pytest.mark.promise("nothing-asks")
async def test_a_server_with_its_token_under_headers_is_used(
    runtime: Open, model: Model, guarded: Guarded, weatherman
) -> None:
    weatherman(headers={"Authorization": "Bearer sesame"})
    async with runtime(COHORT_LANES="1") as engine:
        dry = await engine.run(ask(1, "CALL:weather", agent="weatherman"), Screen())
    assert "tool=sunny" in dry.text
    assert guarded.no_login_is_begun()
