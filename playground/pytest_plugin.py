"""Tests of agents: ``pytest_plugins = ["playground.pytest_plugin"]`` in the ``conftest.py`` of your project.

It starts the ``cohort`` program as people do, so it tests what they would see, and imports no part of it. pytest loads
it only where a project names it: an entry point would load it in every run of everybody who has Cohort installed.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from playground.agent_chat import AgentChat, Talking
from playground.scripted_model import NAME, ScriptedModel

_STARTS_S = 180.0
_ENDS_S = 60.0
_OURS = ("COHORT_", "TELEGRAM_", "REDIS_", "FLOWER_", "GENERIC_")
"""Variables that would have the tests talk to what the developer runs otherwise."""


@pytest.fixture(scope="session")
def agent_settings() -> dict[str, str]:
    """Settings of the system under test. Override it for other cards than those of ``agent-cards``."""
    return {}


@pytest.fixture(scope="session")
def _agent_model() -> Iterator[ScriptedModel]:
    with ScriptedModel() as model:
        yield model


@pytest.fixture(scope="session")
def agent_system(
    tmp_path_factory: pytest.TempPathFactory, agent_settings: Mapping[str, str], _agent_model: ScriptedModel
) -> Iterator[str]:
    """One ``cohort up`` for the run, without a token and a key; gives the address of its playground."""
    home = tmp_path_factory.mktemp("cohort")
    no_env = home / "empty.env"
    no_env.touch()
    environ = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)} | {
        "COHORT_HOME": str(home),
        # The project's .env may have a bot's token; what tools need of it stands in `agent_settings`.
        "COHORT_ENV_FILE": str(no_env),
        "COHORT_MODEL": NAME,
        "GENERIC_BASE_URL": _agent_model.url,
        "GENERIC_API_KEY": "none",
        "COHORT_WORKERS": "1",
        "COHORT_STREAM": "off",
        "COHORT_PLAYGROUND_PORT": "0",
        "COHORT_CONSOLE_PORT": "0",
        "FLOWER_PORT": "0",
        "NO_PROXY": "127.0.0.1",
        **agent_settings,
    }
    said = home / "up.log"
    with said.open("wb") as log:
        up = subprocess.Popen(
            [sys.executable, "-P", "-m", "ops.entry", "up"],
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield _address(up, home / "run.json", said)
    finally:
        up.send_signal(signal.SIGTERM)
        try:
            up.wait(_ENDS_S)
        except subprocess.TimeoutExpired:
            up.kill()
            up.wait()


def _address(up: subprocess.Popen[bytes], running: Path, said: Path) -> str:
    """Where its playground is, once it is up."""
    ends = time.monotonic() + _STARTS_S
    while up.poll() is None and time.monotonic() < ends:
        if "Cohort is up" in said.read_text(errors="replace"):
            return json.loads(running.read_text())["playground_url"]
        time.sleep(0.1)
    pytest.fail(f"`cohort up` did not start; it said:\n{said.read_text(errors='replace')}", pytrace=False)


@pytest.fixture
def agent_model(_agent_model: ScriptedModel) -> Iterator[ScriptedModel]:
    """What the model says in this test."""
    _agent_model.clear()
    yield _agent_model
    _agent_model.clear()


@pytest.fixture(scope="session")
def _talking(agent_system: str) -> Iterator[Talking]:
    with Talking(agent_system) as talking:
        yield talking


@pytest.fixture
def agent_chat(_talking: Talking, agent_model: ScriptedModel) -> AgentChat:
    """A new private chat with the bot."""
    del agent_model
    return AgentChat.begun(_talking)
