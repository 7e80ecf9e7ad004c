"""The real runtime in front of a mock model."""

import copy
import functools
import gc
import json
import os
import resource
import sys
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from anthropic import _base_client as anthropic_client
from fast_agent import config as fast_config
from fast_agent.mcp import client_callback_runtime
from fast_agent.skills import registry as skill_registry
from google.genai import _api_client as google_client
from openai import _base_client as openai_client

from tasks.config.settings import Settings, load
from tests.runtime.support import ASSISTANT, MODELS, TOOL, Configure, Open, StillClock, card
from tests.support.model import Model
from tests.support.strict import Strict
from workers.interfaces import MediaSource
from workers.many_bots import BotsOfTurns
from workers.runtime.engine import Engine
from workers.runtime.servers.health import Alert
from workers.tool_stores import Reminders, StoredPeople

SERVER = Path(__file__).with_name("stdio_server.py")


def lasting(environ: Mapping[str, str | None]) -> frozenset[tuple[str, str | None]]:
    """The variables without the one that pytest sets again for each step of each test."""
    return frozenset(item for item in environ.items() if item[0].upper() != "PYTEST_CURRENT_TEST")


@pytest.fixture(autouse=True, scope="package")
def variables_are_read_once() -> Iterator[None]:
    """fast-agent looks for its 70 settings in the environment five times an opening, of 4 ms each.

    What the same variables gave is kept, and so are the default places of skills, for which it reads them three times.
    """
    source = fast_config._WithoutAmbiguousHomeSource
    read, kept = source.__call__, dict[Any, dict[str, Any]]()
    paths, places = skill_registry.default_skill_paths, dict[Any, list[Path]]()

    def once(self: Any) -> dict[str, Any]:
        given = type(self._source), self.settings_cls, lasting(self._source.env_vars)
        if given not in kept:
            kept[given] = read(self)
        return copy.deepcopy(kept[given])

    def places_of(*, cwd: Path) -> list[Path]:
        given = cwd, lasting(os.environ)
        if given not in places:
            places[given] = paths(cwd=cwd)
        return list(places[given])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(source, "__call__", once)
        patch.setattr(skill_registry, "default_skill_paths", places_of)
        yield


@pytest.fixture(autouse=True, scope="package")
def the_version_is_read_once() -> Iterator[None]:
    """fast-agent parses its package's description for each agent that it makes, for 2 ms."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(client_callback_runtime, "version", functools.cache(client_callback_runtime.version))
        yield


@pytest.fixture(autouse=True, scope="package")
def clients_try_again_soon() -> Iterator[None]:
    """openai's and anthropic's wait for half a second and longer before they repeat a call, google's for one to ten."""
    with pytest.MonkeyPatch.context() as patch:
        for client in (openai_client, anthropic_client):
            patch.setattr(client, "INITIAL_RETRY_DELAY", 0.01)
        patch.setattr(google_client, "random", SimpleNamespace(randint=lambda *_: -1))
        yield


def resident() -> int:
    """Bytes that this process has in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


@pytest.fixture(autouse=True, scope="package")
def collected() -> list[int]:
    """What was resident after the last collection of ``large_bodies_are_let_go``."""
    return [resident()]


@pytest.fixture(autouse=True, scope="module")
def large_bodies_are_let_go(collected: list[int]) -> Iterator[None]:
    """Tests of what is too large leave 100 MiB in cycles. Looking for them takes 0.1 s, so memory has to have grown."""
    yield
    if resident() > collected[0] + 2**25:
        gc.collect()
        collected[0] = resident()


@pytest.fixture
async def model() -> AsyncGenerator[Model]:
    async with Model() as served:
        yield served


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
def cards(tmp_path: Path) -> Path:
    """A directory with one card, ``assistant``."""
    directory = tmp_path / "agent-cards"
    directory.mkdir()
    card(directory, "assistant.md", ASSISTANT)
    return directory


@pytest.fixture
def config(tmp_path: Path, model: Model) -> Path:
    """A configuration that knows the mock as ``generic``; tests may append to it."""
    path = tmp_path / "fastagent.config.yaml"
    path.write_text(f"generic:\n  base_url: {model.url}/v1\n  api_key: secret-key\n")
    return path


@pytest.fixture
def configure(config: Path) -> Configure:
    """Replace the configuration (YAML takes JSON)."""

    def write(content: dict[str, object]) -> None:
        config.write_text(json.dumps(content))

    return write


@pytest.fixture
def settings_of(cards: Path, config: Path, tmp_path: Path) -> Callable[..., Settings]:
    def make(**environ: str) -> Settings:
        given = {"COHORT_CARDS": cards, "COHORT_CONFIG": config, "COHORT_HOME": tmp_path / "home", "COHORT_LANES": 4}
        return load({name: str(value) for name, value in given.items()} | environ)

    return make


@pytest.fixture
def runtime(settings_of: Callable[..., Settings], clock: StillClock) -> Open:
    """``async with runtime(COHORT_LANES="1") as engine``."""

    @asynccontextmanager
    async def open_engine(
        kind: type[Engine] = Engine,
        *,
        media: MediaSource | None = None,
        alert: Alert | None = None,
        people: StoredPeople | None = None,
        reminders: Reminders | None = None,
        bots: BotsOfTurns | None = None,
        **environ: str,
    ) -> AsyncGenerator[Engine]:
        more = {"media": media, "alert": alert, "people": people, "reminders": reminders, "bots": bots}
        async with kind(settings_of(**environ), clock, **more) as engine:
            yield engine

    return open_engine


@pytest.fixture
def serve(config: Path, cards: Path):
    """Give the assistant a server; keyword arguments are its further settings."""

    def add(name: str, **settings: object) -> None:
        content = yaml.safe_load(config.read_text())
        servers = content.setdefault("mcp", {}).setdefault("servers", {})
        servers[name] = {"command": sys.executable, "args": [str(SERVER)], **settings}
        config.write_text(yaml.safe_dump(content))
        names = ", ".join(servers)
        card(cards, "assistant.md", f"---\nname: assistant\nmodel: generic.mock\nservers: [{names}]\n---\nYou.\n")

    return add


@pytest.fixture
async def strict() -> AsyncGenerator[Strict]:
    async with Strict() as served:
        yield served


@pytest.fixture
def between(strict: Strict, configure: Configure, cards: Path) -> str:
    """Every provider is the strict one, and the agent has a tool; gives what ``/model`` may choose."""
    key = {"api_key": "secret-key"}
    configure({
        "openai": {**key, "base_url": f"{strict.url}/v1"},
        "responses": {**key, "base_url": f"{strict.url}/v1", "transport": "sse"},
        "anthropic": {**key, "base_url": strict.url},
        "google": {**key, "base_url": f"{strict.url}/v1beta"},
        "generic": {**key, "base_url": f"{strict.url}/v1"},
    })  # fmt: skip
    card(cards, "tools.py", TOOL)
    head = "name: assistant\ndefault: true\nmodel: generic.llama\nfunction_tools: ['tools.py:lookup']\n"
    card(cards, "assistant.md", f"---\n{head}---\nYou.\n")
    return ",".join(MODELS.values())
