"""One Bot API server for several bots: each is a playground of its own, behind one address."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from aiohttp import ClientSession, ClientTimeout, web

from playground.client import PlaygroundClient
from playground.server import serving
from playground.state.world import State


@dataclass(frozen=True)
class SeveralBots:
    url: str
    people: Mapping[int, PlaygroundClient]
    """Bot -> the people who talk to it. In all playgrounds chats have the same numbers."""


@asynccontextmanager
async def several_bots(*tokens: str) -> AsyncIterator[SeveralBots]:
    async with AsyncExitStack() as stack:
        urls: dict[str, str] = {}
        people: dict[int, PlaygroundClient] = {}
        for token in tokens:
            state = State(token=token)
            urls[token.partition(":")[0]] = url = await stack.enter_async_context(serving(state))
            ident = int(token.partition(":")[0])
            people[ident] = await stack.enter_async_context(PlaygroundClient(url, key=state.key))
        # It is closed before the playgrounds, which would wait for its polls.
        http = await stack.enter_async_context(ClientSession(timeout=ClientTimeout(total=None), trust_env=False))

        async def forward(request: web.Request) -> web.Response:
            bot = request.path.partition("/bot")[2].partition(":")[0]
            if bot not in urls:
                return web.json_response({"ok": False, "error_code": 401, "description": "Unauthorized"}, status=401)
            headers = {name: value for name, value in request.headers.items() if name.lower() == "content-type"}
            body = await request.read()
            async with http.request(request.method, urls[bot] + request.path_qs, data=body, headers=headers) as answer:
                return web.Response(body=await answer.read(), status=answer.status, content_type=answer.content_type)

        app = web.Application(client_max_size=2**26)
        app.router.add_route("*", "/{path:.*}", forward)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield SeveralBots(f"http://127.0.0.1:{runner.addresses[0][1]}", people)
