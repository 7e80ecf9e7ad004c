"""Wrong settings and full disks, as every command meets them: one line, and a status that says who must act."""

import errno
import os
import sys
from pathlib import Path

import pytest
import typer

from ops import durability
from ops.cli import app, main
from ops.home import Home, Running, unwritable
from tasks.config.settings import load
from tasks.errors import Misconfigured, Retryable
from tests.harness.command import cohort
from tests.support.ports import free_port
from workers.process.memory import require_room

COMMANDS: dict[str, tuple[str, ...]] = {
    "up": (),
    "bot": (),
    "worker": (),
    "playground": (),
    "flower": (),
    "console": (),
    "doctor": (),
    "status": (),
    "health": (),
    "stuck": (),
    "find": ("1a2b3c",),
    "chats": (),
    "people": (),
    "feedback": (),
    "scale": ("2",),
    "drain": ("worker-1",),
    "restart": (),
    "config": (),
    "dead list": (),
    "dead show": ("1-0",),
    "dead retry": ("--all",),
    "dead drop": ("--all",),
    "cards check": (),
    "cards new": ("pirate",),
    "cards reload": (),
    "backup": ("file",),
    "bots forget": ("303",),
    "broadcast": ("--stop",),
    "pair": (),
    "restore": ("file",),
    "pause": ("turns",),
    "resume": ("turns",),
    "sessions list": (),
    "sessions show": ("4242:5",),
    "sessions export": ("4242:5",),
    "sessions stop": ("4242:5",),
    "sessions forget": ("4242:5",),
    "forget": ("5",),
    "move": ("redis://127.0.0.1:1/0",),
}
"""Every command, with arguments that are right."""
WRONG = {
    "a database that is no number": ({"REDIS_URL": "redis://h/abc"}, "REDIS_URL: '/abc' is not a database number"),
    "a parameter that does not exist": (
        {"REDIS_URL": "rediss://h/0?ssl_ca_cert=x"},
        "REDIS_URL: ssl_ca_cert is no parameter of a Redis URL; did you mean ssl_ca_certs?",
    ),
    "a configuration that is not there": (
        {"COHORT_CONFIG": "no-such-file.yaml"},
        "COHORT_CONFIG: no-such-file.yaml: there is no such file",
    ),
}


def registered() -> set[str]:
    names = {command.name or str(getattr(command.callback, "__name__", "")) for command in app.registered_commands}
    for group in app.registered_groups:
        inner: typer.Typer | None = group.typer_instance
        assert inner is not None
        names |= {
            f"{group.name} {command.name or getattr(command.callback, '__name__', '')}"
            for command in inner.registered_commands
        }
    return names


def test_the_table_has_every_command() -> None:
    assert set(COMMANDS) == registered()


@pytest.mark.promise("settings-clear")
@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_refuses_every_wrong_setting_in_one_line(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in os.environ:
        monkeypatch.delenv(name)
    environ = {"COHORT_HOME": str(tmp_path), "COHORT_CONFIG": "no-such-file.yaml", "REDIS_URL": "redis://h/abc"}
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["cohort", *command.split(), *COMMANDS[command]])
    mask = os.umask(0o077)
    try:
        with pytest.raises(SystemExit) as ended:
            main()
    finally:
        os.umask(mask)
    said = capsys.readouterr()
    assert (ended.value.code, said.out) == (2, "")
    assert sorted(said.err.splitlines()) == [
        "cohort: COHORT_CONFIG: no-such-file.yaml: there is no such file",
        "cohort: REDIS_URL: '/abc' is not a database number; put the database number in the path: redis://host:6379/3",
    ]


@pytest.mark.promise("settings-clear")
@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_setting_is_refused_when_settings_are_read(case: str) -> None:
    environ, line = WRONG[case]
    with pytest.raises(Misconfigured, match=line.split(":")[0]) as refused:
        load(environ)
    assert line in str(refused.value)


