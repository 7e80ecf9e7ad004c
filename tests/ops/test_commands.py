"""The `cohort` command as an operator meets it: mistakes are one line each, secrets stay secret."""

import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from ops.cli import app
from ops.commands import config
from ops.context import Context
from ops.environment import PLAYGROUND_BOT
from ops.home import Home
from playground import BOT
from tasks.config.settings import load
from tasks.envelope import DeadLetter, Inbound
from tasks.store import Store
from tests.harness.command import cohort
from tests.support.redis_of import redis_of

TOKEN = "123456:ABC-very-secret"


def told(done_stderr: str) -> list[str]:
    return done_stderr.strip().splitlines()


@pytest.mark.promise("settings-clear")
@pytest.mark.parametrize("command", [("up",), ("worker",), ("dead", "list")])
def test_a_wrong_setting_is_one_line_a_problem_and_status_2(command: tuple[str, ...], tmp_path: Path) -> None:
    done = cohort(*command, home=tmp_path, COHORT_LANES="many", COHORT_WORKER="3")
    assert done.returncode == 2
    assert done.stdout == ""
    lines = told(done.stderr)
    assert len(lines) == 2
    assert any("COHORT_LANES" in line for line in lines)
    assert any("COHORT_WORKER: no such setting; did you mean COHORT_WORKERS?" in line for line in lines)


def test_a_wrong_name_in_the_env_file_is_found_too(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("COHORT_WROKERS=2\n")
    done = cohort("config", home=tmp_path, cwd=tmp_path)
    assert done.returncode == 2
    assert "COHORT_WROKERS" in done.stderr


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"REDIS_URL": "redis://127.0.0.1:1/0"}, "Redis cannot be reached"),
        ({"REDIS_URL": "ftp://127.0.0.1/0"}, "REDIS_URL"),
        ({"TELEGRAM_BOT_TOKEN": "nonsense"}, "TELEGRAM_BOT_TOKEN"),
        ({"TELEGRAM_BASE_URL": "http://127.0.0.1:1"}, "TELEGRAM_BOT_TOKEN is not"),
        (
            {"COHORT_CARDS": "no-such-directory"},
            "no-such-directory: no such directory; set COHORT_CARDS",
        ),
        (
            {"COHORT_CONFIG": "no-such-file.yaml"},
            "COHORT_CONFIG: no-such-file.yaml: there is no such file",
        ),
        ({"OPENROUTER_API_KEY": "k"}, "COHORT_MODEL=openrouter.<model>"),
    ],
)
def test_up_with_something_wrong_is_one_line_and_leaves_nothing_running(
    environ: dict[str, str], expected: str, tmp_path: Path
) -> None:
    environ = {"COHORT_MODEL": "passthrough", "FLOWER_PORT": "0", "COHORT_PLAYGROUND_PORT": "0"} | environ
    if "OPENROUTER_API_KEY" in environ:
        del environ["COHORT_MODEL"]
    done = cohort("up", home=tmp_path / "home", **environ)
    assert done.returncode == (1 if expected == "Redis cannot be reached" else 2)
    assert [line for line in told(done.stderr) if expected in line]
    assert len(told(done.stderr)) == 1
    assert "Traceback" not in done.stdout
    assert Home(tmp_path / "home").running() is None


