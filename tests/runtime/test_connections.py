"""Connections to a model server serve many calls, and none outlives the runtime."""

import asyncio
import gc
import logging
from importlib import import_module

import httpx2
import pytest
from llmock.pytest_plugin import LLMock

from tests.runtime.support import PROVIDERS, Configure, Open, Screen, ask
from tests.support.model import Model
from tests.support.wire import HttpServer, Request
from workers.runtime.patches import connections, patch

OPENAI = tuple(f"fast_agent.llm.provider.openai.{name}" for name in ("llm_openai", "responses", "codex_responses"))
ANTHROPIC = "fast_agent.llm.provider.anthropic.llm_anthropic"
GOOGLE = "fast_agent.llm.provider.google.llm_google_native"


async def test_turns_share_connections(runtime: Open, model: Model) -> None:
    async with runtime(COHORT_LANES="4") as engine:
        for _ in range(3):
            async with asyncio.TaskGroup() as group:
                for chat in range(8):
                    group.create_task(engine.run(ask(chat, "hi"), Screen()), name=f"chat-{chat}")
    assert len(model.journal) == 24
    assert model.connections <= 4


async def test_a_connection_the_server_closed_is_not_used_again(runtime: Open, model: Model) -> None:
    async with runtime() as engine:
        await engine.run(ask(1, "one"), Screen())
        model.hang_up()
        assert (await engine.run(ask(1, "two"), Screen())).text == "echo: two [n=1]"


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_no_client_is_left_open(
    runtime: Open, provider: str, llmock: LLMock, configure: Configure, caplog: pytest.LogCaptureFixture
) -> None:
    name, path, more = PROVIDERS[provider]
    configure({provider: {"api_key": "secret-key", "base_url": llmock.base_url(path), **more}})
    llmock.tool_mode("off")
    before = asyncio.all_tasks()
    with caplog.at_level(logging.DEBUG, "asyncio"):
        async with runtime(COHORT_LANES="1", COHORT_MODEL=name) as engine:
            for chat in range(3):
                await engine.run(ask(chat, "hi"), Screen())
            llmock.fail(500, times=None)
            with pytest.raises(Exception, match="retry"):
                await engine.run(ask(9, "hi"), Screen())
        gc.collect()
    assert asyncio.all_tasks() == before
    assert [record.message for record in caplog.records if record.name == "asyncio"] == []


@pytest.mark.parametrize("name", OPENAI)
async def test_an_sdk_s_client_is_made_once_for_its_settings(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module = import_module(name)
    patch.apply()
    settings = {"api_key": "a", "base_url": "http://127.0.0.1:1/v1", "http_client": module.DefaultAioHttpClient()}
    client = module.AsyncOpenAI(**settings)
    async with module.AsyncOpenAI(**settings) as again:
        assert again is client
    assert module.AsyncOpenAI(**settings) is client
    usual = {**settings, "base_url": None, "default_headers": {"x": "y"}}
    assert module.AsyncOpenAI(**usual) is module.AsyncOpenAI(**usual)
    for other in ({"api_key": "b"}, {"base_url": "http://127.0.0.1:2/v1"}, {"default_headers": {"x": "y"}}):
        assert module.AsyncOpenAI(**{**settings, **other}) is not client
    own = {**settings, "http_client": module.DefaultAioHttpClient(timeout=1)}
    assert module.AsyncOpenAI(**own) is not module.AsyncOpenAI(**own)
    await own["http_client"].aclose()
    monkeypatch.setenv("OPENAI_ORG_ID", "another")
    assert module.AsyncOpenAI(**settings).organization == "another"
    await connections.close()
    assert module.AsyncOpenAI(**{**settings, "http_client": module.DefaultAioHttpClient()}) is not client
    await connections.close()


class Masked(str):
    __slots__ = ()

    def __repr__(self) -> str:
        return "***"


class Marking(HttpServer):
    """Gives each call a cookie, and notes what it came with; says nothing that a client understands."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str | None] = []

    async def handle(self, request: Request) -> None:
        self.seen.append(request.headers.get("cookie"))
        await request.respond({}, 400, {"set-cookie": f"chat={len(self.seen)}; Path=/"})


# aiohttp's jar takes none from an address.
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_no_cookie_goes_from_a_call_to_the_next(host: str) -> None:
    openai, anthropic, google = map(import_module, (OPENAI[0], ANTHROPIC, GOOGLE))
    patch.apply()
    said = [{"role": "user", "content": "hi"}]
    async with Marking() as server:
        url = f"http://{host}:{server.port}"
        for key in ("a", "b"):
            client = openai.AsyncOpenAI(api_key=key, base_url=url, http_client=openai.DefaultAioHttpClient())
            with pytest.raises(Exception, match="400"):
                await client.chat.completions.create(model="m", messages=said)
            client = anthropic.AsyncAnthropic(api_key=key, base_url=url)
            with pytest.raises(Exception, match="400"):
                await client.messages.create(model="m", max_tokens=1, messages=said)
            with connections.call():
                client = google.genai.Client(api_key="a", http_options={"base_url": url})
                with pytest.raises(Exception, match="400"):
                    await client.aio.models.generate_content(model="m", contents="hi")
        assert server.seen == [None] * 6
        await connections.close()


async def test_settings_that_only_look_the_same_have_a_client_each() -> None:
    module = import_module(OPENAI[0])
    patch.apply()
    settings = {"api_key": "a", "base_url": "http://127.0.0.1:1/v1", "http_client": module.DefaultAioHttpClient()}
    for name, of in (
        ("api_key", Masked),
        ("default_headers", lambda secret: httpx2.Headers({"authorization": secret})),
        ("default_headers", lambda secret: {"authorization": Masked(secret)}),
        ("base_url", lambda secret: httpx2.URL(f"http://a:{secret}@127.0.0.1:1/v1")),
    ):
        one, two = (module.AsyncOpenAI(**{**settings, name: of(secret)}) for secret in ("mine", "theirs"))
        assert one is not two
    headers = {"x": "y"}
    client = module.AsyncOpenAI(**settings, default_headers=headers)
    headers["x"] = "z"
    assert client.default_headers["x"] == "y"
    await connections.close()


async def test_keys_that_change_do_not_heap_up_clients() -> None:
    module = import_module(OPENAI[0])
    patch.apply()
    http = module.DefaultAioHttpClient()
    for number in range(3 * connections._SDK_CLIENTS):
        module.AsyncOpenAI(api_key=f"key {number}", base_url="http://127.0.0.1:1/v1", http_client=http)
    assert len(http.users) == connections._SDK_CLIENTS
    await connections.close()
