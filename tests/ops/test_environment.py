"""What each kind of process is given, and that it can start with it wherever the settings stand."""

from pathlib import Path
from typing import get_args

import pytest

from ops.environment import ProcessKind, environment, needed
from tasks.config.environ import merged
from tasks.config.settings import load

KINDS: tuple[ProcessKind, ...] = get_args(ProcessKind.__value__)
TOKEN, KEY, SECRET = "4242:of-a-real-bot", "sk-of-a-provider", "a-secret-of-decent-length"
INSIDE = f"TELEGRAM_BOT_TOKEN={TOKEN}\nANTHROPIC_API_KEY={KEY}\nCOHORT_WEBHOOK_URL=https://a.example\n"


@pytest.fixture
def env_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with an ``.env``, which we are in."""
    monkeypatch.chdir(tmp_path)
    file = tmp_path / ".env"
    file.write_text(INSIDE)
    return file


@pytest.mark.promise("needed-only")
@pytest.mark.usefixtures("env_file")
@pytest.mark.parametrize("kind", KINDS)
def test_a_process_finds_in_the_file_nothing_that_it_was_not_given(kind: ProcessKind) -> None:
    whole = environment({"COHORT_WEBHOOK_SECRET": SECRET, "REDIS_URL": "redis://127.0.0.1:6379/0", "PATH": "/bin"})
    assert whole["TELEGRAM_BOT_TOKEN"] == TOKEN
    # As the process itself reads it, in the same directory.
    seen = merged(needed(kind, whole))
    assert (seen.get("ANTHROPIC_API_KEY") == KEY) == (kind == "worker")
    assert (seen.get("TELEGRAM_BOT_TOKEN") == TOKEN) == (kind in {"worker", "bot"})
    assert (seen.get("COHORT_WEBHOOK_SECRET") == SECRET) == (kind == "bot")
    assert ("REDIS_URL" in seen) == (kind in {"worker", "bot", "flower", "console"})
    # Half of the webhook in the file and half in the environment: no process refuses to start for that.
    assert load(seen).webhook_url == ("https://a.example" if kind == "bot" else None)


@pytest.mark.promise("needed-only")
@pytest.mark.parametrize("kind", KINDS)
def test_only_workers_get_what_we_do_not_know(kind: ProcessKind) -> None:
    given = {"PATH": "/bin", "LC_ALL": "C.UTF-8", "OPENAI_API_KEY": KEY, "MY_SERVERS_PASSWORD": KEY}
    found = needed(kind, given)
    assert found["PATH"], found["LC_ALL"]
    assert (KEY in found.values()) == (kind == "worker")


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("https_proxy", {"bot", "worker"}),
        ("FLOWER_AUTH", {"flower", "worker"}),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", {"bot", "worker"}),
    ],
)
def test_what_one_kind_of_process_understands_reaches_that_kind(name: str, kinds: set[ProcessKind]) -> None:
    assert {kind for kind in KINDS if name in needed(kind, {name: "x"})} == kinds