@pytest.mark.parametrize("setting", ["FLOWER_PORT", "COHORT_PLAYGROUND_PORT"])
def test_a_busy_port_is_one_line_that_names_the_setting(setting: str, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ports = {"FLOWER_PORT": "0", "COHORT_PLAYGROUND_PORT": "0", setting: str(taken.getsockname()[1])}
        done = cohort("up", home=tmp_path, COHORT_MODEL="passthrough", **ports)
    assert done.returncode == 2
    assert len(told(done.stderr)) == 1
    assert f"{setting}: port {taken_port(ports, setting)} on 127.0.0.1 is taken" in done.stderr
    if Path("/proc/net/tcp").exists():
        assert f", pid {os.getpid()})" in done.stderr


def commands(group: Any, name: str = "cohort") -> Iterator[tuple[str, Any]]:
    for word, command in group.commands.items():
        whole = f"{name} {word}"
        yield from commands(command, whole) if hasattr(command, "commands") else [(whole, command)]


def test_each_argument_and_option_of_each_command_is_described_in_words() -> None:
    found = list(commands(typer.main.get_command(app)))
    assert len(found) > 30
    short = [
        f"{name}: {one.name}: {one.help}"
        for name, command in found
        for one in command.params
        if len((getattr(one, "help", None) or "").split()) < 3
    ]
    assert short == []
    assert [name for name, command in found if len((command.help or "").split()) < 3] == []


def taken_port(ports: dict[str, str], setting: str) -> str:
    return ports[setting]


def test_a_second_up_in_the_same_home_is_one_line(tmp_path: Path) -> None:
    with Home(tmp_path).hold():
        done = cohort("up", home=tmp_path)
    assert done.returncode == 2
    assert len(told(done.stderr)) == 1
    assert "already runs" in done.stderr


@pytest.mark.parametrize(
    "command", [("status",), ("dead", "list"), ("drain", "worker-1"), ("cards", "reload"), ("scale", "2")]
)
def test_without_anything_running_commands_say_so_in_one_line(command: tuple[str, ...], tmp_path: Path) -> None:
    environ = {"COHORT_MODEL": "passthrough"}
    done = cohort(*command, home=tmp_path, **environ)
    assert done.returncode == 2
    assert len(told(done.stderr)) == 1
    assert "Traceback" not in done.stderr


def test_config_shows_where_each_setting_comes_from_and_no_secret(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("COHORT_LANES=7\nCOHORT_WEBHOOK_SECRET=web-hook-secret-of-length\n")
    done = cohort(
        "config",
        "--json",
        home=tmp_path,
        cwd=tmp_path,
        TELEGRAM_BOT_TOKEN=TOKEN,
        REDIS_URL="redis://user:pass-word@127.0.0.1:6379/0",
        COHORT_LANES=" ",
        COHORT_SLOTS="",
    )
    assert done.returncode == 0
    rows = json.loads(done.stdout)
    assert rows["COHORT_LANES"] == {"value": "7", "source": ".env"}
    assert rows["COHORT_SLOTS"] == {"value": "64", "source": "default"}
    assert rows["TELEGRAM_BOT_TOKEN"]["source"] == "environment"
    assert rows["REDIS_URL"]["value"] == "redis://********@127.0.0.1:6379/0"
    for secret in ("very-secret", "pass-word", "web-hook-secret"):
        assert secret not in done.stdout


@pytest.mark.promise("no-secrets")
@pytest.mark.parametrize("url", ["redis://me:pw@127.0.0.1:6379", "sentinel://127.0.0.1/m/0?sentinel_password=pw"])
def test_no_secret_setting_is_ever_shown(url: str) -> None:
    settings = load({"TELEGRAM_BOT_TOKEN": TOKEN, "REDIS_URL": url})
    here = Context(settings, {}, Home(Path("nowhere")), None)
    shown = str(config.rows(here, {}))
    assert "very-secret" not in shown
    assert "pw" not in shown


def test_the_playground_and_its_supervisor_mean_the_same_bot() -> None:
    assert PLAYGROUND_BOT == BOT


async def buried(store: Store, text: str) -> str:
    inbound = Inbound(session="4242:5", update_id=9, at=1.0, text=text)
    letter = DeadLetter(reason="killed its worker 3 times", at=1.0, session="4242:5", update_id=9, inbound=inbound)
    name = await redis_of(store).xadd("cohort:dead", {"letter": letter.to_json()})
    return name.decode()


@pytest.mark.promise("dead-letters")
async def test_dead_letters_are_listed_without_their_text_shown_with_it_and_dropped(
    store: Store, redis_url: str, tmp_path: Path
) -> None:
    letter = await buried(store, "my private words")
    listed = cohort("dead", "list", home=tmp_path, REDIS_URL=redis_url)
    assert letter in listed.stdout
    assert "killed its worker 3 times" in listed.stdout
    assert "private" not in listed.stdout
    assert "my private words" in cohort("dead", "show", letter, home=tmp_path, REDIS_URL=redis_url).stdout
    assert cohort("dead", "drop", letter, home=tmp_path, REDIS_URL=redis_url).stdout.strip() == "dropped: 1"
    assert await store.dead.count() == 0
    again = cohort("dead", "drop", letter, home=tmp_path, REDIS_URL=redis_url)
    assert (again.returncode, len(told(again.stderr))) == (2, 1)


@pytest.mark.promise("dead-letters")
async def test_a_dead_letter_that_is_retried_is_pending_again(store: Store, redis_url: str, tmp_path: Path) -> None:
    letter = await buried(store, "once more")
    done = cohort("dead", "retry", letter, home=tmp_path, REDIS_URL=redis_url)
    assert done.stdout.strip() == "put back: 1"
    assert await redis_of(store).llen("cohort:s:4242:5:inbox") == 1
    assert await store.dead.count() == 0


@pytest.mark.promise("dead-letters")
async def test_retry_of_all_does_what_it_can_and_fails_when_a_letter_was_never_understood(
    store: Store, redis_url: str, tmp_path: Path
) -> None:
    await buried(store, "once more")
    await redis_of(store).xadd("cohort:dead", {"letter": DeadLetter(reason="no update", at=1.0, raw="{}").to_json()})
    done = cohort("dead", "retry", "--all", home=tmp_path, REDIS_URL=redis_url)
    assert (done.returncode, done.stdout.strip()) == (1, "put back: 1, not put back: 1")
    assert len(told(done.stderr)) == 1
    listed = json.loads(cohort("dead", "list", "--json", home=tmp_path, REDIS_URL=redis_url).stdout)
    assert [(letter["reason"], letter["retryable"]) for letter in listed["letters"]] == [("no update", False)]


def test_a_malformed_id_of_a_dead_letter_is_one_line(redis_url: str, tmp_path: Path) -> None:
    done = cohort("dead", "show", "everything", home=tmp_path, REDIS_URL=redis_url)
    assert (done.returncode, len(told(done.stderr))) == (2, 1)


def test_a_value_that_the_terminal_cannot_show_is_shown_as_its_numbers(tmp_path: Path) -> None:
    told = cohort("config", home=tmp_path, COHORT_AGENT=os.fsdecode(b"helper-\xff"))
    assert told.returncode == 0, told.stderr
    assert "helper-\\udcff" in told.stdout
