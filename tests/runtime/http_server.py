"""An MCP server over HTTP in the test's process that keeps sessions, and forgets them as real ones do."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from tests.support.wire import HttpServer, Request

TOOL = {"name": "weather", "description": "Now.", "inputSchema": {"type": "object"}}


@dataclass(frozen=True)
class Refusal:
    """What a server says to a session that it does not know."""

    status: int
    body: object
    headers: dict[str, str] = field(default_factory=dict)


def rpc(code: int, message: str) -> dict[str, object]:
    return {"jsonrpc": "2.0", "error": {"code": code, "message": message}, "id": None}


class SessionServer(HttpServer):
    """One tool, ``weather``. ``forgotten``: the answer to a session that is unknown."""

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        self.forgotten = Refusal(404, rpc(-32001, "Session not found"))
        self.sessions: set[str] = set()
        self.begun = 0
        self.calls = 0
        self.metas: list[dict[str, Any]] = []
        """The ``_meta`` of each call."""
        self.forget_all = False
        """Never knows a session, not even a new one."""
        self.fails: Refusal | None = None
        """The answer to each call of the tool."""
        self.unlisted: Refusal | None = None
        """What it says when asked for its tools."""
        self.hang: asyncio.Event | None = None
        """Calls wait for it."""
        self.silent: asyncio.Event | None = None
        """Who begins a session waits for it."""

    def forget(self) -> None:
        """As a restart does."""
        self.sessions.clear()

    async def handle(self, request: Request) -> None:
        asked = request.json() if request.method == "POST" else {}
        method, session = asked.get("method"), request.headers.get("mcp-session-id")
        if method == "initialize":
            if self.silent is not None:
                await self.silent.wait()
            self.begun += 1
            session = f"session-{self.begun}"
            self.sessions.add(session)
            version = asked["params"]["protocolVersion"]
            info = {"name": "sky", "version": "1"}
            result = {"protocolVersion": version, "capabilities": {"tools": {}}, "serverInfo": info}
            reply = {"jsonrpc": "2.0", "id": asked["id"], "result": result}
            await request.respond(reply, headers={"mcp-session-id": session})
        elif session is None and "id" in asked:
            await request.respond(
                {"jsonrpc": "2.0", "id": asked["id"], "error": {"code": -32601, "message": "no"}}, 404
            )
        elif session not in self.sessions or (self.forget_all and method == "tools/call"):
            await self._refuse(request, self.forgotten, asked)
        elif request.method != "POST" or "id" not in asked:
            await request.respond(b"", 202 if request.method == "POST" else 405)
        else:
            await self._answer(request, asked)

    async def _refuse(self, request: Request, how: Refusal, asked: dict[str, Any]) -> None:
        body: Any = how.body
        if isinstance(body, dict) and body.get("id") == "same":
            body = {**body, "id": asked.get("id")}
        await request.respond(body, how.status, how.headers)

    async def _answer(self, request: Request, asked: dict[str, Any]) -> None:
        result: dict[str, Any] = {}
        if asked["method"] == "tools/list" and self.unlisted is not None:
            await self._refuse(request, self.unlisted, asked)
            return
        if asked["method"] == "tools/list":
            result = {"tools": [TOOL]}
        elif asked["method"] == "tools/call":
            self.calls += 1
            self.metas.append(asked["params"].get("_meta") or {})
            if self.fails is not None:
                await self._refuse(request, self.fails, asked)
                return
            if self.hang is not None:
                await self.hang.wait()
            result = {"content": [{"type": "text", "text": "sunny"}], "isError": False}
        await request.respond({"jsonrpc": "2.0", "id": asked["id"], "result": result})