@pytest.mark.parametrize(
    "url",
    [
        "redis://h/0?ssl_cert_reqs=none",
        "rediss://h/0?ssl_cert_reqs=never",
        "rediss://h/0?ssl_typo=1",
        "rediss://h/0?ssl_typo",
        "rediss://h/0?db=3",
    ],
)
def test_a_redis_url_that_the_libraries_would_read_differently_is_refused(url: str) -> None:
    with pytest.raises(Misconfigured, match="REDIS_URL"):
        load({"REDIS_URL": url})


def test_a_redis_url_with_tls_may_name_its_files() -> None:
    url = "rediss://h:6380/3?ssl_cert_reqs=required&ssl_ca_certs=/ca.pem&ssl_certfile=/c&ssl_keyfile=/k"
    assert load({"REDIS_URL": url}).redis == url


def test_a_memory_limit_below_what_a_ready_worker_has_is_refused() -> None:
    require_room(0, resident=lambda: 205.0)
    require_room(206, resident=lambda: 205.0)
    with pytest.raises(Misconfigured, match="COHORT_WORKER_MAX_RSS_MIB: 100 is below the 205 MiB") as refused:
        require_room(100, resident=lambda: 205.0)
    assert "set 410 or more, or 0" in str(refused.value)


@pytest.mark.promise("disk-full")
def test_a_full_disk_is_one_line_when_the_home_is_taken(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "lock").symlink_to("/dev/full")
    done = cohort("up", home=home, COHORT_MODEL="passthrough", FLOWER_PORT="0", COHORT_PLAYGROUND_PORT="0")
    # 1, and not 2: a service manager that does not start what is set up wrong starts it again.
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"cohort: COHORT_HOME: {home} cannot be written (No space left on device)\n"


@pytest.mark.promise("disk-full")
def test_a_running_system_that_cannot_be_announced_is_one_line_and_leaves_no_draft(tmp_path: Path) -> None:
    (tmp_path / "run.json" / "full").mkdir(parents=True)
    with pytest.raises(Misconfigured, match=r"run\.json cannot be written \(Is a directory\)"):
        Home(tmp_path).announce(Running(pid=1, started=1.0, control=1, secret="s"))
    assert [path.name for path in tmp_path.iterdir()] == ["run.json"]
    assert isinstance(unwritable("the disk is full", OSError(errno.ENOSPC, "No space left on device")), Retryable)


@pytest.mark.promise("disk-full")
def test_files_that_cannot_be_written_are_one_line_when_the_store_is_prepared(tmp_path: Path) -> None:
    valkey = tmp_path / "valkey"
    valkey.mkdir()
    (valkey / "port").write_text("0")
    (valkey / "valkey.conf" / "full").mkdir(parents=True)
    done = cohort("up", home=tmp_path, COHORT_MODEL="passthrough", FLOWER_PORT="0", COHORT_PLAYGROUND_PORT="0")
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "cannot be written" in done.stderr


def test_a_failover_that_may_lose_messages_is_named_unless_replicas_are_waited_for() -> None:
    alone, replicated = {"connected_slaves": 0}, {"connected_slaves": 2}
    plain = load({"REDIS_URL": "redis://h/0"})
    assert durability.failover_risk(alone, plain) == ()
    assert "has 2 replicas, and COHORT_WAIT_REPLICAS is 0" in durability.failover_risk(replicated, plain)[0]
    assert durability.failover_risk(replicated, load({"REDIS_URL": "redis://h/0", "COHORT_WAIT_REPLICAS": "1"})) == ()
    assert "is behind Sentinel" in durability.failover_risk(alone, load({"REDIS_URL": "sentinel://h/m/0"}))[0]


@pytest.mark.promise("redis-causes")
def test_up_without_its_redis_ends_with_the_status_of_what_passes(tmp_path: Path) -> None:
    nothing = f"redis://127.0.0.1:{free_port()}/0"
    ports = {"COHORT_PLAYGROUND_PORT": "0", "FLOWER_PORT": "0"}
    done = cohort("up", home=tmp_path, REDIS_URL=nothing, COHORT_MODEL="passthrough", **ports)
    assert done.returncode == 1
    assert done.stderr.startswith("cohort: Redis cannot be reached")
